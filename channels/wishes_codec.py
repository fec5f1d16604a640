"""Micro-wishes (民生大莞家 微心愿): the platform's words, and what the public sees. JSON; pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from channels.appeal_codec import AppealBody, Body, Line, appeal_of, decode_json
from channels.clean import clean_line
from channels.message import Inbound
from hotline import commands as c
from hotline.errors import InvalidInput
from hotline.lifecycle import OPEN_STATES
from hotline.terms import Channel, Kind
from hotline.ticket import Ticket
from hotline.wish import PledgeState, WishState

Key = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[\x21-\x7e]+$")]
_NOTE = 500
Note = Annotated[str, Meta(max_length=_NOTE)]


class WishBody(Body, frozen=True, kw_only=True):
    """A wish that came to the platform; `key` is the platform's own, a repeat of it gets the first answer."""

    key: Key
    wish: AppealBody


class PledgeBody(Body, frozen=True, kw_only=True):
    """A donor promises something; `key` is the platform's, `number` the wish once more: only bodies are signed."""

    number: Line
    key: Key
    donor: Annotated[str, Meta(min_length=1, max_length=200)]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    contact: Line = ""
    note: Note = ""


class PledgeEnd(Body, frozen=True, kw_only=True):
    """What became of a pledge: it was `delivered`, or `cancelled`."""

    number: Line
    key: Key
    state: Annotated[str, Meta(pattern="^(delivered|cancelled)$")]
    note: Note = ""


class PublicPledge(msgspec.Struct, frozen=True, kw_only=True):
    """A donor as the public sees them: 王*."""

    donor: str
    quantity: int
    state: PledgeState


class PublicWish(msgspec.Struct, frozen=True, kw_only=True):
    """A wish as anybody may see it: what staff have published, and how far it has come."""

    number: str
    title: str
    needed: int
    unit: str
    promised: int
    delivered: int
    state: WishState
    town: str
    created_at: datetime
    pledges: tuple[PublicPledge, ...] = ()


class PublicWishes(msgspec.Struct, frozen=True, kw_only=True):
    """A page; `next` asks for the one after, "" at the end."""

    wishes: tuple[PublicWish, ...]
    next: str = ""


_wish = msgspec.json.Decoder(WishBody)
_pledge = msgspec.json.Decoder(PledgeBody)
_end = msgspec.json.Decoder(PledgeEnd)


def _check_number(given: str, number: str) -> None:
    if given != number:
        raise InvalidInput("number in the body must be the number in the path: only the body is signed")


def decode_wish(body: bytes, *, now: datetime) -> Inbound:
    """Return a wish as a delivery; raises InvalidInput."""
    given = decode_json(_wish, body)
    appeal = msgspec.structs.replace(appeal_of(given.wish), kind=Kind.WISH)
    citizen = msgspec.structs.replace(appeal.citizen, key=f"wish:{given.key}")
    return Inbound(
        channel=Channel.PORTAL, external_id=f"wish:{given.key}", received_at=now, source="wishes",
        appeal=msgspec.structs.replace(appeal, citizen=citizen),
    )


def decode_pledge(body: bytes, number: str) -> c.PledgeWish:
    """Return a donor's promise as a command; raises InvalidInput."""
    given = decode_json(_pledge, body)
    _check_number(given.number, number)
    return c.PledgeWish(
        pledge=given.key, donor=clean_line(given.donor, field="donor"), quantity=given.quantity,
        contact=clean_line(given.contact, field="contact"), note=clean_line(given.note, limit=_NOTE, field="note"),
    )


def decode_end(body: bytes, number: str) -> c.DeliverWish | c.CancelPledge:
    """Return what became of a promise as a command; raises InvalidInput."""
    given = decode_json(_end, body)
    _check_number(given.number, number)
    note = clean_line(given.note, limit=_NOTE, field="note")
    if given.state == "delivered":
        return c.DeliverWish(pledge=given.key, note=note)
    return c.CancelPledge(pledge=given.key, reason=note)


def public_of(ticket: Ticket) -> PublicWish | None:
    """Return what the public sees of a wish, None of one that is not, or no longer, published.

    Nobody can promise anything to a ticket that is over (withdrawn, say): only what came true is shown on.
    """
    wish = ticket.wish
    if wish is None or not wish.published or ticket.appeal.confidential:
        return None
    if ticket.state not in OPEN_STATES and wish.state is not WishState.FULFILLED:
        return None
    return PublicWish(
        number=ticket.number, title=wish.title, needed=wish.needed, unit=wish.unit, promised=wish.promised,
        delivered=wish.delivered, state=wish.state, town=ticket.town, created_at=ticket.created_at,
        pledges=tuple(
            PublicPledge(donor=f"{pledge.donor[:1]}*", quantity=pledge.quantity, state=pledge.state)
            for pledge in wish.pledges if pledge.state is not PledgeState.CANCELLED
        ),
    )
