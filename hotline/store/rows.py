"""Frozen values ↔ columns: how a ticket and its events lie in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from hotline.events import TicketEvent
from hotline.summary import next_due, summarize, topics
from hotline.ticket import Ticket, evolve

MAX_EVENTS = 1024
"""Events of one transaction: `event_position` keeps ten bits for the ordinal."""

_encoder = msgspec.json.Encoder()
_events = msgspec.json.Decoder(TicketEvent)


def to_json(value: object) -> str:
    """Return compact JSON as text, the form in which asyncpg takes a document."""
    return _encoder.encode(value).decode()


def event_from(doc: str) -> TicketEvent:
    """Decode an event."""
    return _events.decode(doc)


def citizen_of(ticket: Ticket) -> str:
    """Return what the citizen is looked up by: the phone, else the channel's key."""
    return ticket.appeal.citizen.phone or ticket.appeal.citizen.key


def opening_row(id_: int, code: str, ticket: Ticket) -> tuple[Any, ...]:
    """Return the columns of a new ticket, in the order of `open` in sql/tickets.sql."""
    category, now = ticket.category, ticket.created_at
    return (
        id_, ticket.number, code, ticket.version, ticket.state, ticket.channel, ticket.kind,
        category.l1 if category else "", category.l2 if category else "", ticket.verdict, ticket.priority, ticket.town,
        ticket.lead, ",".join(ticket.assisting), bool(ticket.alarms), citizen_of(ticket), now, next_due(ticket),
        ticket.appeal.confidential, to_json(summarize(ticket, now)),
    )


def update_row(id_: int, ticket: Ticket, now: datetime) -> tuple[Any, ...]:
    """Return the columns of a changed ticket, in the order of `update` in sql/tickets.sql."""
    category = ticket.category
    return (
        id_, ticket.version, ticket.state, ticket.kind, category.l1 if category else "",
        category.l2 if category else "", ticket.verdict, ticket.priority, ticket.town, ticket.lead,
        ",".join(ticket.assisting), ticket.agent, bool(ticket.alarms), now, next_due(ticket), ticket.parent,
        to_json(summarize(ticket, now)),
    )


def check_count(events: int) -> None:
    """Raise ValueError for more events than the positions of one transaction can number."""
    if events > MAX_EVENTS:
        raise ValueError(f"a transaction numbers at most {MAX_EVENTS} events, not {events}: write smaller batches")


def event_rows(before: Ticket | None, events: Sequence[TicketEvent]) -> list[tuple[Any, ...]]:
    """Return the columns of a ticket's new events: version, at, type, actor, doc, summary after, topics.

    An event goes to the topics that the ticket had before it and to those it has after it.
    """
    check_count(len(events))
    rows, ticket = [], before
    for event in events:
        left = topics(ticket) if ticket is not None else frozenset[str]()
        ticket = evolve(ticket, event)
        rows.append((
            event.version, event.at, event.type, f"{event.actor.role}:{event.actor.name}", to_json(event),
            to_json(summarize(ticket, event.at)), ",".join(sorted(left | topics(ticket))),
        ))
    return rows


def columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Turn rows into columns, the form that `unnest` takes; `width` columns even without rows."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
