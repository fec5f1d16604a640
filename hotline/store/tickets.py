"""Tickets in PostgreSQL: opened in batches, changed one by one under a lock, every change with its events and jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import asyncpg
import msgspec

from channels.message import Inbound, Receipt
from hotline.deadlines import ZONE
from hotline.effects import Effects
from hotline.errors import KeyReused, NotFound, VersionConflict
from hotline.events import TicketEvent
from hotline.ids import TicketId, TicketNumber, ticket_number
from hotline.lifecycle import OPEN_STATES
from hotline.opening import Change, starts_anew
from hotline.ports import Continue, Decide, NewTicket, Stored
from hotline.store import rows
from hotline.store.database import statements
from hotline.store.jobs import Job, enqueue
from hotline.terms import Channel
from hotline.ticket import Ticket, replay

_SQL = statements("tickets")
_receipts = msgspec.json.Decoder(Receipt)
ID_BLOCK = 256
NUMBER_BLOCK = 100
CONVERSATION_WINDOW = timedelta(hours=2)


class TicketStore:
    """The tickets of one database. Reserves ids and numbers in blocks; a crash leaves gaps, never doubles."""

    def __init__(self, pool: asyncpg.Pool, *, prefix: str) -> None:
        self._pool = pool
        self._prefix = prefix
        self._ids: list[TicketId] = []
        self._numbers: dict[tuple[date, Channel], range] = {}

    # ── reserving ────────────────────────────────────────────────────────────────────────────────
    async def reserve(self, channels: Sequence[Channel], now: datetime) -> list[tuple[TicketId, TicketNumber]]:
        """Return an id and a number for each channel named."""
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
        """
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                fresh = await _open(connection, batch)
            if len(fresh) == len(batch):
                return [item.receipt for item in batch]
            first = await _first_receipts(connection, [item.inbound for item in batch if item.id not in fresh])
        return [
            item.receipt if item.id in fresh else _repeat(item.inbound, first[_key(item.inbound)])
            for item in batch
        ]

    async def converse(self, inbound: Inbound, opened: NewTicket, continued: Continue) -> Receipt | KeyReused:
        """Add a message to its conversation's open ticket, or open the ticket prepared for it.

        The conversation's row is held, so messages of one citizen that arrive together are taken one after the other.
        """
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                number = await _open_number(connection, inbound)
                if number is not None:
                    taken, receipt = await _continue(connection, number, inbound, continued)
                else:
                    taken, receipt = opened.id in await _open(connection, [opened]), opened.receipt
                    if taken:
                        await _point(connection, inbound, opened.id)
            if taken:
                return receipt
            first = await _first_receipts(connection, [inbound])
        return _repeat(inbound, first[_key(inbound)])

    async def continue_named(self, inbound: Inbound, number: TicketNumber, continued: Continue) -> Receipt | KeyReused:
        """Add a message to the ticket that the citizen names. Raises NotFound."""
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                taken, receipt = await _continue(connection, number, inbound, continued)
            if taken:
                return receipt
            first = await _first_receipts(connection, [inbound])
        return _repeat(inbound, first[_key(inbound)])

    # ── reading and changing ─────────────────────────────────────────────────────────────────────
    async def read(self, number: str) -> Stored:
        """Return a ticket. Raises NotFound."""
        found = await self._pool.fetch(_SQL["read"], number)
        if not found:
            raise NotFound(f"there is no ticket {number}")
        ticket = replay(rows.event_from(row["doc"]) for row in found)
        return Stored(id=TicketId(found[0]["id"]), code=found[0]["code"], ticket=ticket)

    async def history(self, id_: TicketId) -> list[TicketEvent]:
        """Return all events of a ticket in order."""
        return [rows.event_from(row["doc"]) for row in await self._pool.fetch(_SQL["history"], id_)]

    async def change(self, number: str, decide: Decide, *, expected_version: int | None = None) -> Ticket:
        """Change a ticket under its lock: `decide` sees the newest state, its change is written with events and jobs.

        Raises:
            NotFound: no such ticket.
            VersionConflict: the ticket has moved on since the caller looked (`expected_version`).
        """
        async with self._pool.acquire() as connection, connection.transaction():
            stored = await _lock(connection, number)
            version = stored.ticket.version
            if expected_version is not None and expected_version != version:
                raise VersionConflict(f"ticket {number} is at version {version}, you saw {expected_version}: reload")
            change, effects = decide(stored.ticket)
            await _write(connection, stored.id, change, effects)
            return change.ticket


