"""Neighbours in PostgreSQL: a durable reader of the event log makes parcels, jobs deliver them, each exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from hotline.courier import Begun, ParcelRow
from hotline.errors import NotFound, RuleViolation
from hotline.neighbours import HAND_OVERS, Neighbours, Parcel, parcels_of
from hotline.privacy import starred
from hotline.store.database import statements
from hotline.store.jobs import Job, enqueue, restore
from hotline.store.rows import columns, event_from
from hotline.store.sealing import open_document, seal_document
from hotline.ticket import replay

_SQL = statements("neighbours")
PAGE = 500


class NeighbourStore:
    """Parcels and hand-overs of one database: `hotline.courier.ParcelRows` and `hotline.neighbour_desk.Held`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    # ── the reader ───────────────────────────────────────────────────────────────────────────────
    async def read_all(self, neighbours: Neighbours, now: datetime) -> None:
        """Make parcels of everything that has happened since the last time."""
        while await self.read_once(neighbours, now) == PAGE:
            pass

    async def read_once(self, neighbours: Neighbours, now: datetime) -> int:
        """Make parcels of the next events; return how many were looked at. Any process may do it at any time."""
        topics = [f"department:{n.unit}" for n in neighbours.values() if n.takes_tickets]
        page = await self._pool.fetch(_SQL["page"], topics, PAGE)
        if not page:
            return 0
        made = [
            (row["ticket_id"], parcel) for row in page if row["concerns"]
            for parcel in await self._parcels(row["ticket_id"], row["version"], neighbours)
        ]
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_SQL["move"], page[0]["cursor"], page[-1]["position"]):
                await _write(connection, made, now)
        return len(page)

    async def _parcels(self, ticket_id: int, version: int, neighbours: Neighbours) -> list[Parcel]:
        found = await self._pool.fetch(_SQL["history"], ticket_id, version)
        events = [event_from(row["doc"], row["sealed"]) for row in found]
        before = replay(events[:-1]) if len(events) > 1 else None
        return parcels_of(events, before, replay(events), neighbours)

    # ── delivering ───────────────────────────────────────────────────────────────────────────────
    async def begin_parcel(self, key: str) -> Begun | None:
        """Count an attempt and return the parcel, None if it is sent or given up."""
        row = await self._pool.fetchrow(_SQL["begin_parcel"], key)
        if row is None:
            return None
        payload = open_document(row["payload"], context=f"parcel {key}").decode()
        return Begun(**dict(row) | {"payload": payload})

    async def settle_parcel(self, key: str, state: str, error: str, now: datetime) -> None:
        """Record that a parcel was sent, or given up and why."""
        await self._pool.execute(_SQL["settle_parcel"], key, state, starred(error)[:500], now)

    async def fail_parcel(self, key: str, error: str) -> None:
        """Record why an attempt failed."""
        await self._pool.execute(_SQL["fail_parcel"], key, starred(error)[:500])

    async def arrived(self, hand_over: str, theirs: str, now: datetime) -> None:
        """Record the neighbour's own number of a ticket that it has taken."""
        await self._pool.execute(_SQL["arrived"], hand_over, theirs, now)

    async def restore_parcels(self, before: datetime) -> None:
        """Make sure that parcels waiting since before a moment have a job."""
        async with self._pool.acquire() as connection, connection.transaction():
            waiting = await connection.fetch(_SQL["waiting_parcels"], before)
            await restore(connection, Job.PUSH_PARCEL, [row["key"] for row in waiting])

    async def parcels(self, state: str, *, limit: int = 200) -> list[ParcelRow]:
        """Return parcels of a state (`pending`, `sent`, `dead`), the newest first."""
        return [ParcelRow(**row) for row in await self._pool.fetch(_SQL["parcels"], state, limit)]

    async def resend(self, key: str, now: datetime) -> None:
        """Try a parcel that was given up again. Raises NotFound, RuleViolation where it was emptied."""
        async with self._pool.acquire() as connection, connection.transaction():
            full = await connection.fetchval(_SQL["resend"], key, now)
            if full is None:
                raise NotFound(f"no parcel with the key {key[:80]!r} was given up")
            if not full:  # what was written goes with the transaction
                raise RuleViolation(f"parcel {key} is empty: what it told was erased; hand the ticket over anew")
            await enqueue(connection, Job.PUSH_PARCEL, [key])

    # ── who holds what ───────────────────────────────────────────────────────────────────────────
    async def held_by(self, code: str, hand_over: str) -> str | None:
        """Return the number of the ticket that we handed to this neighbour under a key."""
        number: str | None = await self._pool.fetchval(_SQL["held_by"], code, hand_over)
        return number

    async def taken_from(self, external_id: str) -> str | None:
        """Return the number of the ticket that another city has handed to us."""
        number: str | None = await self._pool.fetchval(_SQL["taken_from"], external_id)
        return number

    async def told(self, hand_over: str, state: str, now: datetime) -> None:
        """Record what the neighbour last said of a hand-over."""
        await self._pool.execute(_SQL["told"], hand_over, state, now)


async def _write(connection: asyncpg.Connection, made: Sequence[tuple[int, Parcel]], now: datetime) -> None:
    if not made:
        return
    new = [(p.key, p.neighbour, id_, p.body.number) for id_, p in made if p.path == HAND_OVERS]
    await connection.execute(_SQL["add_hand_overs"], *columns(new, 4), now)
    rows = [
        (p.key, p.neighbour, id_, p.hand_over, p.path, seal_document(p.body, context=f"parcel {p.key}"))
        for id_, p in made
    ]
    added = await connection.fetch(_SQL["add_parcels"], *columns(rows, 6), now)
    await enqueue(connection, Job.PUSH_PARCEL, [row["key"] for row in added])
