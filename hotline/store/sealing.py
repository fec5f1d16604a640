"""Sealing of what the database keeps. The key ring of a process is set once, where the process is put together.

What is sealed: the private part of events (`hotline.privacy`), messages, incidents, parcels, callbacks, calls under
way, numbers to be dialled, lines of chats, transcripts, and the secrets of units and of second factors. Look-ups go by
blind indexes.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import Any

import msgspec

from channels.message import Outbound
from hotline.errors import Unavailable
from hotline.keyring import KeyRing, key_of
from hotline.terms import Service
from routing.call_orders import CallOrder

_encoder = msgspec.json.Encoder()
_used: list[KeyRing] = []
_LEAST = 33  # format, key, nonce and tag


class _Sealed(msgspec.Struct, frozen=True):
    """A sealed document as JSON."""

    sealed: bytes


_documents = msgspec.json.Decoder(_Sealed)


def use(ring: KeyRing) -> None:
    """Let this process seal and open with these keys from now on."""
    _used[:] = [ring]


def in_use() -> KeyRing | None:
    """Return the keys of this process, None where none were set."""
    return _used[0] if _used else None


def ring() -> KeyRing:
    """Return the keys of this process. Raises Unavailable where none were set."""
    if not _used:
        raise Unavailable("this process has no keys: what is sealed cannot be read or written", error_id="no_keys")
    return _used[0]


def blind(text: str) -> str:
    """Return what a phone, or a channel's key of a citizen, is looked up by; "" for ""."""
    return ring().blind(text)


def index_of(key: str) -> str:
    """Return what a citizen or a conversation is looked up by; what stands for a chat's session is a hash: it stays."""
    return key if key.startswith("chat:") else blind(key)


def seal_text(text: str, *, context: str) -> str:
    """Seal a secret that stands in a text column, "" for "". `context` names its place: the same to open it."""
    return b64encode(ring().seal(text.encode(), context=context.encode())).decode() if text else ""


def open_text(sealed: str, *, context: str) -> str:
    """Open what `seal_text` made. Raises hotline.keyring.Damaged."""
    return ring().open(b64decode(sealed), context=context.encode()).decode() if sealed else ""


def seal_document(value: Any, *, context: str) -> str:
    """Return a value as a JSON document that only keys open: `{"sealed": "…"}`."""
    sealed = ring().seal(_encoder.encode(value), context=context.encode())
    return f'{{"sealed":"{b64encode(sealed).decode()}"}}'


def is_sealed(text: str) -> bool:
    """Tell whether `seal_text` made this: what people write is not base64 of a known format."""
    try:
        sealed = b64decode(text, validate=True)
    except ValueError:
        return False
    return bool(key_of(sealed)) and len(sealed) > _LEAST


def line_of(row: Any) -> str:
    """Return what was said, from a row of `chat_lines` with session, key and text; older rows have it in clear."""
    text: str = row["text"]
    return open_text(text, context=f"chat {row['session']} {row['key']}") if is_sealed(text) else text


def words_of(row: Any) -> str:
    """Return what was heard, from a row of `transcripts` with call, n and text; older rows have it in clear."""
    text: str = row["text"]
    return open_text(text, context=f"words {row['call']} {row['n']}") if is_sealed(text) else text


def caller_of(row: Any) -> str:
    """Return who called, from a row of `calls` with id, caller and caller_sealed."""
    sealed = row["caller_sealed"]
    return open_text(sealed, context=f"caller {row['id']}") if sealed else row["caller"]


def sealed_message(message: Outbound) -> str:
    """Return a message to a citizen as `outbox` holds it."""
    return seal_document(message, context=f"message {message.key}")


def sealed_order(order: CallOrder) -> CallOrder:
    """Return an order as it is kept: who is rung by a number is for nobody to read there. The desks' are known."""
    if order.to in set(Service) or not re.match(r"[\s(（]*\+?[0-9０-９]", order.to):
        return order
    return msgspec.structs.replace(order, to=seal_text(order.to, context=f"order {order.call}"))


def opened_order(order: CallOrder) -> CallOrder:
    """Return it as it was asked; one of an older process is in clear."""
    if not is_sealed(order.to):
        return order
    return msgspec.structs.replace(order, to=open_text(order.to, context=f"order {order.call}"))


def open_document(text: str, *, context: str) -> bytes:
    """Return the JSON that `seal_document` was given. Raises hotline.keyring.Damaged."""
    return ring().open(_documents.decode(text).sealed, context=context.encode())
