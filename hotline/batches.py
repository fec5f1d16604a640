"""What arrives while a batch is under way becomes the next batch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Batches(Generic[T]):
    """Workers that take what waits in batches. Use as an async context manager: leaving it drains what waits."""

    def __init__(
        self, process: Callable[[Sequence[T]], Awaitable[None]], *, workers: int, most: int, gather: float
    ) -> None:
        self._process, self._count, self._most, self._gather = process, workers, most, gather
        self._waiting: deque[T] = deque()
        self._arrived = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self.closing = False
        """Whether it drains, and then ends."""

    async def __aenter__(self) -> Batches[T]:
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._count)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closing = True
        self._arrived.set()
        await asyncio.gather(*self._workers)

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, one: T) -> None:
        """Let one wait for a batch; whoever puts bounds how many may wait."""
        self._waiting.append(one)
        self._arrived.set()

    async def _work(self) -> None:
        while not (self.closing and not self._waiting):
            await self._arrived.wait()
            if len(self._waiting) < self._most:
                await asyncio.sleep(self._gather)
            batch = self._take()
            if batch:
                await self._process(batch)

    def _take(self) -> list[T]:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
        if not self._waiting and not self.closing:
            self._arrived.clear()
        return batch
