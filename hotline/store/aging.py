"""What the retention sweep empties by its age beside tickets: who called, callbacks that were made, letters, parcels,
and who was marked as a nuisance.

Each asks for legal holds as it goes (`held_…` in migrations/0024_held.sql), a limited number of rows at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
import msgspec

from hotline.store.database import statements
from hotline.store.sealing import open_document, seal_document
from routing.callbacks import Callback

_SQL = statements("aging")
_entries = msgspec.json.Decoder(Callback)
STEP = 200
"""Rows of each kind that are looked at together."""
LETTERS_KEPT = timedelta(days=90)


class Aged(NamedTuple):
    """How many of each were emptied."""

    calls: int = 0
    callbacks: int = 0
    letters: int = 0
    parcels: int = 0
    marks: int = 0


async def age(connection: asyncpg.Connection, now: datetime, *, before: datetime) -> Aged:
    """Empty what is older than `before`; letters and parcels in a time of their own. At most `STEP` of each."""
    callbacks = await connection.fetch(_SQL["callbacks"], before, STEP)
    await erase_callbacks(connection, callbacks)
    return Aged(
        calls=_count(await connection.execute(_SQL["calls"], before, STEP)), callbacks=len(callbacks),
        letters=_count(await connection.execute(_SQL["letters"], now - LETTERS_KEPT, STEP)),
        parcels=_count(await connection.execute(_SQL["parcels"], now - LETTERS_KEPT, STEP)),
        marks=await empty_marks(connection, ended=before),
    )


async def empty_marks(connection: asyncpg.Connection, *, ended: datetime, contact: str | None = None) -> int:
    """Take the contact out of marks of nuisance that ended by then: of one contact (blind index), or of all."""
    ids = [row["id"] for row in await connection.fetch(_SQL["ended_marks"], contact, ended, STEP)]
    if ids:  # every process reads the marks anew after an update, even of none
        await connection.execute(_SQL["empty_marks"], ids)
    return len(ids)


async def erase_callbacks(connection: asyncpg.Connection, rows: Sequence[Any]) -> None:
    """Take the phone out of callbacks: rows with id, call and doc, held until the end of the transaction."""
    for row in rows:
        nobody = msgspec.structs.replace(entry_of(row), phone="")
        await connection.execute(
            _SQL["erase_callback"], row["id"], seal_document(nobody, context=f"callback {row['call']}")
        )


def entry_of(row: Any) -> Callback:
    """Return the callback of a row with call and doc."""
    return _entries.decode(open_document(row["doc"], context=f"callback {row['call']}"))


def _count(status: str) -> int:
    """Return the number at the end of what PostgreSQL answers: UPDATE 3."""
    return int(status.rsplit(" ", 1)[-1])
