"""Frozen values ↔ columns: how a ticket and its events lie in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from channels.message import Inbound
from hotline.events import TicketEvent
from hotline.opening import Change
from hotline.privacy import Private, hidden, joined, split
from hotline.store.sealing import index_of, ring
from hotline.summary import is_supervised, summarize, topics
from hotline.ticket import Ticket
from hotline.timers import next_attention

MAX_EVENTS = 1024
"""Events of one transaction: `event_position` keeps ten bits for the ordinal."""

_encoder = msgspec.json.Encoder()
_events = msgspec.json.Decoder(TicketEvent)
_privates = msgspec.json.Decoder(Private)


def to_json(value: object) -> str:
    """Return compact JSON as text, the form in which asyncpg takes a document."""
    return _encoder.encode(value).decode()


def event_from(doc: str, sealed: bytes | None = None) -> TicketEvent:
    """Decode an event; without its sealed part it tells of nobody who they are. Raises hotline.keyring.Damaged."""
    event = _events.decode(doc)
    if not sealed:
        return event
    return joined(event, _privates.decode(ring().open(sealed, context=doc.encode())))


def sealed_event(event: TicketEvent, *names: str) -> tuple[str, bytes | None]:
    """Return an event as the log holds it, and its private part sealed to it, None where it has none.

    `names`: those of the citizen, as the ticket knows them.
    """
    shown, private = split(event, *names)
    doc = _encoder.encode(shown)
    return doc.decode(), None if private is None else ring().seal(_encoder.encode(private), context=doc)


def citizen_of(ticket: Ticket) -> str:
    """Return what the citizen is looked up by: their phone, else what the channel knows them by."""
    citizen = ticket.appeal.citizen
    return index_of(citizen.phone or citizen.key)


def channel_key_of(ticket: Ticket) -> str:
    """Return what the channel knows a citizen by who is looked up by another thing, their phone; else ""."""
    citizen = ticket.appeal.citizen
    return index_of(citizen.key) if citizen.phone and citizen.key != citizen.phone else ""


def content_hash(inbound: Inbound) -> bytes:
    """Return what a repeat is compared by; keyed, or a phone could be found by trying all that there are."""
    return ring().digest(inbound.content_hash())[:16]


class Written(NamedTuple):
    """The columns of a change's events, and what the ticket's own row takes from the last of them."""

    events: list[tuple[Any, ...]]
    summary: str
    due: datetime | None


def check_count(events: int) -> None:
    """Raise ValueError for more events than the positions of one transaction can number."""
    if events > MAX_EVENTS:
        raise ValueError(f"a transaction numbers at most {MAX_EVENTS} events, not {events}: write smaller batches")


def written(change: Change) -> Written:
    """Return the columns of the change's events: version, at, type, actor, doc, summary, topics, sealed.

    The events of a change become visible together, so each carries the summary of the ticket after the last of them,
    and goes to the topics that the ticket had before the first and to those it has after the last.
    """
    ticket, last = change.decisions[-1]
    summary, concerned = summarize(ticket, last.at), topics(ticket)
    if change.before is not None:
        concerned |= topics(change.before)
    title = hidden(summary.title, *ticket.names)
    if title != summary.title:
        summary = msgspec.structs.replace(summary, title=title)
    text, listed = to_json(summary), ",".join(sorted(concerned))
    events = []
    for _, event in change.decisions:
        doc, sealed = sealed_event(event, *ticket.names)
        actor = f"{event.actor.role}:{event.actor.name}"
        events.append((event.version, event.at, event.type, actor, doc, text, listed, sealed))
    check_count(len(events))
    return Written(events, text, summary.due)


def opening_row(id_: int, code: str, ticket: Ticket, made: Written) -> tuple[Any, ...]:
    """Return the columns of a new ticket, in the order of `open` in sql/tickets.sql."""
    category, now = ticket.category, ticket.created_at
    return (
        id_, ticket.number, code, ticket.version, ticket.state, ticket.channel, ticket.kind,
        category.l1 if category else "", category.l2 if category else "", ticket.verdict, ticket.priority, ticket.town,
        ticket.lead, ",".join(ticket.assisting), bool(ticket.alarms), citizen_of(ticket), now, made.due,
        ticket.appeal.confidential, made.summary, next_attention(ticket),
    )


def update_row(id_: int, ticket: Ticket, made: Written, now: datetime) -> tuple[Any, ...]:
    """Return the columns of a changed ticket, in the order of `update` in sql/tickets.sql."""
    category = ticket.category
    return (
        id_, ticket.version, ticket.state, ticket.kind, category.l1 if category else "",
        category.l2 if category else "", ticket.verdict, ticket.priority, ticket.town, ticket.lead,
        ",".join(ticket.assisting), ticket.agent, bool(ticket.alarms), now, made.due, ticket.parent, made.summary,
        next_attention(ticket), is_supervised(ticket), ticket.appeal.confidential,
        citizen_of(ticket), channel_key_of(ticket),
    )


def columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Turn rows into columns, the form that `unnest` takes; `width` columns even without rows."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
