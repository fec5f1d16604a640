"""Marked contacts in PostgreSQL: marks that can be lifted, every contact while one is in force, and who did what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from channels.message import Inbound
from hotline import commands as c
from hotline.appeal import Attachment
from hotline.errors import RuleViolation
from hotline.events import Receive, Role, TicketEvent
from hotline.keyring import is_blind
from hotline.lifecycle import OPEN_STATES
from hotline.nuisance import Act, Called, Case, Contacted, Mark, Outcome, Recent, sender_of
from hotline.particulars import names_of
from hotline.privacy import hidden, starred
from hotline.store.database import statements
from hotline.store.rows import event_from, to_json
from hotline.store.sealing import index_of, open_text, seal_text, words_of
from hotline.store.uploads import claim
from hotline.terms import Channel

_SQL = statements("nuisance")
_attachments = msgspec.json.Decoder(tuple[Attachment, ...])


class NuisanceStore:
    """Fulfils `hotline.containment.NuisanceRows`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def in_force(self, now: datetime) -> list[Mark]:
        """Return the marks that hold now."""
        return [_mark(row) for row in await self._pool.fetch(_SQL["in_force"], now)]

    async def marks(self) -> list[Mark]:
        """Return all marks, the newest first."""
        return [_mark(row) for row in await self._pool.fetch(_SQL["marks"])]

    # ── at intake ────────────────────────────────────────────────────────────────────────────────
    async def recent(self, contact: str, since: datetime, inbound: Inbound) -> Recent:
        """Return what the contact did since a moment."""
        states = sorted(OPEN_STATES)
        row = await self._pool.fetchrow(
            _SQL["recent"], index_of(contact), since, inbound.channel, inbound.external_id, states
        )
        before = Outcome(row["before"]) if row["before"] is not None else None
        return Recent(messages=row["messages"], number=row["number"] or "", before=before)

    async def note(self, contact: str, inbound: Inbound, outcome: Outcome, now: datetime) -> None:
        """Keep a contact as evidence."""
        appeal = inbound.appeal
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                _SQL["note"], index_of(contact), now, inbound.channel, inbound.external_id,
                hidden(appeal.text, appeal.citizen.name), outcome, to_json(appeal.attachments),
            )
            await claim(connection, {one.key for one in appeal.attachments})

    # ── supervisors ──────────────────────────────────────────────────────────────────────────────
    async def count(self, contact: str, since: datetime) -> int:
        """Return how many tickets, messages and calls of a contact there were since a moment."""
        return int(await self._pool.fetchval(_SQL["count"], index_of(contact), since))

    async def mark(self, contact: str, reason: str, *, actor: str, now: datetime, until: datetime) -> Mark:
        """Mark a contact, and keep who did it. Raises RuleViolation where it is marked."""
        async with self._pool.acquire() as connection, connection.transaction():
            index, sealed = index_of(contact), seal_text(contact, context="nuisance")
            await connection.execute(_SQL["expire"], index, now)
            row = await connection.fetchrow(_SQL["mark"], index, reason, actor, now, until, sealed)
            if row is None:
                raise RuleViolation("this contact is marked already")
            await connection.execute(_SQL["add_act"], now, actor, "marked", index, starred(reason))
            return _mark(row)

    async def lift(self, mark: str | int, reason: str, *, actor: str, now: datetime) -> Mark | None:
        """Lift a mark, named by its contact or its id, and keep who did it."""
        index, id_ = (index_of(mark), None) if isinstance(mark, str) else (None, mark)
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_SQL["lift"], index, actor, now, reason, id_)
            if row is None:
                return None
            await connection.execute(_SQL["add_act"], now, actor, "lifted", row["contact"], starred(reason))
            return _mark(row)

    async def contact_of(self, *, number: str = "", id_: int | None = None) -> str:
        """Return whom a ticket or a mark is about, "" where that is not known."""
        if id_ is not None:
            row = await self._pool.fetchrow(_SQL["mark_by_id"], id_)
            return _mark(row).contact if row is not None else ""
        if rows := await self._pool.fetch(_SQL["events"], number):
            return sender_of([event_from(row["doc"], row["sealed"]) for row in rows])
        return ""

    async def act(self, act: Act) -> None:
        """Keep an act for the audit."""
        await self._pool.execute(
            _SQL["add_act"], act.at, act.actor, act.act, index_of(act.contact), starred(act.detail)
        )

    async def case(self, contact: str, since: datetime) -> Case:
        """Return everything that is kept of a contact, as of one moment."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            index = index_of(contact)
            marks = await connection.fetch(_SQL["marks_of"], index)
            acts = await connection.fetch(_SQL["acts"], index)
            noted = await connection.fetch(_SQL["contacts"], index, since)
            rows = await connection.fetch(_SQL["tickets"], index, since)
            calls = await connection.fetch(_SQL["calls"], index, since)
            words = await connection.fetch(_SQL["words"], [row["id"] for row in calls])
        tickets: dict[str, list[TicketEvent]] = {}
        for row in rows:
            tickets.setdefault(row["number"], []).append(event_from(row["doc"], row["sealed"]))
        names = names_of(event for events in tickets.values() for event in events)
        return Case(
            contact=contact, marks=tuple(msgspec.structs.replace(_mark(row), contact=contact) for row in marks),
            acts=tuple(Act(**dict(row) | {"contact": contact}) for row in acts),
            contacts=tuple(sorted([*_contacts(noted, tickets, names), *_called(calls, words)], key=lambda one: one.at)),
            files=_files(noted, tickets), recordings=tuple(_recordings(calls)),
            calls=tuple(Called(id=row["id"], at=row["at"], recorded=row["sha256"] != "") for row in calls),
            names=names,
            tickets={number: [msgspec.to_builtins(event) for event in events] for number, events in tickets.items()},
        )


def _mark(row: asyncpg.Record) -> Mark:
    """Return a mark; of one whose contact was erased nobody is told, and rows from before have it in clear."""
    values = dict(row)
    sealed = values.pop("sealed")
    contact = "" if is_blind(row["contact"]) else row["contact"]
    return Mark(**values | {"contact": open_text(sealed, context="nuisance") if sealed else contact})


def _contacts(
    noted: Sequence[asyncpg.Record], tickets: Mapping[str, Sequence[TicketEvent]], names: Sequence[str]
) -> Iterator[Contacted]:
    """Yield what came under a mark, and what the tickets tell of the time without one.

    What came under a mark was kept without the name that it came with: `names` are all of the contact.
    """
    for row in noted:
        yield Contacted(
            at=row["at"], channel=row["channel"], outcome=row["outcome"], number=row["number"], text=row["text"]
        )
    under_mark = {(row["number"], row["text"]) for row in noted}
    for number, events in tickets.items():
        for event in events:
            text = _said(event)
            if text is None:
                continue
            if not any((number, hidden(text, name)) in under_mark for name in ("", *names)):
                yield Contacted(at=event.at, channel=_channel(events), outcome="", number=number, text=text)


def _called(calls: Sequence[asyncpg.Record], words: Sequence[asyncpg.Record]) -> Iterator[Contacted]:
    """Yield the calls of which no ticket tells, with what was heard of the caller."""
    for row in calls:
        if row["alone"]:
            text = "".join(words_of(one) for one in words if one["call"] == row["id"])
            yield Contacted(at=row["at"], channel=Channel.CALL, outcome="", number="", text=text)


def _recordings(calls: Sequence[asyncpg.Record]) -> Iterator[Attachment]:
    for row in calls:
        if row["sha256"]:
            name = f"{row['at']:%Y%m%dT%H%M%SZ}.wav"
            yield Attachment(key=row["sha256"], name=name, media_type="audio/wav", size=row["bytes"])


def _channel(events: Sequence[TicketEvent]) -> str:
    fact = events[0].fact
    return fact.channel if isinstance(fact, Receive) else ""


def _said(event: TicketEvent) -> str | None:
    match event.fact:
        case Receive(appeal=appeal):
            return appeal.text
        case c.AddMessage(text=text, inbound=True) | c.SupplyInfo(text=text):
            return text
        case c.Resume(text=text) if text and event.actor.role is Role.CITIZEN:  # not what a unit says instead of them
            return text
        case _:
            return None


def _files(
    noted: Sequence[asyncpg.Record], tickets: Mapping[str, Sequence[TicketEvent]]
) -> tuple[Attachment, ...]:
    found = [one for row in noted for one in _attachments.decode(row["attachments"])]
    for events in tickets.values():
        for event in events:
            fact: Any = event.fact.appeal if isinstance(event.fact, Receive) else event.fact
            found += getattr(fact, "attachments", ())
    return tuple({one.key: one for one in found}.values())
