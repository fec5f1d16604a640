"""Deliveries and the tickets they open, on a connection inside a transaction: each delivery counts once."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from channels.message import Inbound, Receipt
from hotline.errors import KeyReused
from hotline.ids import TicketId, TicketNumber
from hotline.media import media_of
from hotline.ports import NewTicket
from hotline.store import rows
from hotline.store.changes import set_going
from hotline.store.database import statements
from hotline.store.jobs import Job, enqueue
from hotline.store.uploads import attached, claim

_SQL = statements("tickets")
_receipts = msgspec.json.Decoder(Receipt)


async def open_all(connection: asyncpg.Connection, batch: Sequence[NewTicket]) -> set[TicketId]:
    """Write the tickets whose delivery is new, in one statement; return their ids."""
    inbox = [
        (i.inbound.channel, i.inbound.external_id, rows.content_hash(i.inbound), i.id, rows.to_json(i.receipt),
         i.inbound.received_at)
        for i in batch
    ]
    made = [rows.written(item.change) for item in batch]
    tickets = [
        rows.opening_row(item.id, item.code, item.change.ticket, one) for item, one in zip(batch, made, strict=True)
    ]
    events = [(item.id, *row) for item, one in zip(batch, made, strict=True) for row in one.events]
    rows.check_count(len(events))
    parameters = [*rows.columns(inbox, 6), *rows.columns(tickets, 21), *rows.columns(events, 9)]
    fresh = {TicketId(row["ticket_id"]) for row in await connection.fetch(_SQL["open"], *parameters)}
    await claim(connection, attached(event for item in batch if item.id in fresh for event in item.change.events))
    now = batch[0].change.ticket.created_at
    await set_going(connection, [(item.id, item.effects) for item in batch if item.id in fresh], now)
    await fetch_media(connection, [(item.receipt.number, item.inbound) for item in batch if item.id in fresh])
    return fresh


async def fetch_media(connection: asyncpg.Connection, taken: Sequence[tuple[TicketNumber, Inbound]]) -> None:
    """Have the files of new deliveries fetched that still lie at their channel."""
    await enqueue(connection, Job.FETCH_MEDIA, [one for number, inbound in taken for one in media_of(number, inbound)])


async def first_receipts(
    connection: asyncpg.Connection, repeats: Sequence[Inbound]
) -> dict[tuple[str, str], tuple[bytes, Receipt]]:
    """Return what was answered to deliveries that came before, with the hash of their content."""
    found = await connection.fetch(
        _SQL["first_receipts"], [i.channel for i in repeats], [i.external_id for i in repeats]
    )
    return {
        (row["channel"], row["external_id"]): (row["content_hash"], _receipts.decode(row["receipt"])) for row in found
    }


def delivery_of(inbound: Inbound) -> tuple[str, str]:
    """Return what identifies a delivery: channel and external id."""
    return inbound.channel.value, inbound.external_id


def repeated(inbound: Inbound, first: tuple[bytes, Receipt]) -> Receipt | KeyReused:
    """Return the first answer again, or KeyReused where the content differs."""
    content_hash, receipt = first
    if content_hash != rows.content_hash(inbound):
        return KeyReused(f"the key {inbound.external_id} was used before for another appeal: use a new key")
    return msgspec.structs.replace(receipt, repeat=True)
