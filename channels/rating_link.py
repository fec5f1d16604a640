"""The signed link with which a citizen rates without number and code. Pure.

A token is `number.expiry.signature`: the ticket's number, Unix seconds in base 36, and 128 bits of an HMAC-SHA256 over
both. It opens one thing for one ticket: how it stands, and rating it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from hotline.errors import NotFound
from hotline.ids import TicketNumber, is_ticket_number

VALID = timedelta(days=30)
PATH = "/r/"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_UNKNOWN = "this link is not valid (any more): look your ticket up by number and code"


def token_for(number: TicketNumber, *, now: datetime, key: bytes) -> str:
    """Return the token of a link that is valid for 30 days."""
    expiry = _base36(int((now + VALID).timestamp()))
    return f"{number}.{expiry}.{_signature(number, expiry, key)}"


def number_of(token: str, *, now: datetime, key: bytes) -> TicketNumber:
    """Return whose token it is. Raises NotFound for one that is made up, changed or over."""
    number, _, rest = token.partition(".")
    expiry, _, signature = rest.partition(".")
    expected = _signature(number, expiry, key)
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")) or not is_ticket_number(number):
        raise NotFound(_UNKNOWN)
    if now > datetime.fromtimestamp(int(expiry, 36), UTC):
        raise NotFound(_UNKNOWN)
    return TicketNumber(number)


def _signature(number: str, expiry: str, key: bytes) -> str:
    digest = hmac.new(key, f"rate|{number}|{expiry}".encode(errors="replace"), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _base36(value: int) -> str:
    digits = ""
    while value:
        value, digit = divmod(value, 36)
        digits = _DIGITS[digit] + digits
    return digits
