"""Accounts, sessions and one-time console tickets in PostgreSQL. Of secrets only hashes and sealed bytes come here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from agent_ui.account_ports import Attempt, Login, Opening, SessionRow, Used
from agent_ui.identity import AccountPolicy, Proof, Standing
from agent_ui.staff import Staff, StaffRole
from hotline.errors import InvalidInput, NotFound
from hotline.store import sealing
from hotline.store.database import statements

_SQL = statements("accounts")


class AccountStore:
    """Accounts on a pool. Fulfils `agent_ui.account_ports.AccountStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    # ── accounts ─────────────────────────────────────────────────────────────────────────────────
    async def add_staff(
        self, staff: Staff, password_hash: str, *, now: datetime, must_change: bool = False, active: bool = True,
        wanted: str = "",
    ) -> None:
        """Add an account. Raises InvalidInput when the name is taken."""
        added = await self._pool.fetchval(
            _SQL["add_staff"], staff.name, staff.display_name, staff.role, staff.department, password_hash, now,
            must_change, active, wanted,
        )
        if added is None:
            raise InvalidInput(f"there is a member of staff named {staff.name} already; choose another name",
                               error_id="name_taken")

    async def set_password(
        self, name: str, password_hash: str, *, now: datetime, must_change: bool = False, history: int = 5
    ) -> None:
        """Give an account another password and unlock it. Raises NotFound."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_SQL["set_password"], name, password_hash, now, must_change, "") is None:
                raise NotFound(f"there is no member of staff named {name}")
            await connection.execute(_SQL["forget_passwords"], name, history)

    async def change_password(
        self, name: str, password_hash: str, *, before: str, keep: int, now: datetime, history: int
    ) -> int | None:
        """Put a password in the place of `before`, and end all sessions but `keep`; None if it changed meanwhile."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_SQL["set_password"], name, password_hash, now, False, before) is None:
                return None
            await connection.execute(_SQL["forget_passwords"], name, history)
            return len(await connection.fetch(_SQL["end_sessions"], name, 0, keep))

    async def old_passwords(self, name: str, most: int) -> Sequence[str]:
        """Return the hashes of the present password and of `most` before it."""
        return [row["password_hash"] for row in await self._pool.fetch(_SQL["old_passwords"], name, most)]

    async def account(self, name: str, *, now: datetime) -> Login | None:
        """Return an account that may log in; None if there is none, or it is locked or inactive."""
        row = await self._pool.fetchrow(_SQL["account"], name, now)
        if row is None:
            return None
        secret = _opened(name, row["totp_secret"]) if row["totp_since"] is not None else b""
        return Login(
            staff=_staff(row), password_hash=row["password_hash"], secret=secret, last_step=row["totp_step"],
            enrolled_at=row["totp_since"],
        )

    async def is_known(self, name: str) -> bool:
        """Tell whether there is such an account, active or not."""
        return bool(await self._pool.fetchval(_SQL["is_known"], name))

    async def active(self, name: str) -> Staff | None:
        """Return an account that the identity provider vouches for; None if there is none, or it is inactive."""
        row = await self._pool.fetchrow(_SQL["active_account"], name)
        return None if row is None else _staff(row)

    async def count_failure(self, name: str, *, now: datetime, policy: AccountPolicy) -> None:
        """Password or code was wrong; the last allowed failure locks the account."""
        await self._pool.execute(
            _SQL["count_failure"], name, now, policy.max_failures, policy.locked_for.total_seconds(),
            policy.longest_lock.total_seconds(),
        )

    # ── sessions ─────────────────────────────────────────────────────────────────────────────────
    async def open_session(self, opening: Opening) -> bool:
        """Forget the failures, use the code up and keep the session; False if something of it changed meanwhile."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await _open(connection, opening)
        except _RefusedError:
            return False
        return True

    async def session(self, token_hash: bytes, *, now: datetime, idle: timedelta) -> Used | None:
        """Return whose session it is and note its use; None when unknown, over, or idle for longer."""
        row = await self._pool.fetchrow(_SQL["use_session"], token_hash, now, now - idle)
        if row is None:
            return None
        standing = Standing(
            password_changed_at=row["password_changed_at"], must_change=row["must_change"], enrolled=row["enrolled"]
        )
        return Used(staff=_staff(row), session=row["session"], proof=Proof(row["proof"]), standing=standing)

    async def end_session(self, token_hash: bytes) -> None:
        """Log out."""
        await self._pool.execute(_SQL["end_session"], token_hash)

    async def sessions(self, name: str, *, now: datetime, idle: timedelta) -> list[SessionRow]:
        """Return somebody's sessions, the one used last first."""
        rows = await self._pool.fetch(_SQL["sessions_of"], name, now, now - idle)
        return [SessionRow(**(dict(row) | {"proof": Proof(row["proof"])})) for row in rows]

    async def end_sessions(self, name: str, *, id_: int = 0, keep: int = 0) -> int:
        """End one of somebody's sessions, or all but `keep`; return how many."""
        return len(await self._pool.fetch(_SQL["end_sessions"], name, id_, keep))

    # ── one-time tickets ─────────────────────────────────────────────────────────────────────────
    async def issue_ticket(self, ticket_hash: bytes, staff: str, *, session: int, expires_at: datetime) -> None:
        """Keep a one-time ticket."""
        await self._pool.execute(_SQL["issue_ticket"], ticket_hash, staff, expires_at, session)

    async def redeem_ticket(self, ticket_hash: bytes, *, now: datetime) -> tuple[Staff, int] | None:
        """Use a one-time ticket up: whose, and of which session; None when it is unknown, used or late."""
        row = await self._pool.fetchrow(_SQL["redeem_ticket"], ticket_hash, now)
        await self._pool.execute(_SQL["drop_old_tickets"], now - timedelta(hours=1))
        return None if row is None else (_staff(row), row["session"])

    # ── second factor ────────────────────────────────────────────────────────────────────────────
    async def propose_secret(self, name: str, secret: bytes) -> bool:
        """Keep a secret that no code has proved yet; False where one is enrolled."""
        sealed = sealing.ring().seal(secret, context=_context(name))
        return await self._pool.fetchval(_SQL["propose_secret"], name, sealed) is not None

    async def proposed_secret(self, name: str) -> bytes | None:
        """Return it."""
        sealed: bytes | None = await self._pool.fetchval(_SQL["proposed_secret"], name)
        return None if sealed is None else _opened(name, sealed)

    async def confirm_secret(
        self, name: str, secret: bytes, *, step: int, recovery: Sequence[bytes], session: int, now: datetime
    ) -> bool:
        """A code has proved it: enrol it, with fresh recovery codes; False if it was replaced meanwhile."""
        async with self._pool.acquire() as connection, connection.transaction():
            sealed = await connection.fetchval(_SQL["proposed_secret"], name)
            if sealed is None or _opened(name, sealed) != secret:
                return False
            await connection.execute(_SQL["confirm_secret"], name, now, step)
            await _put_recovery(connection, name, recovery)
            await connection.execute(_SQL["prove_session"], session, Proof.CODE)
        return True

    async def renew_recovery(self, name: str, recovery: Sequence[bytes]) -> None:
        """Put fresh recovery codes in the place of the old ones."""
        async with self._pool.acquire() as connection, connection.transaction():
            await _put_recovery(connection, name, recovery)

    async def drop_secret(self, name: str) -> None:
        """Take the second factor away. Raises NotFound."""
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_SQL["drop_secret"], name) is None:
                raise NotFound(f"there is no member of staff named {name}")
            await connection.execute(_SQL["drop_recovery_codes"], name)

    # ── identity provider ────────────────────────────────────────────────────────────────────────
    async def keep_attempt(self, state_hash: bytes, attempt: Attempt, *, now: datetime) -> None:
        """Keep a log-in that was sent to the identity provider."""
        await self._pool.execute(_SQL["drop_attempts"], now)
        await self._pool.execute(
            _SQL["keep_attempt"], state_hash, attempt.nonce, attempt.verifier, attempt.expires_at
        )

    async def take_attempt(self, state_hash: bytes) -> Attempt | None:
        """Use it up; None when it is unknown or used."""
        row = await self._pool.fetchrow(_SQL["take_attempt"], state_hash)
        return None if row is None else Attempt(**row)


class _RefusedError(Exception):
    """Rolls a log-in back that came too late."""


async def _open(connection: asyncpg.Connection, opening: Opening) -> None:
    name, now = opening.name, opening.now
    shown = (opening.step, opening.password_hash, opening.enrolled_at)
    if await connection.fetchval(_SQL["forget_failures"], name, now, *shown) is None:
        raise _RefusedError
    if opening.recovery and await connection.fetchval(_SQL["use_recovery_code"], name, opening.recovery) is None:
        raise _RefusedError
    await connection.execute(_SQL["drop_old_sessions"], name, now)
    await connection.execute(
        _SQL["add_session"], opening.token_hash, name, now, opening.expires_at, opening.address, opening.device,
        opening.proof,
    )


async def _put_recovery(connection: asyncpg.Connection, name: str, recovery: Sequence[bytes]) -> None:
    await connection.execute(_SQL["drop_recovery_codes"], name)
    await connection.execute(_SQL["add_recovery_codes"], name, list(recovery))


def _context(name: str) -> bytes:
    return f"staff.totp_secret:{name}".encode()


def _opened(name: str, sealed: bytes) -> bytes:
    return sealing.ring().open(sealed, context=_context(name))


def _staff(row: asyncpg.Record) -> Staff:
    return Staff(
        name=row["name"], display_name=row["display_name"], role=StaffRole(row["role"]), department=row["department"]
    )
