"""Taking away the identity of tickets, and every copy of it: events, letters, parcels to neighbours, chats, files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from hotline.lifecycle import OPEN_STATES
from hotline.store.database import statements
from hotline.store.uploads import KEPT

_SQL = statements("erasing")


async def erase_tickets(connection: asyncpg.Connection, ids: Sequence[int], now: datetime) -> None:
    """Erase the identity of tickets that may lose it. Their files go with the next uploads that nobody claims."""
    if ids:
        files = [row["key"] for row in await connection.fetch(_SQL["hold_files"], ids)]
        await connection.execute(_SQL["files"], ids, files, now + KEPT, sorted(OPEN_STATES))
        for name in ("letters", "parcels", "events", "tickets"):
            await connection.execute(_SQL[name], ids)
