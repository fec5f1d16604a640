"""Which ticket a further message belongs to, and adding it there, on a connection inside a transaction.

The citizen of a merged ticket speaks in the parent's matter, under their own number and code.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import asyncpg
import msgspec

from channels.message import Inbound, Receipt
from hotline.ids import TicketId, TicketNumber
from hotline.lifecycle import OPEN_STATES
from hotline.opening import starts_anew
from hotline.ports import Continue
from hotline.store import rows
from hotline.store.changes import lock, write
from hotline.store.database import statements
from hotline.store.sealing import blind
from hotline.terms import Channel

_SQL = statements("tickets")
CONVERSATION_WINDOW = timedelta(hours=2)


class Thread(NamedTuple):
    """Where a message goes: a ticket, or for a merged one (`own`: its id, number and code) the parent."""

    number: str
    own: tuple[TicketId, TicketNumber, str] | None = None


async def continue_thread(
    connection: asyncpg.Connection, thread: Thread, inbound: Inbound, continued: Continue
) -> tuple[bool, Receipt]:
    """Add a message to the ticket under its lock; return False where this delivery came before, and the receipt."""
    stored = await lock(connection, thread.number)
    # The citizen of a merged ticket keeps their own number and code: the parent's are somebody else's.
    id_, number, code = thread.own or (stored.id, stored.ticket.number, stored.code)
    change, receipt, effects = continued(stored.ticket, number if thread.own else None)
    receipt = msgspec.structs.replace(receipt, number=number, code=code)
    taken = await connection.fetchval(
        _SQL["keep_receipt"], inbound.channel, inbound.external_id, rows.content_hash(inbound), stored.id,
        rows.to_json(receipt), inbound.received_at,
    )
    if taken is None:
        return False, receipt
    await write(connection, [(stored.id, change, effects)])
    if inbound.conversation:
        await point(connection, inbound, id_)
    return True, receipt


async def conversation_of(connection: asyncpg.Connection, inbound: Inbound) -> Thread | None:
    """Hold the conversation and return the open ticket that it continues, if any."""
    held = await connection.fetchrow(
        _SQL["hold_conversation"], inbound.channel, _key(inbound), inbound.received_at
    )
    if held["ticket_id"] is None or starts_anew(inbound):
        return None
    if inbound.received_at - held["last_at"] > CONVERSATION_WINDOW:
        return None
    row = await connection.fetchrow(_SQL["thread_of"], held["ticket_id"], None)
    return _thread(row) if row["leading_state"] in OPEN_STATES else None


def _key(inbound: Inbound) -> str:
    """A chat's session is random; elsewhere a conversation is known by who speaks."""
    return inbound.conversation if inbound.channel is Channel.WEB else blind(inbound.conversation)


async def thread_of(connection: asyncpg.Connection, number: str) -> Thread:
    """Return where a message goes that names this ticket; one that does not exist names itself."""
    row = await connection.fetchrow(_SQL["thread_of"], None, number)
    return _thread(row) if row is not None else Thread(number)


def _thread(row: asyncpg.Record) -> Thread:
    if row["leading"] == row["number"]:
        return Thread(row["number"])
    return Thread(row["leading"], (TicketId(row["id"]), TicketNumber(row["number"]), row["code"]))


async def point(connection: asyncpg.Connection, inbound: Inbound, id_: TicketId) -> None:
    """Let the conversation go on in this ticket."""
    await connection.execute(
        _SQL["point_conversation"], inbound.channel, _key(inbound), id_, inbound.received_at
    )
