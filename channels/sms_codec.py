"""What goes to a gateway for SMS, and to an app's push, as bytes. Pure; `channels.sms` sends it."""

from __future__ import annotations

import msgspec

from channels.message import Outbound
from channels.wording import words_of

LONGEST = 1_500
"""Bytes of UTF-8: about 500 characters, eight parts of an SMS."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request: one message to one telephone or one user of an app."""

    key: str
    to: str
    text: str
    number: str = ""


def encode(message: Outbound) -> bytes:
    """Return the body that carries a message, cut to what a gateway takes."""
    return msgspec.json.encode(Letter(
        key=message.key, to=message.to, text=words_of(message, LONGEST), number=message.number or "",
    ))


def decode(body: bytes) -> Letter:
    """Return a letter as the gateway reads it; raises msgspec.DecodeError."""
    return msgspec.json.decode(body, type=Letter)
