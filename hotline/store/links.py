"""The key that signs links sent to citizens: made with the database, the same for all processes."""

from __future__ import annotations

import asyncpg

from hotline.store.database import statements

_SQL = statements("links")


async def link_key(pool: asyncpg.Pool) -> bytes:
    """Return the key."""
    key: bytes = await pool.fetchval(_SQL["link_key"])
    return key
