"""What the city's portal (一体化政务服务, 粤省事) asks on a citizen's behalf. JSON; pure.

The portal has verified who the citizen is, by real name and phone, and says so in every signed body. Personal data
stands in bodies only, never in addresses, so that no log of addresses holds any.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from channels.appeal_codec import AppealBody, Body, Line, appeal_of, decode_json
from channels.clean import MAX_LINE, clean_line
from channels.message import Inbound
from channels.phone_number import normalize_phone
from channels.ticket_codec import number_of
from hotline.appeal import Attachment
from hotline.ids import TicketNumber
from hotline.terms import Channel, Rating

Key = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[\x21-\x7e]+$")]
Text = Annotated[str, Meta(max_length=10_000)]


class PortalCitizen(Body, frozen=True, kw_only=True):
    """Who it is: the portal's own lasting id, and the verified name and phone ("" where the person has none)."""

    id: Key
    name: Line = ""
    phone: Annotated[str, Meta(max_length=64)] = ""


class PortalAppeal(Body, frozen=True, kw_only=True):
    """An appeal; `key` makes a repeat harmless. Name and phone are the citizen's unless the appeal has its own."""

    citizen: PortalCitizen
    key: Key
    appeal: AppealBody


class Mine(Body, frozen=True, kw_only=True):
    """Ask for the citizen's tickets, newest first; `cursor` is `next` of the page before."""

    citizen: PortalCitizen
    cursor: Annotated[str, Meta(max_length=64)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class OfTicket(Body, frozen=True, kw_only=True):
    """Ask how one of the citizen's tickets stands."""

    citizen: PortalCitizen
    number: Line


class PortalMessage(OfTicket, frozen=True, kw_only=True):
    """Add to a ticket."""

    key: Key
    text: Text


class PortalRating(OfTicket, frozen=True, kw_only=True):
    """好差评."""

    rating: Rating
    solved: bool | None = None
    note: Annotated[str, Meta(max_length=1000)] = ""


class PortalWithdrawal(OfTicket, frozen=True, kw_only=True):
    """撤单."""

    reason: Annotated[str, Meta(max_length=1000)] = ""


class MyTicket(msgspec.Struct, frozen=True, kw_only=True):
    """One of the citizen's tickets in a list; `status` is a lifecycle state, `status_label` its Chinese word."""

    number: str
    status: str
    status_label: str
    title: str
    category: str
    department: str
    created_at: datetime


class MyTickets(msgspec.Struct, frozen=True, kw_only=True):
    """A page; `next` asks for the one after, "" at the end."""

    tickets: tuple[MyTicket, ...]
    next: str = ""


T = TypeVar("T")
_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind)
    for kind in (PortalAppeal, Mine, OfTicket, PortalMessage, PortalRating, PortalWithdrawal)
}


def decode(body: bytes, kind: type[T]) -> T:
    """Return what the portal asks; raises InvalidInput."""
    asked: T = decode_json(_DECODERS[kind], body)
    return asked


def phone_of(citizen: PortalCitizen) -> str:
    """Return the verified phone in E.164 form, "" without; raises InvalidInput."""
    return normalize_phone(citizen.phone) if citizen.phone else ""


def ticket_number_of(asked: OfTicket) -> TicketNumber:
    """Return the number asked for; raises NotFound for one that cannot exist."""
    return number_of(asked.number)


def inbound_of(given: PortalAppeal, files: tuple[Attachment, ...], *, now: datetime) -> Inbound:
    """Return an appeal as a delivery; raises InvalidInput."""
    appeal = appeal_of(given.appeal, files)
    citizen = msgspec.structs.replace(
        appeal.citizen, key=f"portal:{given.citizen.id}", phone=appeal.citizen.phone or phone_of(given.citizen),
        name=appeal.citizen.name or clean_line(given.citizen.name, limit=MAX_LINE, field="name"),
    )
    return Inbound(
        channel=Channel.PORTAL, external_id=f"{given.citizen.id}:{given.key}", received_at=now, source="portal",
        appeal=msgspec.structs.replace(appeal, citizen=citizen),
    )
