"""What waits in the database, for `/metrics`: the same at every process, so any of them may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import asyncpg
import msgspec

from hotline.store.database import statements

_SQL = statements("backlog")


class Waiting(msgspec.Struct, frozen=True):
    """How many wait, and since when the oldest does."""

    number: int
    since: datetime | None


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """All that waits at one moment; lags in seconds."""

    waiting: Mapping[str, Waiting]
    given_up: Mapping[str, int]
    readers: Mapping[str, float]
    held_back: float
    silent: int
    """Incidents that the 110 desk has not acknowledged within the limit."""
    overdue: int
    """Tickets whose clock has run out."""
    locked: int
    """Accounts that wrong log-ins have locked."""
    unchained: float
    """How long the oldest row has waited for the audit's chain."""
    broken: bool
    """Whether the last check of that chain found a fault."""
    upkeep: Mapping[str, float]
    """How long ago each task of the night last went well."""


async def backlog(pool: asyncpg.Pool) -> Backlog:
    """Return what waits. Raises asyncpg's errors where the database does not answer."""
    async with pool.acquire() as connection:
        waiting = await connection.fetch(_SQL["waiting"])
        given_up = await connection.fetch(_SQL["given_up"])
        readers = await connection.fetch(_SQL["readers"])
        log = await connection.fetchrow(_SQL["log"])
        audit = await connection.fetchrow(_SQL["audit"])
        upkeep = await connection.fetch(_SQL["upkeep"])
    return Backlog(
        waiting={row["what"]: Waiting(row["number"], row["since"]) for row in waiting},
        given_up={row["what"]: row["number"] for row in given_up},
        readers={row["name"]: max(0.0, row["lag"] or 0.0) for row in readers},
        held_back=max(0.0, log["held_back"] or 0.0), silent=log["silent"], overdue=log["overdue"],
        locked=log["locked"], unchained=max(0.0, audit["unchained"] or 0.0), broken=bool(audit["broken"]),
        upkeep={row["what"]: max(0.0, row["age"]) for row in upkeep},
    )
