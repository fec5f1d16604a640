"""Changing tickets on a connection inside a transaction: lock, replay, write events with what they set going."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

import asyncpg

from channels.message import Outbound
from hotline.effects import Effects
from hotline.errors import NotFound
from hotline.family_news import FamilyNews, key_for, text_for
from hotline.ids import TicketId, TicketNumber
from hotline.opening import Change
from hotline.particulars import who
from hotline.ports import Stored
from hotline.reach import Contact, addressed
from hotline.store import rows
from hotline.store.conversations import turn
from hotline.store.database import statements
from hotline.store.jobs import Job, enqueue
from hotline.store.proposals import propose
from hotline.store.sealing import seal_document, sealed_message
from hotline.store.uploads import attached, claim
from hotline.terms import Channel
from hotline.ticket import replay

_SQL = statements("tickets")
Written = tuple[TicketId, Change, Effects]
"""A ticket's id, what has become of it, and what that sets going."""


async def lock(connection: asyncpg.Connection, number: str) -> Stored:
    """Hold a ticket until the end of the transaction and return it as it is now. Raises NotFound."""
    row = await connection.fetchrow(_SQL["lock"], number)
    if row is None:
        raise NotFound(f"there is no ticket {number}")
    return await _replayed(connection, row)


async def lock_both(connection: asyncpg.Connection, first: TicketId, second: TicketId) -> dict[TicketId, Stored]:
    """Hold two tickets until the end of the transaction; the same id twice gives one. Raises NotFound."""
    found = await connection.fetch(_SQL["lock_both"], [first, second])
    missing = {first, second} - {TicketId(row["id"]) for row in found}
    if missing:
        raise NotFound(f"there is no ticket with the id {min(missing)}")
    return {TicketId(row["id"]): await _replayed(connection, row) for row in found}


async def _replayed(connection: asyncpg.Connection, row: asyncpg.Record) -> Stored:
    # Read after the lock is held: another's events may have been committed while we waited for it.
    history = await connection.fetch(_SQL["history"], row["id"])
    ticket = replay(rows.event_from(event["doc"], event["sealed"]) for event in history)
    return Stored(id=TicketId(row["id"]), code=row["code"], ticket=ticket)


async def write(connection: asyncpg.Connection, written: Sequence[Written]) -> None:
    """Write the changes of one transaction, at least one, with what they set going."""
    now = written[-1][1].events[-1].at
    made = [(id_, change.ticket, rows.written(change)) for id_, change, _ in written]
    events = [(id_, *row) for id_, _, one in made for row in one.events]
    rows.check_count(len(events))
    await connection.execute(_SQL["append"], *rows.columns(events, 9))
    for id_, ticket, one in made:
        await connection.execute(_SQL["update"], *rows.update_row(id_, ticket, one, now))
    await claim(connection, attached(event for _, change, _ in written for event in change.events))
    await set_going(connection, [(id_, effects) for id_, _, effects in written], now)
    await connection.execute("NOTIFY hotline_events")


async def set_going(
    connection: asyncpg.Connection, effects: Sequence[tuple[TicketId, Effects]], now: datetime
) -> None:
    """Write what must happen in the outside world, with its jobs."""
    for id_, effect in effects:
        if effect.incidents_end:  # before new ones: a hand-off of this transaction is none of those that ended
            await connection.execute(_SQL["end_incidents"], id_, effect.incidents_end)
    incidents = [
        (i.key, id_, seal_document(i.payload, context=f"incident {i.key}"))
        for id_, effect in effects for i in effect.incidents
    ]
    if incidents:
        await connection.execute(_SQL["add_incidents"], *rows.columns(incidents, 3), now)
        await enqueue(connection, Job.PUSH_INCIDENT, [key for key, *_ in incidents])
    for id_, effect in effects:
        if effect.orphans:
            await enqueue(connection, Job.FREE_CHILDREN, [str(id_)])
    messages = [message for _, effect in effects for message in effect.messages]
    for id_, effect in effects:
        messages += await _to_children(connection, id_, effect.news)
    await _owe(connection, messages, now)
    await propose(connection, [lesson for _, effect in effects for lesson in effect.lessons])


async def _owe(connection: asyncpg.Connection, messages: Sequence[Outbound], now: datetime) -> None:
    if messages:
        columns = rows.columns([(m.key, m.channel, sealed_message(m)) for m in messages], 3)
        new = await connection.fetch(_SQL["add_messages"], *columns, now)
        await enqueue(connection, Job.SEND_MESSAGE, [row["key"] for row in new])
        await turn(connection, messages, now)


async def _to_children(
    connection: asyncpg.Connection, parent: TicketId, news: Sequence[FamilyNews]
) -> list[Outbound]:
    """Return the messages to the children's citizens; merging locks the parent, so no child is passed over."""
    if not news:
        return []
    found = await connection.fetch(_SQL["children"], parent)
    children = [_contact(number, told) for number, told in groupby(found, key=lambda row: row["number"])]
    told = [addressed(child, text_for(one, child.number), key=key_for(one, child.number))
            for one in news for child in children]
    return [message for message in told if message is not None]


def _contact(number: str, told: Iterable[asyncpg.Record]) -> Contact:
    events = list(told)
    citizen = who(rows.event_from(row["doc"], row["sealed"]) for row in events)
    return Contact(number=TicketNumber(number), channel=Channel(events[0]["channel"]), citizen=citizen)
