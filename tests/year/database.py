"""The simulated year's event log in a database, in the order of time, as if it had been lived there (COPY)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from hotline.decide import Decision
from hotline.events import TicketEvent
from hotline.opening import Change
from hotline.store import rows
from hotline.ticket import Ticket, evolve

_TICKET = (
    "id", "number", "code", "version", "state", "channel", "kind", "l1", "l2", "verdict", "priority", "town", "lead",
    "assisting", "alarmed", "citizen", "created_at", "due_at", "confidential", "summary", "attention_at",
)
_EVENT = ("ticket_id", "version", "at", "type", "actor", "doc", "summary", "topics", "sealed")
_STAGE = """
CREATE TEMPORARY TABLE lived (
    ticket_id bigint, version int, at timestamptz, type text, actor text, doc text, summary text, topics text[],
    sealed bytea
)"""
_SORTED = """
INSERT INTO ticket_events (position, ticket_id, version, at, type, actor, doc, summary, topics, sealed)
SELECT row_number() OVER (ORDER BY at, ticket_id, version), ticket_id, version, at, type, actor, doc, summary, topics,
       sealed
FROM lived"""


def changed(events: Sequence[TicketEvent]) -> Change:
    """Return a life as one change: every event with the ticket after it."""
    decisions: list[Decision] = []
    ticket: Ticket | None = None
    for event in events:
        ticket = evolve(ticket, event)
        decisions.append(Decision(ticket, event))
    return Change(before=None, decisions=tuple(decisions))


class Log:
    """Gathers lives, and writes them."""

    def __init__(self) -> None:
        self._tickets: list[tuple[Any, ...]] = []
        self._events: list[tuple[Any, ...]] = []

    def add(self, id_: int, events: Sequence[TicketEvent]) -> None:
        """Take a life in."""
        change = changed(events)
        made = rows.written(change)
        row = dict(zip(_TICKET, rows.opening_row(id_, "000000", change.ticket, made), strict=True))
        row["assisting"] = [name for name in row["assisting"].split(",") if name]
        self._tickets.append((*row.values(), events[-1].at))
        self._events += [(id_, *event[:-2], event[-2].split(","), event[-1]) for event in made.events]

    async def write(self, dsn: str) -> int:
        """Write everything in one transaction; return how many events there are."""
        connection = await asyncpg.connect(dsn)
        try:
            async with connection.transaction():
                await connection.execute(_STAGE)
                columns = [*_TICKET, "updated_at"]
                await connection.copy_records_to_table("tickets", records=self._tickets, columns=columns)
                await connection.copy_records_to_table("lived", records=self._events, columns=_EVENT)
                await connection.execute(_SORTED)
                # Positions count from 1 here: the horizon must lie above them (docs/decisions/0002-event-order.md).
                await connection.execute("UPDATE event_clock SET base = base + $1", len(self._events) // 1024 + 1)
        finally:
            await connection.close()
        return len(self._events)
