"""What hotlines and the community grid tell each other: a ticket handed over, and what becomes of it. JSON; pure.

One protocol in both directions. A hand-over is known to both sides by its `key`, which the origin makes; every update
names it and carries an `id` of its own, so that repeats are harmless. The signature covers the body, and the body
names everything, so nothing captured can be played on another ticket.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from channels.appeal_codec import Body, Line, decode_json
from channels.clean import MAX_TEXT, clean_line, required_text
from channels.message import Inbound
from channels.phone_number import normalize_phone
from hotline.appeal import Appeal, Citizen, Place
from hotline.errors import InvalidInput
from hotline.terms import Channel, Kind, Rating

MAX_MESSAGES = 100
Key = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[\x21-\x7e]+$")]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]


class Status(StrEnum):
    """What is told of a hand-over: `recalled` and `settled` by its origin, `message` by both, others by the holder."""

    ACCEPTED = "accepted"
    CONTACTED = "contacted"
    NEED_INFO = "need_info"
    OUTCOME = "outcome"
    RETURNED = "returned"
    MESSAGE = "message"
    RECALLED = "recalled"
    SETTLED = "settled"


class HandOver(Body, frozen=True, kw_only=True, omit_defaults=True):
    """A ticket handed over: the matter, and who may be called about it. `due` is when its origin has promised an end.

    `lat` and `lon` are degrees of GCJ-02. `happened_at` is when it happened, as it was told, `about` whom it concerns
    (被反映对象), `village` and `grid` (网格) say where within the town.

    `name` and `phone` are "" where the citizen is not to be known there (a confidential matter, 举报, the grid).
    """

    key: Key
    number: Key
    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
    title: Line = ""
    kind: Kind | None = None
    category: Line = ""
    town: Line = ""
    village: Line = ""
    grid: Line = ""
    address: Line = ""
    happened_at: Line = ""
    about: Line = ""
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    received_at: datetime | None = None
    due: datetime | None = None
    messages: Annotated[tuple[Text, ...], Meta(max_length=MAX_MESSAGES)] = ()
    confidential: bool = False
    name: Line = ""
    phone: Annotated[str, Meta(max_length=64)] = ""


def together(said: Sequence[str]) -> tuple[str, ...]:
    """Return what was said as messages of a hand-over: where it is more than these may be, the first stand in one."""
    first = max(0, len(said) - MAX_MESSAGES + 1)
    return tuple(said) if len(said) <= MAX_MESSAGES else ("\n".join(said[:first])[:MAX_TEXT], *said[first:])


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a hand-over: the number under which the neighbour has it."""

    number: str


class Update(Body, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a hand-over. `number` is the teller's ticket; `rating` and `solved` come with `settled`."""

    id: Key
    hand_over: Key
    number: Line
    status: Status
    text: Text = ""
    at: datetime
    rating: Rating | None = None
    solved: bool | None = None


_hand_over = msgspec.json.Decoder(HandOver)
_update = msgspec.json.Decoder(Update)
_taken = msgspec.json.Decoder(Taken)


def decode_hand_over(body: bytes) -> HandOver:
    """Return a hand-over; raises InvalidInput."""
    given = decode_json(_hand_over, body)
    if (given.lat is None) != (given.lon is None):
        raise InvalidInput("a place has both lat and lon, or neither")
    return given


def decode_update(body: bytes) -> Update:
    """Return an update; raises InvalidInput."""
    return decode_json(_update, body)


def decode_taken(body: bytes) -> Taken:
    """Return the answer to a hand-over; raises InvalidInput."""
    return decode_json(_taken, body)


def external_id(code: str, key: str) -> str:
    """Return how a delivery of a neighbour is known in the inbox."""
    return f"{code}:{key}"


def inbound_of(given: HandOver, *, code: str, now: datetime) -> Inbound:
    """Return a hand-over of the city `code` as a delivery. Raises InvalidInput.

    What the citizen added later stands below the appeal, so that triage judges all of it. The citizen's key in this
    channel is the hand-over: what becomes of the ticket is told to the city it came from.
    """
    text = "\n".join([given.text, *(f"[补充] {message}" for message in given.messages)])[:MAX_TEXT]
    phone = normalize_phone(given.phone) if given.phone else ""
    appeal = Appeal(
        text=required_text(text), title=clean_line(given.title, field="title"), kind=given.kind,
        citizen=Citizen(name=clean_line(given.name, field="name"), phone=phone, key=external_id(code, given.key)),
        place=Place(
            **{name: clean_line(getattr(given, name), field=name) for name in ("town", "village", "grid", "address")},
            lat=given.lat, lon=given.lon,
        ),
        happened_at=clean_line(given.happened_at, field="happened_at"), about=clean_line(given.about, field="about"),
        confidential=given.confidential,
    )
    return Inbound(
        channel=Channel.CITY, external_id=external_id(code, given.key), appeal=appeal, received_at=now, source=code
    )
