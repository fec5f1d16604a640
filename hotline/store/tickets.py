"""Tickets in PostgreSQL: opened in batches, changed one by one under a lock, every change with its events and jobs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from datetime import date, datetime

import asyncpg

from channels.message import Inbound, Receipt
from hotline.deadlines import ZONE
from hotline.errors import IllegalTransition, KeyReused, NotFound, Unavailable, VersionConflict
from hotline.events import TicketEvent
from hotline.ids import TicketId, TicketNumber, ticket_number
from hotline.ports import Acted, Continue, Decide, DecideFamily, DecidePerhaps, NewTicket, Once, Stored
from hotline.store import rows
from hotline.store.acts import first_act, keep_act
from hotline.store.answering import answering, taking
from hotline.store.arrivals import delivery_of, first_receipts, open_all, repeated
from hotline.store.changes import lock, lock_both, write
from hotline.store.database import statements
from hotline.store.threads import Moved, continue_thread, conversation_of, point, thread_of
from hotline.terms import Channel
from hotline.ticket import Ticket, replay

_SQL = statements("tickets")
ID_BLOCK = 256
NUMBER_BLOCK = 400
CONVERSE_TRIES = 8


class TicketStore:
    """The tickets of one database. Reserves ids and numbers in blocks; a crash leaves gaps, never doubles."""

    def __init__(self, pool: asyncpg.Pool, *, prefix: str) -> None:
        self._pool = pool
        self._prefix = prefix
        self._ids: list[TicketId] = []
        self._numbers: dict[tuple[date, Channel], range] = {}

    # ── reserving ────────────────────────────────────────────────────────────────────────────────
    async def reserve(self, channels: Sequence[Channel], now: datetime) -> list[tuple[TicketId, TicketNumber]]:
        """Return an id and a number for each channel named. Raises Unavailable."""
        with answering():
            while len(self._ids) < len(channels):
                found = await self._pool.fetch(_SQL["reserve_ids"], max(ID_BLOCK, len(channels)))
                self._ids.extend(TicketId(row["id"]) for row in found)
            ids, self._ids = self._ids[: len(channels)], self._ids[len(channels) :]
            day = now.astimezone(ZONE).date()
            return [(id_, await self._number(day, channel)) for id_, channel in zip(ids, channels, strict=True)]

    async def _number(self, day: date, channel: Channel) -> TicketNumber:
        left = self._numbers.get((day, channel), range(0))
        while not left:
            first = await self._pool.fetchval(_SQL["reserve_numbers"], day, channel, NUMBER_BLOCK)
            left = self._numbers.get((day, channel)) or range(first, first + NUMBER_BLOCK)
        self._numbers = {key: kept for key, kept in self._numbers.items() if key[0] >= day}
        self._numbers[day, channel] = left[1:]
        return ticket_number(self._prefix, day, channel, left[0])

    # ── opening ──────────────────────────────────────────────────────────────────────────────────
    async def open_batch(self, batch: Sequence[NewTicket]) -> list[Receipt | KeyReused]:
        """Write new tickets in one transaction; deliveries that came before get their first receipt.

        Returns one result per item, in order; `KeyReused` where a key came back with other content.

        Raises:
            Unavailable: the database is lost, or could not do it just now. Any other error is the fault of an item, or
                of ours.
        """
        with taking():  # what it cannot take now is so for all of the batch
            async with self._pool.acquire() as connection:
                return await self._opened(connection, batch)

    async def _opened(
        self, connection: asyncpg.Connection, batch: Sequence[NewTicket]
    ) -> list[Receipt | KeyReused]:
        # One statement is a transaction of its own; jobs, messages and files need one around them.
        more = any(item.effects or item.inbound.appeal.attachments for item in batch)
        async with connection.transaction() if more else nullcontext():
            fresh = await open_all(connection, batch)
        if len(fresh) == len(batch):
            return [item.receipt for item in batch]
        first = await first_receipts(connection, [item.inbound for item in batch if item.id not in fresh])
        return [
            item.receipt if item.id in fresh else repeated(item.inbound, first[delivery_of(item.inbound)])
            for item in batch
        ]

    async def converse(self, inbound: Inbound, opened: NewTicket, continued: Continue) -> Receipt | KeyReused:
        """Add a message to its conversation's open ticket, or open the ticket prepared for it.

        The conversation's row is held, so messages of one citizen that arrive together are taken one after the other.

        Raises:
            Unavailable: its ticket was merged in this moment, or it went on in others again and again; repeat it.
        """
        for _ in range(CONVERSE_TRIES):
            with suppress(Moved):
                return await self._converse(inbound, opened, continued)
        raise Unavailable("the conversation goes on elsewhere at this moment: please repeat the message")

    async def _converse(self, inbound: Inbound, opened: NewTicket, continued: Continue) -> Receipt | KeyReused:
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                thread = await conversation_of(connection, inbound)
                if thread is not None:
                    taken, receipt = await continue_thread(connection, thread, inbound, continued)
                else:
                    taken, receipt = opened.id in await open_all(connection, [opened]), opened.receipt
                    if taken:
                        await point(connection, inbound, opened.id)
            if taken:
                return receipt
            first = await first_receipts(connection, [inbound])
        return repeated(inbound, first[delivery_of(inbound)])

    async def continue_named(self, inbound: Inbound, number: TicketNumber, continued: Continue) -> Receipt | KeyReused:
        """Add a message to the ticket that the citizen names. Raises NotFound, IllegalTransition (it is finished)."""
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                thread = await thread_of(connection, number)
                taken, receipt = await continue_thread(connection, thread, inbound, continued)
            if taken:
                return receipt
            first = await first_receipts(connection, [inbound])
        return repeated(inbound, first[delivery_of(inbound)])

    # ── reading and changing ─────────────────────────────────────────────────────────────────────
    async def read(self, number: str) -> Stored:
        """Return a ticket. Raises NotFound."""
        found = await self._pool.fetch(_SQL["read"], number)
        if not found:
            raise NotFound(f"there is no ticket {number}")
        ticket = replay(rows.event_from(row["doc"], row["sealed"]) for row in found)
        return Stored(id=TicketId(found[0]["id"]), code=found[0]["code"], ticket=ticket)

    async def change_perhaps(self, number: str, decide: DecidePerhaps) -> Ticket:
        """Change a ticket under its lock, or leave it as it is where `decide` says None. Raises NotFound."""
        async with self._pool.acquire() as connection, connection.transaction():
            stored = await lock(connection, number)
            decided = decide(stored.ticket)
            if decided is None:
                return stored.ticket
            await write(connection, [(stored.id, *decided)])
            return decided[0].ticket

    async def read_id(self, id_: TicketId) -> Stored:
        """Return a ticket by its id. Raises NotFound."""
        number = await self._pool.fetchval(_SQL["number_of"], id_)
        if number is None:
            raise NotFound(f"there is no ticket with the id {id_}")
        return await self.read(number)

    async def history(self, id_: TicketId) -> list[TicketEvent]:
        """Return all events of a ticket in order."""
        return [rows.event_from(row["doc"], row["sealed"]) for row in await self._pool.fetch(_SQL["history"], id_)]

    async def change(self, number: str, decide: Decide, *, expected_version: int | None = None) -> Ticket:
        """Change a ticket under its lock: `decide` sees the newest state, its change is written with events and jobs.

        Raises:
            NotFound: no such ticket.
            VersionConflict: the ticket has moved on since the caller looked (`expected_version`).
        """
        async with self._pool.acquire() as connection, connection.transaction():
            stored = await lock(connection, number)
            _check_version(stored, expected_version)
            change, effects = decide(stored.ticket)
            await write(connection, [(stored.id, change, effects)])
            return change.ticket

    async def change_once(
        self, number: str, decide: Decide, *, once: Once, expected_version: int | None = None
    ) -> Acted:
        """Change a ticket as `change`, unless this act was carried out before: then say what it led to.

        Raises:
            KeyReused: the key came with something else before. The others as `change`.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            stored = await lock(connection, number)  # repeats of an act wait here for the first
            if (first := await first_act(connection, once)) is not None:
                return first
            _check_version(stored, expected_version)
            change, effects = decide(stored.ticket)
            await write(connection, [(stored.id, change, effects)])
            acted = Acted(number=change.ticket.number, version=change.ticket.version, state=change.ticket.state)
            return await keep_act(connection, once, acted, change.events[-1].at)

    async def change_family(
        self, number: str, parent: TicketId | None, decide: DecideFamily, *, expected_version: int | None = None
    ) -> Ticket:
        """Change a ticket and its parent (None: the one it has) under both locks; return the ticket after it.

        Raises:
            NotFound: one of them does not exist. IllegalTransition: it has no parent.
            VersionConflict: the ticket, or its parent, has changed since the caller looked.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_SQL["id_and_parent"], number)
            if row is None:
                raise NotFound(f"there is no ticket {number}")
            id_, other = TicketId(row["id"]), parent if parent is not None else row["parent"]
            if other is None:
                raise IllegalTransition(f"ticket {number} is not merged into another")
            held = await lock_both(connection, id_, other)
            child = held[id_]
            _check_version(child, expected_version)
            if parent is None and child.ticket.parent != other:
                raise VersionConflict(f"ticket {number} has another parent meanwhile: reload")
            (change, effects), (theirs, others) = decide(child.ticket, held[other].ticket)
            await write(connection, [(id_, change, effects), (other, theirs, others)])
            return change.ticket


def _check_version(stored: Stored, expected: int | None) -> None:
    version, number = stored.ticket.version, stored.ticket.number
    if expected is not None and expected != version:
        raise VersionConflict(f"ticket {number} is at version {version}, you saw {expected}: reload")
