"""Which ticket a further message belongs to, and adding it there, on a connection inside a transaction.

The citizen of a merged ticket speaks in the parent's matter, under their own number and code.
"""

from __future__ import annotations

from typing import NamedTuple

import asyncpg
import msgspec

from channels.message import Inbound, Receipt
from hotline.errors import IllegalTransition, NotFound, Unavailable
from hotline.ids import TicketId, TicketNumber
from hotline.lifecycle import OPEN_STATES
from hotline.opening import starts_anew
from hotline.ports import Continue, Stored
from hotline.store import rows
from hotline.store.arrivals import fetch_media
from hotline.store.changes import lock, write
from hotline.store.conversations import WINDOW
from hotline.store.database import statements
from hotline.store.sealing import index_of
from hotline.terms import State

_SQL = statements("tickets")


class Thread(NamedTuple):
    """Where a message goes: a ticket, held as it is; for a merged one (`own`: its id, number and code) the parent."""

    stored: Stored
    own: tuple[TicketId, TicketNumber, str] | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still looks at what is added."""
        return self.stored.ticket.state in OPEN_STATES

    @property
    def owes_answer(self) -> bool:
        """Tell whether this citizen was asked something: who was merged into the ticket was asked nothing."""
        return self.own is None and self.stored.ticket.state is State.NEED_INFO


async def continue_thread(
    connection: asyncpg.Connection, thread: Thread, inbound: Inbound, continued: Continue
) -> tuple[bool, Receipt]:
    """Add a message to the ticket; return False where this delivery came before, and the receipt.

    Raises:
        IllegalTransition: the ticket is finished, and this delivery is new.
    """
    stored = thread.stored
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
    if not thread.is_open:  # asked last: what was taken while it was open is answered as it was
        raise IllegalTransition(f"ticket {number} is finished: send a new appeal")
    await write(connection, [(stored.id, change, effects)])
    await fetch_media(connection, [(number, inbound)])
    if inbound.conversation:
        await point(connection, inbound, id_)
    return True, receipt


class Moved(Exception):
    """The conversation went on in another ticket just before it could be held: look anew, in another transaction."""


async def conversation_of(connection: asyncpg.Connection, inbound: Inbound) -> Thread | None:
    """Hold the open ticket that the conversation continues, if any, and the conversation: tickets are held first.

    Raises:
        Moved. Unavailable, as `thread_of`.
    """
    who = inbound.channel, index_of(inbound.conversation)
    row = None if starts_anew(inbound) else await connection.fetchrow(_SQL["thread_of_conversation"], *who)
    thread = await _held(connection, row) if row is not None else None
    held = await connection.fetchrow(_SQL["hold_conversation"], *who, inbound.received_at)
    if starts_anew(inbound):
        return None
    if held["ticket_id"] != (row["id"] if row is not None else None):
        raise Moved
    quiet = inbound.received_at - held["last_at"] > WINDOW
    return thread if thread is not None and thread.is_open and (thread.owes_answer or not quiet) else None


async def thread_of(connection: asyncpg.Connection, number: str) -> Thread:
    """Hold the ticket that a message goes to which names this one.

    Raises:
        NotFound: there is no such ticket. Unavailable: it was merged in this moment; repeat the message.
    """
    row = await connection.fetchrow(_SQL["thread_of"], number)
    if row is None:
        raise NotFound(f"there is no ticket {number}")
    return await _held(connection, row)


async def _held(connection: asyncpg.Connection, row: asyncpg.Record) -> Thread:
    stored = await lock(connection, row["leading"])
    if stored.ticket.state is State.MERGED:
        # Its parent cannot be held now: families hold parent and child in the order of their ids.
        raise Unavailable(f"ticket {stored.ticket.number} was merged in this moment: please repeat the message")
    if row["leading"] == row["number"]:
        return Thread(stored)
    return Thread(stored, (TicketId(row["id"]), TicketNumber(row["number"]), row["code"]))


async def point(connection: asyncpg.Connection, inbound: Inbound, id_: TicketId) -> None:
    """Let the conversation go on in this ticket."""
    key = index_of(inbound.conversation)
    await connection.execute(_SQL["point_conversation"], inbound.channel, key, id_, inbound.received_at)
