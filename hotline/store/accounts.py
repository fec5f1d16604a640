"""Accounts, sessions and one-time console tickets in PostgreSQL. Of secrets only hashes come here."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg

from agent_ui.ports import Login
from agent_ui.staff import Staff, StaffRole
from hotline.errors import InvalidInput, NotFound
from hotline.store.database import statements

_SQL = statements("accounts")
MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=30)
"""Level 3 of 等保: locked for 30 minutes after 5 failures (domain.md section 8)."""


class AccountStore:
    """Accounts on a pool. Fulfils `agent_ui.ports.AccountStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add_staff(self, staff: Staff, password_hash: str, *, now: datetime) -> None:
        """Add an account. Raises InvalidInput when the name is taken."""
        added = await self._pool.fetchval(
            _SQL["add_staff"], staff.name, staff.display_name, staff.role, staff.department, password_hash, now
        )
        if added is None:
            raise InvalidInput(f"there is a member of staff named {staff.name} already; choose another name",
                               error_id="name_taken")

    async def set_password(self, name: str, password_hash: str) -> None:
        """Give an account another password and unlock it. Raises NotFound."""
        if await self._pool.fetchval(_SQL["set_password"], name, password_hash) is None:
            raise NotFound(f"there is no member of staff named {name}")

    async def account(self, name: str, *, now: datetime) -> Login | None:
        """Return an account that may log in; None if there is none, or it is locked or inactive."""
        row = await self._pool.fetchrow(_SQL["account"], name, now)
        return None if row is None else Login(staff=_staff(row), password_hash=row["password_hash"])

    async def count_failure(self, name: str, *, now: datetime) -> None:
        """The password was wrong; the last of `MAX_FAILURES` locks the account."""
        await self._pool.execute(_SQL["count_failure"], name, now, MAX_FAILURES, now + LOCKED_FOR)

    async def open_session(self, name: str, token_hash: bytes, *, now: datetime, expires_at: datetime) -> bool:
        """The password was right: forget the failures and keep the session; False if it was locked meanwhile."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_SQL["forget_failures"], name, now) is None:
                return False
            await connection.execute(_SQL["drop_old_sessions"], name, now)
            await connection.execute(_SQL["add_session"], token_hash, name, now, expires_at)
        return True

    async def session(self, token_hash: bytes, *, now: datetime, idle: float) -> Staff | None:
        """Return whose session it is and note its use; None when unknown, over, or idle longer than `idle` seconds."""
        row = await self._pool.fetchrow(_SQL["use_session"], token_hash, now, now - timedelta(seconds=idle))
        return None if row is None else _staff(row)

    async def end_session(self, token_hash: bytes) -> None:
        """Log out."""
        await self._pool.execute(_SQL["end_session"], token_hash)

    async def issue_ticket(self, ticket_hash: bytes, staff: str, *, expires_at: datetime) -> None:
        """Keep a one-time ticket."""
        await self._pool.execute(_SQL["issue_ticket"], ticket_hash, staff, expires_at)

    async def redeem_ticket(self, ticket_hash: bytes, *, now: datetime) -> Staff | None:
        """Use a one-time ticket up; None when it is unknown, used or late."""
        row = await self._pool.fetchrow(_SQL["redeem_ticket"], ticket_hash, now)
        await self._pool.execute(_SQL["drop_old_tickets"], now - timedelta(hours=1))
        return None if row is None else _staff(row)


def _staff(row: asyncpg.Record) -> Staff:
    return Staff(
        name=row["name"], display_name=row["display_name"], role=StaffRole(row["role"]), department=row["department"]
    )
