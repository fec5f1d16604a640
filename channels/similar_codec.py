"""What a citizen asks before sending, and how they join a report: JSON bytes → frozen values. Pure."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from channels.appeal_codec import AppealAnswer, AppealBody, Body, PlaceBody, answer_of, decode_json
from channels.clean import MAX_TEXT, clean
from channels.message import Receipt
from hotline.ids import TicketNumber


class LookBody(Body, frozen=True):
    """What would be sent: words, place, or both."""

    text: Annotated[str, Meta(max_length=MAX_TEXT)] = ""
    place: PlaceBody | None = None


class JoinBody(AppealBody, frozen=True):
    """As an appeal; `text` is what the citizen adds, "" for nothing."""

    text: Annotated[str, Meta(max_length=MAX_TEXT)] = ""


class JoinAnswer(AppealAnswer, frozen=True, kw_only=True):
    """As of an appeal; `joined` is false where it stands by itself after all."""

    joined: bool


class Towns(msgspec.Struct, frozen=True, kw_only=True):
    """The city, and its towns and parks (镇街、园区) as the dispatch directory names them."""

    city: str
    towns: tuple[str, ...]


_look = msgspec.json.Decoder(LookBody)
_join = msgspec.json.Decoder(JoinBody)


def decode_look(body: bytes) -> LookBody:
    """Return the question with its text cleaned; raises InvalidInput."""
    given = decode_json(_look, body)
    return msgspec.structs.replace(given, text=clean(given.text))


def decode_join(body: bytes, number: TicketNumber) -> JoinBody:
    """Return the appeal of who joins; without words of their own it says what they join. Raises InvalidInput."""
    given = decode_json(_join, body)
    return msgspec.structs.replace(given, text=clean(given.text) or f"我也遇到工单{number}反映的同样问题")


def join_answer(receipt: Receipt, *, joined: bool) -> JoinAnswer:
    """Return what the citizen is told."""
    return JoinAnswer(**msgspec.structs.asdict(answer_of(receipt)), joined=joined)
