"""`POST /api/v1/appeals`: the JSON body → `Inbound`, `Receipt` → the answer. Pure; the hot path of the service.

Limits are in the types, so that msgspec checks them while it decodes and OpenAPI shows them. Unknown fields are
refused: a misspelt `phone` must not vanish without a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from channels.clean import MAX_LINE, MAX_TEXT, clean_line, required_text
from channels.datum import Datum, kept
from channels.message import Inbound, Receipt
from channels.phone_number import normalize_phone
from hotline import commands as c
from hotline.appeal import Appeal, Attachment, Citizen, Place
from hotline.errors import UNREADABLE, InvalidInput
from hotline.terms import Channel, Kind

Line = Annotated[str, Meta(max_length=MAX_LINE)]
MAX_ATTACHMENTS = 9


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of request bodies."""


class PlaceBody(Body, frozen=True):
    """Where it happened: town (镇街), grid (网格), address, degrees (both or none) of GCJ-02, or of WGS-84 where
    `datum` says so."""

    town: Line | None = None
    address: Line | None = None
    grid: Line | None = None
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    datum: Datum = Datum.GCJ02


class AttachmentBody(Body, frozen=True):
    """A file: either `key` as `POST /api/v1/attachments` answered it, or `data` in base64 with its name."""

    key: Annotated[str, Meta(max_length=MAX_LINE)] = ""
    name: Line = ""
    data: bytes = b""


class AppealBody(Body, frozen=True):
    """An appeal as a client sends it. Only `text` is needed.

    `company` (单位) and `id_document` (证件号) are the citizen's. `happened_at` is when it happened, an ISO time or
    words; `about` whom it concerns (被反映对象).
    """

    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
    title: Line | None = None
    kind: Kind | None = None
    name: Line | None = None
    phone: Annotated[str, Meta(max_length=64)] | None = None
    company: Line | None = None
    id_document: Annotated[str, Meta(max_length=64)] | None = None
    place: PlaceBody | None = None
    happened_at: Line | None = None
    about: Line | None = None
    confidential: bool | None = None
    attachments: Annotated[list[AttachmentBody], Meta(max_length=MAX_ATTACHMENTS)] | None = None


class AppealAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer after the commit. `expected_by` is null and `department` "" while a person decides."""

    number: str
    code: str
    status: str
    verdict: str
    category: str
    department: str
    expected_by: datetime | None


_PLACE = re.compile(r"at `\$\.(\w+)")
"""Where msgspec tells of a mistake."""
_decoder = msgspec.json.Decoder(AppealBody)
_encoder = msgspec.json.Encoder()


_T = TypeVar("_T")


def decode_json(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    """Decode or raise InvalidInput with the place of the mistake."""
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        found = _PLACE.search(str(error))
        field = found[1] if found else ""
        raise InvalidInput(f"the body is not as described in /openapi.json: {error}", field=field) from error


def decode_appeal(body: bytes) -> AppealBody:
    """Return the appeal; raises InvalidInput on anything else."""
    return decode_json(_decoder, body)


def place_of(body: PlaceBody | None) -> Place:
    """Return the place; raises InvalidInput when only one coordinate is given."""
    if body is None:
        return Place()
    if (body.lat is None) != (body.lon is None):
        raise InvalidInput("place needs both lat and lon, or neither", field="place")
    town, address = clean_line(body.town, field="town"), clean_line(body.address, field="address")
    grid = clean_line(body.grid, field="grid")
    if body.lat is None or body.lon is None:
        return Place(town=town, address=address, grid=grid)
    lat, lon = kept(body.lat, body.lon, body.datum)
    return Place(town=town, address=address, grid=grid, lat=lat, lon=lon)


def appeal_of(body: AppealBody, attachments: Sequence[Attachment] = ()) -> Appeal:
    """Return the appeal in the domain's words; the phone becomes E.164. Raises InvalidInput."""
    phone = normalize_phone(body.phone) if body.phone else ""
    return Appeal(
        text=required_text(body.text), title=clean_line(body.title, field="title"), kind=body.kind,
        citizen=_citizen(body, phone),
        place=place_of(body.place), confidential=bool(body.confidential), attachments=tuple(attachments),
        happened_at=clean_line(body.happened_at, field="happened_at"), about=clean_line(body.about, field="about"),
    )


def tidied(command: c.Command) -> c.Command:
    """Return a correction in the form in which appeals tell it, any other command as it is. Raises InvalidInput."""
    if not isinstance(command, c.Correct):
        return command
    lines = {
        field: clean_line(value, field=field) for field in ("happened_at", "about")
        if (value := getattr(command, field)) is not None
    }
    citizen = None if command.citizen is None else _tidied(command.citizen)
    place = None if command.place is None else _tidied_place(command.place)
    return msgspec.structs.replace(command, citizen=citizen, place=place, **lines)


def _tidied(told: Citizen) -> Citizen:
    if told.key:
        raise InvalidInput("what a channel knows a citizen by is not corrected", field="citizen")
    if any("*" in line for line in msgspec.structs.astuple(told)):
        raise InvalidInput("what is masked is not what they are called or reached by: give it whole", field="citizen")
    return msgspec.structs.replace(_citizen(told, normalize_phone(told.phone)), key="")


def _tidied_place(told: Place) -> Place:
    lines = {name: clean_line(getattr(told, name), field=name) for name in ("town", "village", "grid", "address")}
    if any("*" in line for line in lines.values()):
        raise InvalidInput("what is masked is not where it happened: give it whole", field="place")
    return msgspec.structs.replace(told, **lines)


def _citizen(told: AppealBody | Citizen, phone: str) -> Citizen:
    return Citizen(
        name=clean_line(told.name, field="name"), phone=phone, key=phone,
        company=clean_line(told.company, field="company"),
        id_document=clean_line(told.id_document, field="id_document"),
    )


def inbound_of(
    appeal: Appeal, *, client: str, key: str, now: datetime, source: str = ""
) -> Inbound:
    """Return the delivery of an appeal through the API.

    Args:
        client: name of the app's token, "" for the web page; clients never share keys.
        key: its `Idempotency-Key`.
        source: for the audit; the client's name where not given.
    """
    channel = Channel.APP if client else Channel.WEB
    return Inbound(
        channel=channel, external_id=external_id(client, key), appeal=appeal, received_at=now, source=source or client
    )


def external_id(client: str, key: str) -> str:
    """Return the delivery's identity within its channel."""
    return f"api:{client}:{key}"


def answer_of(receipt: Receipt) -> AppealAnswer:
    """Return what the citizen is told; the same for a repeat."""
    return AppealAnswer(
        number=receipt.number, code=receipt.code, status=receipt.status, verdict=receipt.verdict,
        category=receipt.category, department=receipt.department, expected_by=receipt.expected_by,
    )


def encode_answer(receipt: Receipt) -> bytes:
    """Return the JSON answer."""
    return _encoder.encode(answer_of(receipt))
