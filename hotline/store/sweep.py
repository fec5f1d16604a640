"""Tickets that time has something to do to, each taken by one process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from hotline.store.answering import taking
from hotline.store.changes import lock, write
from hotline.store.database import statements
from hotline.sweep import DecideDue
from hotline.terms import State
from hotline.ticket import Ticket

_SQL = statements("sweep")


class SweepStore:
    """Fulfils `hotline.sweep.DueTickets` over a pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def due(self, now: datetime, *, limit: int) -> Sequence[str]:
        """Return the numbers of tickets that are due, the longest waiting first."""
        return [row["number"] for row in await self._pool.fetch(_SQL["due"], now, limit)]

    async def take(self, number: str, now: datetime, decide: DecideDue) -> bool:
        """Let `decide` look at a ticket under its lock and write what it leads to; False if another process has it.

        Where nothing is to be done after all, the moment of the next look is set right. Raises Unavailable, and what
        `decide` raises.
        """
        with taking():
            return await self._taken(number, now, decide)

    async def _taken(self, number: str, now: datetime, decide: DecideDue) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_SQL["lock_due"], number, now) is None:
                return False
            stored = await lock(connection, number)
            decided = decide(stored.ticket, await _parent_of(connection, stored.ticket))
            if isinstance(decided, tuple):  # what is held with it is due at once, and put off by the next look
                await write(connection, [(stored.id, *decided)])
            else:
                await connection.execute(_SQL["look_again"], number, decided)
            return True

    async def put_off(self, number: str, now: datetime, until: datetime) -> None:
        """Look at a ticket that is due again at a later moment; one that was changed meanwhile keeps its own."""
        await self._pool.execute(_SQL["put_off"], number, now, until)


async def _parent_of(connection: asyncpg.Connection, ticket: Ticket) -> State | None:
    # Not held: a parent that is archived stays so, and any other is looked at again.
    if ticket.state is not State.MERGED:
        return None
    return State(await connection.fetchval(_SQL["state_of"], ticket.parent))
