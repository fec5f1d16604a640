"""Acts of units' systems that count once: what a key led to the first time, kept in the act's own transaction."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from hotline.errors import KeyReused
from hotline.ids import TicketNumber
from hotline.ports import Acted, Once
from hotline.store.database import statements

_SQL = statements("acts")


async def first_act(connection: asyncpg.Connection, once: Once) -> Acted | None:
    """Return what this act led to if it was carried out before.

    Raises:
        KeyReused: the key came with something else before.
    """
    row = await connection.fetchrow(_SQL["first_act"], once.unit, once.key)
    if row is None:
        return None
    if row["content_hash"] != once.content_hash:
        raise KeyReused(f"the key {once.key} was used before for something else: use a new key")
    return Acted(number=TicketNumber(row["number"]), version=row["version"], state=row["state"], repeat=True)


async def keep_act(connection: asyncpg.Connection, once: Once, acted: Acted, now: datetime) -> Acted:
    """Keep what an act led to and return it.

    Raises:
        KeyReused: the same key was used at the same moment for another ticket; this transaction must not commit.
    """
    kept = await connection.fetchval(
        _SQL["keep_act"], once.unit, once.key, once.content_hash, acted.number, acted.version, acted.state, now
    )
    if kept is None:
        raise KeyReused(f"the key {once.key} was used before for something else: use a new key")
    return acted


async def forget_acts(pool: asyncpg.Pool, before: datetime) -> None:
    """Delete keys that no repeat can meet any more."""
    await pool.execute(_SQL["forget_acts"], before)
