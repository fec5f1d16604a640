"""The calls of past weeks as the slots of a roster."""

from __future__ import annotations

import asyncpg

from hotline.deadlines import ZONE
from hotline.store.database import reached, statements
from hotline.store.hosts import connect
from routing.staffing import Slot

_SQL = statements("staffing")
USUAL_HANDLING = 240.0
"""Seconds, for half hours in which no call was answered."""


async def history(dsn: str, *, weeks: int) -> list[Slot]:
    """Return `slots_of` a database. Raises Unavailable where it cannot be reached."""
    with reached(dsn):
        connection = await connect(dsn)
    try:
        return await slots_of(connection, weeks=weeks)
    finally:
        await connection.close()


async def slots_of(connection: asyncpg.Connection, *, weeks: int) -> list[Slot]:
    """Return what half hours of the day had on average in the last weeks; empty without calls."""
    found = await connection.fetch(_SQL["slots"], str(ZONE), weeks)
    return [
        Slot(start=row["start"], calls=row["calls"], handling=row["handling"] or USUAL_HANDLING) for row in found
    ]
