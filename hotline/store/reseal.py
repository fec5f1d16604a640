"""Sealing anew what older keys have sealed, batch by batch, with the service running.

Each value is replaced only if it is still the one that was read: what was erased meanwhile stays erased.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import asyncpg
import msgspec

from hotline.keyring import KeyRing, key_of
from hotline.store.database import statements
from hotline.store.keys import rotation_to
from hotline.store.sealing import is_sealed

_SQL = statements("reseal")
BATCH = 500
Step = Callable[[int], object]
Noted = Callable[[Any], Awaitable[None]]
"""Keeps the last key that was looked at."""


async def _nowhere(after: Any) -> None:
    """For places that are small enough to be looked at again."""


class _Place(NamedTuple):
    """Where sealed values stand, by its statements. `context` tells from a row what they are sealed to."""

    page: str
    put: str
    context: Callable[[Any], bytes]
    form: str
    """`bytes`, `text` (base64), `document` ({"sealed": base64}), or `words`: as `text`, older rows in clear."""


PLACES = (
    _Place("events_page", "events_put", lambda row: row["doc"].encode(), "bytes"),
    _Place("incidents_page", "incidents_put",
           lambda row: f"incident {row['key']}".encode(), "document"),
    _Place("messages_page", "messages_put", lambda row: f"message {row['key']}".encode(), "document"),
    _Place("parcels_page", "parcels_put", lambda row: f"parcel {row['key']}".encode(), "document"),
    _Place("callbacks_page", "callbacks_put",
           lambda row: f"callback {row['key']}".encode(), "document"),
    _Place("calls_page", "calls_put", lambda row: f"call {row['key']}".encode(), "document"),
    _Place("callers_page", "callers_put", lambda row: f"caller {row['key']}".encode(), "text"),
    _Place("units_page", "units_put", lambda row: f"unit {row['key']}".encode(), "text"),
    _Place("second_factors_page", "second_factors_put",
           lambda row: f"staff.totp_secret:{row['key']}".encode(), "bytes"),
    _Place("marks_page", "marks_put", lambda row: b"nuisance", "text"),
    _Place("lines_page", "lines_put",
           lambda row: f"chat {row['session']} {row['line']}".encode(), "words"),
    _Place("told_page", "told_put", lambda row: f"told {row['topic']}".encode(), "document"),
    _Place("words_page", "words_put", lambda row: f"words {row['call']} {row['n']}".encode(), "words"),
)


class _Sealed(msgspec.Struct):
    sealed: bytes


async def about(pool: asyncpg.Pool) -> int:
    """Return about how many rows there are to look at."""
    return int(await pool.fetchval(_SQL["about"]))


async def reseal_all(pool: asyncpg.Pool, ring: KeyRing, step: Step) -> int:
    """Seal everything anew that another than the newest key has sealed; return how many values that were.

    Where this was broken off, events that were looked at are not looked at again; where it had ended, none from before
    the rotation.
    """
    name = rotation_to(ring.active)

    async def noted(after: Any) -> None:
        await pool.execute(_SQL["go_on"], name, after)

    done = await _reseal(pool, ring, PLACES[0], step, after=await pool.fetchval(_SQL["come_to"], name), noted=noted)
    done += sum([await _reseal(pool, ring, place, step) for place in PLACES[1:]])
    await pool.execute(_SQL["end"], name)
    return done


async def _reseal(
    pool: asyncpg.Pool, ring: KeyRing, place: _Place, step: Step, *, after: Any = None, noted: Noted = _nowhere
) -> int:
    changed = 0
    while page := await pool.fetch(_SQL[place.page], after, BATCH):
        keys, before, values = [], [], []
        for row in page:
            context = place.context(row)
            content = _to_seal(row["value"], place.form, ring, context)
            if content is None:
                continue
            keys.append(row["key"])
            before.append(row["value"])
            values.append(_closed(ring.seal(content, context=context), place.form))
        if keys:
            done = await pool.execute(_SQL[place.put], keys, before, values)
            changed += int(done.split()[-1])
        after = page[-1]["key"]
        await noted(after)
        step(len(page))
    return changed


def _to_seal(value: Any, form: str, ring: KeyRing, context: bytes) -> bytes | None:
    """Return what is to be sealed with the newest key; None where it is, or where there is nothing."""
    sealed = _opened(value, form)
    if sealed is None:
        return value.encode() if form == "words" else None
    return None if key_of(sealed) == ring.active else ring.open(sealed, context=context)


def _opened(value: Any, form: str) -> bytes | None:
    match form:
        case "bytes":
            return bytes(value)
        case "document":
            return msgspec.json.decode(value, type=_Sealed).sealed if value.startswith('{"sealed"') else None
        case "words" if not is_sealed(value):
            return None
        case _:
            sealed = b64decode(value, validate=False)
            return sealed if key_of(sealed) and len(sealed) > 33 else None


def _closed(sealed: bytes, form: str) -> Any:
    if form == "bytes":
        return sealed
    text = b64encode(sealed).decode()
    return f'{{"sealed":"{text}"}}' if form == "document" else text
