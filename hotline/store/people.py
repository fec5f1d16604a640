"""People in PostgreSQL, as administrators handle them. Fulfils `agent_ui.people.PeopleStore`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from agent_ui.people import PAGE, Change, Person
from agent_ui.staff import StaffRole
from hotline.audit import Record
from hotline.errors import NotFound, RuleViolation
from hotline.store.audit import keep
from hotline.store.database import statements
from hotline.store.telephone import give_phone

_SQL = statements("people")
_skills = msgspec.json.Decoder(dict[str, int])


class PeopleStore:
    """People on a pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def people(
        self, *, now: datetime, idle_since: datetime, name: str = "", role: str = "", text: str = "", offset: int = 0,
        limit: int = PAGE,
    ) -> list[Person]:
        """Return people by their names."""
        rows = await self._pool.fetch(_SQL["people"], now, idle_since, name, role, text, offset, limit)
        return [_person(row) for row in rows]

    async def change(self, name: str, change: Change, record: Record) -> int:
        """Carry a change out with its record; return how many sessions ended.

        Raises:
            NotFound; RuleViolation where no security administrator would be left.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_SQL["hold"], name)
            if row is None:
                raise NotFound(f"there is no member of staff named {name}")
            if change.lock is False and row["wanted_role"]:
                raise RuleViolation(f"{name} has no role yet: grant one")
            granted = change.grant[0] if change.grant else row["role"]
            if row["active"] and row["role"] == StaffRole.SECURITY_ADMIN and (
                change.lock or granted != StaffRole.SECURITY_ADMIN
            ):
                await _another(connection, name)
            await _carry_out(connection, row, change, record.at)
            ended = len(await connection.fetch(_SQL["end_all"], name)) if change.end else 0
            await keep(connection, record)
        return ended


async def _another(connection: asyncpg.Connection, name: str) -> None:
    others = await connection.fetch(_SQL["active_with_role"], StaffRole.SECURITY_ADMIN)
    if all(row["name"] == name for row in others):
        raise RuleViolation(f"{name} is the last security administrator: grant the role to somebody else first")


async def _carry_out(connection: asyncpg.Connection, row: asyncpg.Record, change: Change, now: datetime) -> None:
    name = row["name"]

    async def run(statement: str, *given: Any) -> None:
        await connection.execute(_SQL[statement], name, *given)

    if change.display_name is not None:
        await run("rename", change.display_name)
    if change.grant is not None:
        await run("grant", *change.grant)
    if change.lock is not None:
        await run("activate", not change.lock)
    if change.password_hash is not None:
        await run("keep_old_password", now)
        await run("give_password", change.password_hash, now)
    if change.phone is not None:
        await give_phone(connection, name, change.phone.endpoint, change.phone.skills)
    if change.factor:
        await run("take_factor")
        await run("take_recovery")


def _person(row: asyncpg.Record) -> Person:
    given: dict[str, Any] = dict(row)
    given["wanted"] = given.pop("wanted_role")
    given["skills"] = _skills.decode(given["skills"]) if given["skills"] else {}
    given["endpoint"] = given["endpoint"] or ""
    return msgspec.convert(given, Person)
