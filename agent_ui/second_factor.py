"""The second factor: TOTP (RFC 6238, six digits, 30 seconds) as every authenticator app knows it, and recovery codes.

A code counts once: the step it belongs to is kept, and only later ones are taken. One step of clock skew either way.
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP = 30
SKEW = 1
SECRET_BYTES = 20
RECOVERY_CODES = 10


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, 6, SHA1(), STEP)  # noqa: S303  # nosec B303 - RFC 6238, as apps know it


def code_at(secret: bytes, moment: datetime) -> str:
    """Return the code of a moment."""
    return _totp(secret).generate(int(moment.timestamp())).decode()


def step_of(secret: bytes, code: str, moment: datetime, *, after: int) -> int | None:
    """Return the step a code belongs to, None where it is wrong or its step is not later than `after`."""
    now, found = int(moment.timestamp()) // STEP, None
    for step in range(now - SKEW, now + SKEW + 1):
        right = hmac.compare_digest(_totp(secret).generate(step * STEP), code.encode(errors="replace"))
        if right and step > after:
            found = step
    return found


def otpauth(secret: bytes, *, name: str, issuer: str) -> str:
    """Return the address that an authenticator app reads as a QR code."""
    return _totp(secret).get_provisioning_uri(name, issuer)


def readable(secret: bytes) -> str:
    """Return the secret as people type it, in fours."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def recovery_code(random: bytes) -> str:
    """Return ten random bytes as a recovery code such as `mfrg-gzdf-mztw-q2lk`."""
    text = base64.b32encode(random).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def plain_code(given: str) -> str:
    """Return a code without what people type between its characters."""
    return "".join(character for character in given.lower() if character.isalnum())
