"""Tickets that belong together: merged ones, and repeats by the same citizen, linked by a reader of the event log.

As with the search index, intake never waits for it: the cursor moves by compare-and-set, any process may run it.
"""

from __future__ import annotations

import asyncpg
import msgspec

from agent_ui.ports import Relatives
from hotline.ids import TicketId
from hotline.store.database import statements
from hotline.store.jobs import Job, restore

_SQL = statements("relatives")
BATCH = 500
WITHIN_DAYS = 90
LINKED = 10
"""A repeat is linked with so many earlier tickets of the citizen at most, and so far back."""
SHOWN = 100


async def link_all(pool: asyncpg.Pool) -> None:
    """Link repeats until the reader has caught up."""
    count = BATCH
    while count == BATCH:
        found = await pool.fetch(_SQL["next_receipts"], BATCH)
        if found:
            ids = [row["ticket_id"] for row in found]
            await pool.execute(_SQL["link"], found[0]["cursor"], found[-1]["position"], ids, WITHIN_DAYS, LINKED)
        count = len(found)


class RelativesStore:
    """Relatives of tickets on a pool. Fulfils `agent_ui.ports.FindRelatives` and `hotline.families.Children`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def __call__(self, id_: TicketId, *, department: str = "") -> Relatives:
        """Return them; for a department of the related ones only its own, and none that would tell whose it is."""
        found = await self._pool.fetch(_SQL["relatives"], id_, department, SHOWN)
        rows: dict[str, list[msgspec.Raw]] = {"child": [], "related": []}
        for row in found:
            if row["part"] in rows:
                rows[row["part"]].append(msgspec.Raw(row["summary"].encode()))
        return Relatives(
            parent=next((row["number"] for row in found if row["part"] == "parent"), ""),
            children=tuple(rows["child"]), related=tuple(rows["related"]),
        )

    async def restore_jobs(self) -> None:
        """Make sure that the children of parents that ended without an answer are freed."""
        async with self._pool.acquire() as connection, connection.transaction():
            found = await connection.fetch(_SQL["orphaning"])
            await restore(connection, Job.FREE_CHILDREN, [str(row["id"]) for row in found])

    async def children_of(self, parent: TicketId) -> list[str]:
        """Return the numbers of the tickets merged into one."""
        return [row["number"] for row in await self._pool.fetch(_SQL["children_of"], parent)]
