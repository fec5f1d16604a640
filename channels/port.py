"""What the channels ask of the core. `hotline.service` implements it; tests have a second one in memory.

Everything that crosses is a frozen value of the domain; nothing here knows HTTP, XML or a database. Errors are those
of `hotline.errors`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from channels.message import Inbound, Receipt
from channels.views import ChatLine, ChatStanding, Look, Progress, PublicTicket, RequestFilter, Step
from hotline.appeal import Attachment, Place
from hotline.errors import IllegalTransition
from hotline.ids import TicketNumber
from hotline.terms import Channel, Rating

__all__ = [
    "AppealPort", "AttachmentPort", "ChannelPort", "ChatLine", "ChatPort", "ChatStanding", "PolicePort", "Progress",
    "PublicTicket", "RatingPort", "RequestFilter", "SimilarPort", "Step", "TicketPort", "submitted",
]


class AppealPort(Protocol):
    """Appeals in, receipts out."""

    def now(self) -> datetime:
        """Return the present moment with a zone."""
        ...

    async def submit(self, inbound: Inbound) -> Receipt:
        """Take an appeal; return after the commit. A repeat gets the first receipt, with `repeat` set.

        Raises:
            KeyReused: the same external id came with other content.
            Overloaded: the service is full; nothing was kept.
            InvalidInput: the core finds it wrong (an unknown attachment, `continues` unknown …).
            RateLimited: too many from this source.
        """
        ...

    def spool(self, inbound: Inbound) -> None:
        """Put `inbound` safely on disk (fsynced): it is submitted later, the citizen told by an `Outbound`."""
        ...

    async def find(self, channel: Channel, external_id: str) -> Receipt | None:
        """Return the receipt of a delivery, None where it is not (yet) known."""
        ...

    async def first_seen(self, key: str, *, within: timedelta) -> datetime:
        """Return when `key` was first seen, starting anew once that is longer ago than `within`.

        Atomic among processes: of many parallel calls all get the same moment. With it a channel without
        idempotency keys makes one.
        """
        ...


async def submitted(submit: Callable[[Inbound], Awaitable[Receipt]], inbound: Inbound) -> Receipt:
    """Submit what a citizen says; of a ticket that has ended meanwhile it is a matter of its own."""
    try:
        return await submit(inbound)
    except IllegalTransition:
        if inbound.continues is None:
            raise
        return await submit(inbound.anew())


class AttachmentPort(Protocol):
    """Files of citizens, outside the web root."""

    async def store_attachment(self, data: bytes, name: str) -> Attachment:
        """Keep a file and describe it with `channels.attachments.describe`; raises InvalidInput as that does."""
        ...

    async def attachment(self, key: str) -> Attachment:
        """Return what was stored under `key`, by no name of anybody's; raises NotFound."""
        ...


class TicketPort(Protocol):
    """What a citizen may do with a ticket by number and code; NotFound for an unknown number and a wrong code alike."""

    async def progress(self, number: TicketNumber, code: str) -> Progress:
        """Return how the ticket stands."""
        ...

    async def supplement(
        self, number: TicketNumber, code: str, text: str, attachments: Sequence[Attachment], key: str
    ) -> Receipt:
        """Add to a ticket; `key` makes a repeat harmless. Raises IllegalTransition when the ticket is over."""
        ...

    async def urge(self, number: TicketNumber, code: str, note: str) -> None:
        """催办; of a merged ticket its parent is urged.

        Raises:
            IllegalTransition: the matter is over.
            RateLimited: it was urged less than a day ago; says when it may be again.
        """
        ...

    async def withdraw(self, number: TicketNumber, code: str, reason: str) -> None:
        """撤单. Raises IllegalTransition where the state does not allow it; a repeat does nothing."""
        ...

    async def rate(self, number: TicketNumber, code: str, rating: Rating, solved: bool | None, note: str) -> None:
        """好差评. Raises IllegalTransition before there is an answer to rate."""
        ...

    async def requests(self, wanted: RequestFilter) -> list[PublicTicket]:
        """Return public tickets, the newest first."""
        ...


class RatingPort(Protocol):
    """What a citizen may do who comes with a signed link; NotFound for a link that is not valid."""

    async def linked(self, token: str) -> Progress:
        """Return how the link's ticket stands."""
        ...

    async def rate_linked(self, token: str, rating: Rating, solved: bool | None, note: str) -> Progress:
        """好差评; return how the ticket stands after it. Raises IllegalTransition before there is an answer."""
        ...


class ChatPort(Protocol):
    """The durable record of chats, shared by all processes."""

    async def chat_add(self, session: str, key: str, author: str, text: str) -> ChatLine:
        """Append a line and number it; a repeat of `key` returns the line that is there."""
        ...

    async def chat_since(self, sessions: dict[str, int]) -> list[ChatLine]:
        """Return lines above each session's `seq`, at most 200 of each, ordered by session and seq: one query."""
        ...


    async def chat_standings(self, sessions: Sequence[str]) -> list[ChatStanding]:
        """Return how chats stand; none for a session in which nothing was said. One query."""
        ...


class SimilarPort(Protocol):
    """What others have reported already, and joining them."""

    async def look(self, text: str, place: Place) -> Look:
        """Return what can be told of an appeal before it is sent; empty while the service has no time for it."""
        ...

    async def join(self, number: TicketNumber, inbound: Inbound) -> tuple[Receipt, bool]:
        """Take an appeal of its own number and code and merge it into an open public ticket.

        Returns:
            The receipt, and whether it was merged: if the ticket is finished, or less urgent than the new one, the
            appeal stands by itself.

        Raises:
            NotFound: there is no public ticket with this number. The others as `AppealPort.submit`.
        """
        ...


class PolicePort(Protocol):
    """Replay protection for signed requests."""

    async def take_nonce(self, nonce: str, holder: str) -> bool:
        """Take a nonce for `holder`; True if it was free or is `holder`'s already (a retry), False for others.

        Kept for at least twice the window of timestamps (10 minutes).
        """
        ...


class ChannelPort(AppealPort, AttachmentPort, TicketPort, ChatPort, PolicePort, Protocol):
    """All of it. An adapter asks for the smallest part that it needs."""