# ── statements on a connection inside a transaction ──────────────────────────────────────────────
async def _open(connection: asyncpg.Connection, batch: Sequence[NewTicket]) -> set[TicketId]:
    inbox = [
        (i.inbound.channel, i.inbound.external_id, i.inbound.content_hash(), i.id, rows.to_json(i.receipt),
         i.inbound.received_at)
        for i in batch
    ]
    made = [rows.written(item.change) for item in batch]
    tickets = [
        rows.opening_row(item.id, item.code, item.change.ticket, one) for item, one in zip(batch, made, strict=True)
    ]
    events = [(item.id, *row) for item, one in zip(batch, made, strict=True) for row in one.events]
    rows.check_count(len(events))
    parameters = [*rows.columns(inbox, 6), *rows.columns(tickets, 20), *rows.columns(events, 8)]
    fresh = {TicketId(row["ticket_id"]) for row in await connection.fetch(_SQL["open"], *parameters)}
    now = batch[0].change.ticket.created_at
    await _set_going(connection, [(item.id, item.effects) for item in batch if item.id in fresh], now)
    await connection.execute("NOTIFY hotline_events")
    return fresh


async def _lock(connection: asyncpg.Connection, number: str) -> Stored:
    row = await connection.fetchrow(_SQL["lock"], number)
    if row is None:
        raise NotFound(f"there is no ticket {number}")
    # Read after the lock is held: another's events may have been committed while we waited for it.
    history = await connection.fetch(_SQL["history"], row["id"])
    ticket = replay(rows.event_from(event["doc"]) for event in history)
    return Stored(id=TicketId(row["id"]), code=row["code"], ticket=ticket)


async def _continue(
    connection: asyncpg.Connection, number: str, inbound: Inbound, continued: Continue
) -> tuple[bool, Receipt]:
    stored = await _lock(connection, number)
    change, receipt, effects = continued(stored.ticket)
    receipt = msgspec.structs.replace(receipt, code=stored.code)
    taken = await connection.fetchval(
        _SQL["keep_receipt"], inbound.channel, inbound.external_id, inbound.content_hash(), stored.id,
        rows.to_json(receipt), inbound.received_at,
    )
    if taken is None:
        return False, receipt
    await _write(connection, stored.id, change, effects)
    if inbound.conversation:
        await _point(connection, inbound, stored.id)
    return True, receipt


async def _write(connection: asyncpg.Connection, id_: TicketId, change: Change, effects: Effects) -> None:
    now = change.events[-1].at
    made = rows.written(change)
    await connection.execute(_SQL["append"], id_, *rows.columns(made.events, 7))
    await connection.execute(_SQL["update"], *rows.update_row(id_, change.ticket, made, now))
    await _set_going(connection, [(id_, effects)], now)
    await connection.execute("NOTIFY hotline_events")


async def _set_going(
    connection: asyncpg.Connection, effects: Sequence[tuple[TicketId, Effects]], now: datetime
) -> None:
    incidents = [(i.key, id_, rows.to_json(i.payload)) for id_, effect in effects for i in effect.incidents]
    if incidents:
        await connection.execute(_SQL["add_incidents"], *rows.columns(incidents, 3), now)
        await enqueue(connection, Job.PUSH_INCIDENT, [key for key, *_ in incidents])
    messages = [(m.key, m.channel, rows.to_json(m)) for _, effect in effects for m in effect.messages]
    if messages:
        new = await connection.fetch(_SQL["add_messages"], *rows.columns(messages, 3), now)
        await enqueue(connection, Job.SEND_MESSAGE, [row["key"] for row in new])


async def _open_number(connection: asyncpg.Connection, inbound: Inbound) -> TicketNumber | None:
    """Hold the conversation and return the number of the ticket that it continues, if any."""
    held = await connection.fetchrow(
        _SQL["hold_conversation"], inbound.channel, inbound.conversation, inbound.received_at
    )
    if held["ticket_id"] is None or starts_anew(inbound):
        return None
    if inbound.received_at - held["last_at"] > CONVERSATION_WINDOW:
        return None
    row = await connection.fetchrow("SELECT number, state FROM tickets WHERE id = $1", held["ticket_id"])
    return TicketNumber(row["number"]) if row["state"] in OPEN_STATES else None


async def _point(connection: asyncpg.Connection, inbound: Inbound, id_: TicketId) -> None:
    await connection.execute(
        _SQL["point_conversation"], inbound.channel, inbound.conversation, id_, inbound.received_at
    )


async def _first_receipts(
    connection: asyncpg.Connection, repeats: Sequence[Inbound]
) -> dict[tuple[str, str], tuple[bytes, Receipt]]:
    found = await connection.fetch(
        _SQL["first_receipts"], [i.channel for i in repeats], [i.external_id for i in repeats]
    )
    return {
        (row["channel"], row["external_id"]): (row["content_hash"], _receipts.decode(row["receipt"])) for row in found
    }


def _key(inbound: Inbound) -> tuple[str, str]:
    return inbound.channel.value, inbound.external_id


def _repeat(inbound: Inbound, first: tuple[bytes, Receipt]) -> Receipt | KeyReused:
    content_hash, receipt = first
    if content_hash != inbound.content_hash():
        return KeyReused(f"the key {inbound.external_id} was used before for another appeal: use a new key")
    return msgspec.structs.replace(receipt, repeat=True)
