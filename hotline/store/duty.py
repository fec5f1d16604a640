"""Keeps the time of agents beside the figures: part of each step of `hotline.store.tally`, and of rebuild and check."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import asyncpg
import msgspec

from hotline.duty import Change, Duty, Span
from hotline.store.database import statements

_SQL = statements("duty")
_changes = msgspec.json.Decoder(Change)
PAGE = 5000


async def follow(connection: asyncpg.Connection, generation: int, events: Sequence[asyncpg.Record]) -> None:
    """Take presence events (`at`, `doc`) into a generation, in the caller's transaction."""
    changes = [(row["at"], _changes.decode(row["doc"])) for row in events]
    names = list(dict.fromkeys(change.staff for _, change in changes))
    found = await connection.fetch(_SQL["present"], generation, names)
    duty = Duty({row["staff"]: (row["state"], row["since"]) for row in found})
    duty.follow(changes)
    present = [(staff, *duty.present[staff]) for staff in sorted(names)]
    await connection.execute(_SQL["put_present"], generation, *map(list, zip(*present, strict=True)))
    lines = [(*span, there, duty.busy[span]) for span, there in sorted(duty.there.items())]
    if lines:
        await connection.execute(_SQL["add_staff"], generation, *map(list, zip(*lines, strict=True)))


async def pages(connection: asyncpg.Connection, position: int) -> AsyncIterator[list[asyncpg.Record]]:
    """Yield all presence events up to a position, page by page."""
    after = -1
    while page := await connection.fetch(_SQL["presence_page"], after, position, PAGE):
        yield page
        after = page[-1]["position"]


async def recomputed(connection: asyncpg.Connection, position: int) -> Duty:
    """Return the time of agents from all presence events up to a position."""
    duty = Duty({})
    async for page in pages(connection, position):
        duty.follow((row["at"], _changes.decode(row["doc"])) for row in page)
    return duty


async def kept(connection: asyncpg.Connection, generation: int) -> Duty:
    """Return the time of agents as a generation has it."""
    found = await connection.fetch(_SQL["present"], generation, None)
    duty = Duty({row["staff"]: (row["state"], row["since"]) for row in found})
    for row in await connection.fetch(_SQL["all_staff"], generation):
        span = Span(row["hour"], row["staff"])
        duty.there[span], duty.busy[span] = row["there"], row["busy"]
    return duty


async def forget(pool: asyncpg.Pool, generation: int) -> None:
    """Delete a generation."""
    await pool.execute(_SQL["forget_staff"], generation)
    await pool.execute(_SQL["forget_presence"], generation)
