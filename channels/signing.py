"""Signed requests between 12345 and 110: `X-Signature` = hex HMAC-SHA256 over `timestamp + "." + body`. Pure.

`X-Timestamp` is in whole seconds since 1970; a request is good for `WINDOW` seconds to either side. Both directions
sign alike.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from hotline.errors import Unauthenticated

TIMESTAMP = "X-Timestamp"
SIGNATURE = "X-Signature"
WINDOW = 300


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature in lower-case hex."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed_headers(secret: str, body: bytes, *, now: datetime) -> dict[str, str]:
    """Return both headers for a body to be sent now."""
    timestamp = str(int(now.timestamp()))
    return {TIMESTAMP: timestamp, SIGNATURE: signature(secret, timestamp, body)}


def verify(secret: str, timestamp: str, given: str, body: bytes, *, now: datetime) -> str:
    """Return the checked signature in lower case, a nonce of this request.

    Raises:
        Unauthenticated: `bad_signature`, or `stale_timestamp` when the clocks differ or an old request comes again.
    """
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise Unauthenticated(f"{TIMESTAMP} must be whole seconds since 1970", error_id="stale_timestamp")
    expected = signature(secret, timestamp, body)
    if not hmac.compare_digest(given.strip().lower().encode(errors="replace"), expected.encode()):
        detail = f'{SIGNATURE} must be hex HMAC-SHA256 over {TIMESTAMP} + "." + body with the shared secret'
        raise Unauthenticated(detail, error_id="bad_signature")
    if abs(now.timestamp() - int(timestamp)) > WINDOW:
        detail = f"{TIMESTAMP} is more than {WINDOW} seconds off; sign anew and compare the clocks"
        raise Unauthenticated(detail, error_id="stale_timestamp")
    return expected
