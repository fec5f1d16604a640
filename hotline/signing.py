"""Signatures between us, 110 and the neighbours: HMAC-SHA256 over timestamp and body, fresh within a window."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from hotline.errors import Unauthenticated

WINDOW = timedelta(minutes=5)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256 over `timestamp` + "." + `body`. `timestamp` is in Unix seconds."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed_headers(secret: str, body: bytes, *, now: datetime) -> dict[str, str]:
    """Return both headers for a body to be sent now."""
    timestamp = str(int(now.timestamp()))
    return {"X-Timestamp": timestamp, "X-Signature": signature(secret, timestamp, body)}


def verify(secret: str, timestamp: str, given: str, body: bytes, *, now: datetime) -> None:
    """Raise Unauthenticated unless the signature is right and its time within five minutes of `now`."""
    if not secret:
        raise Unauthenticated("no secret is shared with 110: set police_secret")
    if not timestamp.isascii() or not timestamp.isdigit():
        raise Unauthenticated("X-Timestamp must be Unix seconds")
    expected = signature(secret, timestamp, body)
    if not hmac.compare_digest(expected.encode(), given.lower().encode(errors="replace")):
        raise Unauthenticated("X-Signature does not match: hex HMAC-SHA256 over timestamp, a dot, and the body")
    if abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        raise Unauthenticated("X-Timestamp is more than five minutes off: sign again, and check the clock")
