"""Chats that wait for an agent's word, in PostgreSQL: what is given to whom is read from the tickets themselves."""

from __future__ import annotations

import asyncpg

from hotline.chat_queue import Chat
from hotline.store.answering import answering
from hotline.store.database import statements

_SQL = statements("chats")


class ChatStore:
    """Reads on a pool. Fulfils `hotline.chat_queue.ChatStore`. Raises Unavailable."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def chats(self) -> list[Chat]:
        """Return the chats that wait for an agent's word, those nobody has first, the longest waiting first."""
        with answering():
            found = await self._pool.fetch(_SQL["chats"])
        return [
            Chat(number=row["number"], version=row["version"], since=row["since"], agent=row["agent"], gone=row["gone"])
            for row in found
        ]

    async def is_available(self, agent: str) -> bool:
        """Tell whether somebody is available at this moment."""
        with answering():
            return bool(await self._pool.fetchval(_SQL["is_available"], agent))
