"""Micro-wishes as the public sees them, replayed from their tickets' events."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from channels.wishes_codec import PublicWish, PublicWishes, public_of
from hotline.events import TicketEvent
from hotline.store.console import cursor_of, position_of
from hotline.store.database import statements
from hotline.store.rows import event_from
from hotline.ticket import replay

_SQL = statements("wishes")
PAGE = 50


class WishStore:
    """Fulfils `channels.wishes.WishRows`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def published(self, *, cursor: str) -> PublicWishes:
        """Return the published ones among the next wishes; a page may hold fewer than there are, `next` goes on."""
        found = await self._pool.fetch(_SQL["page"], *position_of(cursor), PAGE)
        more = cursor_of(found[-1]["created_at"], found[-1]["id"]) if len(found) == PAGE else ""
        return PublicWishes(wishes=tuple(await self._shown([row["id"] for row in found])), next=more)

    async def find(self, number: str) -> PublicWish | None:
        """Return one published wish."""
        id_ = await self._pool.fetchval(_SQL["one"], number)
        shown = await self._shown([id_]) if id_ is not None else []
        return shown[0] if shown else None

    async def _shown(self, ids: Sequence[int]) -> list[PublicWish]:
        histories: dict[int, list[TicketEvent]] = {id_: [] for id_ in ids}
        for row in await self._pool.fetch(_SQL["histories"], list(ids)):
            histories[row["ticket_id"]].append(event_from(row["doc"], row["sealed"]))
        shown = (public_of(replay(events)) for events in histories.values())
        return [wish for wish in shown if wish is not None]
