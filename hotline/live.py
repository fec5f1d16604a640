"""Live figures as bytes, for many listeners: asked of the database at most twice a second, however many there are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import msgspec

from hotline.board import Board
from hotline.figure_ports import Figures
from hotline.hotspot import HotSpot
from hotline.metric_views import Live
from hotline.ports import Clock

_encoder = msgspec.json.Encoder()
FRESH, SPOTS_FRESH, BOARD_FRESH = 0.5, 10.0, 0.2
"""Seconds for which an answer is given again."""


class HotSpots(msgspec.Struct, frozen=True, kw_only=True):
    """What is a hot spot now (`hotline.hotspot`), the newest first; without the numbers of tickets."""

    spots: tuple[HotSpot, ...]


class Kept:
    """An answer that is given again while it is fresh; those who come meanwhile wait for the one that asks."""

    def __init__(self, ask: Callable[[], Awaitable[bytes]], *, fresh: float) -> None:
        self._ask, self._fresh = ask, fresh
        self._lock, self._until, self._answer = asyncio.Lock(), 0.0, b""

    async def get(self) -> bytes:
        """Return the answer. Raises what asking raises."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now >= self._until:
                self._answer = await self._ask()
                self._until = asyncio.get_running_loop().time() + self._fresh
            return self._answer


class LiveBoard:
    """The board as JSON, for many listeners."""

    def __init__(self, read: Callable[[datetime], Awaitable[Board]], clock: Clock) -> None:
        async def board() -> bytes:
            return _encoder.encode(await read(clock()))

        self._board = Kept(board, fresh=BOARD_FRESH)

    async def board(self) -> bytes:
        """Return `Board` as JSON. Raises Unavailable."""
        return await self._board.get()


class LiveFigures:
    """Live figures and hot spots of the whole city as JSON."""

    def __init__(
        self, figures: Figures, spots_of: Callable[[datetime], Awaitable[Sequence[HotSpot]]], clock: Clock
    ) -> None:
        """`spots_of` returns hot spots, those that have ended too."""
        async def live() -> bytes:
            found: Live = await figures.live(clock())
            return _encoder.encode(found)

        async def spots() -> bytes:
            found = [one for one in await spots_of(clock()) if one.ended_at is None]
            return _encoder.encode(HotSpots(spots=tuple(msgspec.structs.replace(one, tickets=()) for one in found)))

        self._live, self._spots = Kept(live, fresh=FRESH), Kept(spots, fresh=SPOTS_FRESH)

    async def live(self) -> bytes:
        """Return `Live` as JSON. Raises Unavailable."""
        return await self._live.get()

    async def hot_spots(self) -> bytes:
        """Return `HotSpots` as JSON. Raises Unavailable."""
        return await self._spots.get()
