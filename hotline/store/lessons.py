"""Tickets from whose events triage can learn: those that somebody corrected, and those sent back with good reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import groupby

import asyncpg

from hotline.events import TicketEvent
from hotline.store.database import statements
from hotline.store.rows import event_from

_SQL = statements("lessons")
_PAGE = 500


async def corrected_tickets(pool: asyncpg.Pool, *, whole: bool = False) -> AsyncIterator[list[TicketEvent]]:
    """Yield the telling events of each such ticket, once, in the order in which they were first corrected.

    Args:
        whole: open what is sealed too, so that a text is as it came. What trains has no need of it.
    """
    position, known = 0, set[int]()
    while found := await pool.fetch(_SQL["page"], position, _PAGE):
        position = found[-1]["position"]
        fresh = list(dict.fromkeys(row["ticket_id"] for row in found if row["ticket_id"] not in known))
        known.update(fresh)
        rows = await pool.fetch(_SQL["events"], fresh)
        for _, docs in groupby(rows, key=lambda row: row["ticket_id"]):
            yield [event_from(row["doc"], row["sealed"] if whole else None) for row in docs]
