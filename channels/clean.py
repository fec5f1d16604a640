"""Texts and keys from outside, made safe to store: shared by the codecs.

NUL and lone surrogates cannot be stored in PostgreSQL, other control characters cannot be written as XML 1.0; none of
them means anything in an appeal, so they are dropped rather than refused.
"""

from __future__ import annotations

import re

from hotline.errors import InvalidInput

MAX_TEXT = 10_000
MAX_LINE = 200
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def clean(text: str) -> str:
    """Drop what cannot be stored, and white space at both ends; line ends become one newline."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSTORABLE.sub("", text).strip()


def clean_line(text: str | None, *, limit: int = MAX_LINE, field: str = "text") -> str:
    """Return one line of at most `limit` characters, "" for None; raises InvalidInput when longer."""
    if not text:
        return ""
    line = " ".join(clean(text).split())
    if len(line) > limit:
        raise InvalidInput(f"{field} has {len(line)} characters; at most {limit} are allowed", field=field)
    return line


def required_text(text: str, *, field: str = "text", limit: int = MAX_TEXT) -> str:
    """Return the cleaned text; raises InvalidInput when nothing is left of it or it is too long."""
    cleaned = clean(text)
    if not cleaned:
        raise InvalidInput(f"{field} is empty; say what the matter is", field=field)
    if len(cleaned) > limit:
        raise InvalidInput(f"{field} has {len(cleaned)} characters; at most {limit} are allowed", field=field)
    return cleaned


def check_key(key: str) -> str:
    """Return an idempotency key as it is; raises InvalidInput unless 1–200 printable ASCII characters, no spaces."""
    if _KEY.fullmatch(key) is None:
        raise InvalidInput("Idempotency-Key must be 1 to 200 printable ASCII characters without spaces")
    return key
