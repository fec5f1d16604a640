"""Days off and worked that an administrator has set, in PostgreSQL."""

from __future__ import annotations

from datetime import date, datetime

import asyncpg

from agent_ui.setup import DayOff
from hotline.audit import Record
from hotline.store.audit import keep
from hotline.store.database import statements

_SQL = statements("calendars")


class CalendarStore:
    """Days on a pool. Fulfils `agent_ui.setup.Calendars`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def days(self) -> list[DayOff]:
        """Return all of them."""
        return [DayOff(**dict(row)) for row in await self._pool.fetch(_SQL["days"])]

    async def put(self, days: list[DayOff], *, year: int, record: Record, now: datetime) -> None:
        """Put these in the place of all of a year, with the record of who did."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["forget_year"], date(year, 1, 1), date(year + 1, 1, 1))
            await connection.execute(
                _SQL["put"], [one.day for one in days], [one.off for one in days], [one.name for one in days],
                record.actor, now,
            )
            await keep(connection, record)
