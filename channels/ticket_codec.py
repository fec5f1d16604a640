"""What a citizen sends about their ticket: messages, urges, ratings, withdrawals. JSON bytes → frozen values. Pure."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from channels.appeal_codec import MAX_ATTACHMENTS, AttachmentBody, Body, decode_json
from channels.clean import MAX_TEXT, clean_line, required_text
from hotline.errors import InvalidInput, NotFound
from hotline.ids import TicketNumber, is_ticket_number
from hotline.terms import Rating

MAX_NOTE = 1_000
Code = Annotated[str, Meta(max_length=32)]
Note = Annotated[str, Meta(max_length=MAX_NOTE)]


class MessageBody(Body, frozen=True):
    """More about the matter; `code` may stand in the query instead."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
    code: Code = ""
    attachments: Annotated[list[AttachmentBody], Meta(max_length=MAX_ATTACHMENTS)] | None = None


class UrgeBody(Body, frozen=True):
    """催办, with what the citizen wants to say, or without."""

    code: Code = ""
    note: Note | None = None


class RatingBody(Body, frozen=True):
    """好差评: five levels, and whether the matter is solved."""

    rating: Rating
    code: Code = ""
    solved: bool | None = None
    note: Note | None = None


class WithdrawalBody(Body, frozen=True):
    """撤单, with an optional reason."""

    code: Code = ""
    reason: Note | None = None


_message = msgspec.json.Decoder(MessageBody)
_urge = msgspec.json.Decoder(UrgeBody)
_rating = msgspec.json.Decoder(RatingBody)
_withdrawal = msgspec.json.Decoder(WithdrawalBody)


def decode_message(body: bytes) -> MessageBody:
    """Return the message with its text cleaned; raises InvalidInput."""
    given = decode_json(_message, body)
    return msgspec.structs.replace(given, text=required_text(given.text))


def decode_urge(body: bytes) -> UrgeBody:
    """Return the urge; raises InvalidInput."""
    given = decode_json(_urge, body or b"{}")
    return msgspec.structs.replace(given, note=clean_line(given.note, limit=MAX_NOTE, field="note"))


def decode_rating(body: bytes) -> RatingBody:
    """Return the rating; raises InvalidInput."""
    given = decode_json(_rating, body)
    return msgspec.structs.replace(given, note=clean_line(given.note, limit=MAX_NOTE, field="note"))


def decode_withdrawal(body: bytes) -> WithdrawalBody:
    """Return the withdrawal; raises InvalidInput."""
    given = decode_json(_withdrawal, body or b"{}")
    return msgspec.structs.replace(given, reason=clean_line(given.reason, limit=MAX_NOTE, field="reason"))


def number_of(text: str) -> TicketNumber:
    """Return a ticket number; raises NotFound for one that cannot exist (the check digit finds a misread one)."""
    if not is_ticket_number(text):
        raise NotFound("there is no such ticket number; compare it digit by digit")
    return TicketNumber(text)


def code_of(*given: str) -> str:
    """Return the query code from where it was given; raises InvalidInput when it is nowhere."""
    code = next((value for value in given if value), "")
    if not code:
        raise InvalidInput("the query code is missing; it was given with the ticket number")
    if len(code) > 32:
        raise InvalidInput("the query code is too long")
    return code
