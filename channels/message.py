"""The two shapes that every channel speaks: `Inbound` from a citizen, `Outbound` to one."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from hotline.appeal import Appeal, Category
from hotline.ids import TicketNumber
from hotline.terms import Channel


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """One message from a citizen, translated.

    Attributes:
        external_id: the delivery's identity within its channel; a repeat carries the same one and gets the first
            answer (WeChat MsgId, `Idempotency-Key` with the client's name before it, …).
        conversation: where given, a message of a conversation (a WeChat open id, a chat session): within its window, or
            where it answers our question, it continues the conversation's open ticket instead of opening another.
        continues: the ticket that the citizen names, when supplementing it by number and code.
        source: who delivered it on the channel's behalf (the app token's name), for the audit.
        category: the matter, where the citizen chose it from a list of the city's categories.
        person: the citizen wants a person to look at it: the machine dispatches nothing by itself.
    """

    channel: Channel
    external_id: str
    appeal: Appeal
    received_at: datetime
    conversation: str = ""
    continues: TicketNumber | None = None
    source: str = ""
    category: Category | None = None
    person: bool = False

    def anew(self) -> Inbound:
        """Return the message as one of its sender's conversation, where the ticket that it named has ended."""
        return msgspec.structs.replace(self, continues=None, conversation=self.appeal.citizen.key)

    def content_hash(self) -> bytes:
        """Return 16 bytes that change when the content does: a key reused with other content is refused."""
        appeal = self.appeal
        if self.channel is Channel.POLICE and appeal.citizen.key.startswith("key:"):
            # It repeats the delivery's key; processes of before 2026-11-22 did not put it there.
            appeal = msgspec.structs.replace(appeal, citizen=msgspec.structs.replace(appeal.citizen, key=""))
        return hashlib.blake2b(msgspec.msgpack.encode(appeal), digest_size=16).digest()


class Outbound(msgspec.Struct, frozen=True, kw_only=True):
    """One message to a citizen. `key` is the idempotency key that survives retries and restarts.

    Attributes:
        channel: CALL is the telephone network: an SMS.
        rating: a signed link to rate is added when it is sent.
        link: that link; it stands after the text, however short that has to be cut for it.
        asks: what the citizen says next in their conversation answers it, and belongs to the ticket.
        phone: where an SMS goes if the channel cannot deliver; "" for nowhere.
    """

    channel: Channel
    key: str
    to: str
    text: str
    number: TicketNumber | None = None
    rating: bool = False
    link: str = ""
    asks: bool = False
    phone: str = ""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an `Inbound`, after the commit. `repeat` marks the first answer given again.

    `expected_by` is when the citizen may expect completion; `department` is "" while a person decides;
    `continued` tells that the message joined an existing ticket.
    """

    number: TicketNumber
    code: str
    status: str
    verdict: str
    category: str
    department: str
    expected_by: datetime | None
    repeat: bool = False
    continued: bool = False
