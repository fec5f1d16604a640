"""Repeats pass a rate limit: who sends again what was not answered is no flood, and is owed the first answer.

A delivery is counted once while it is under way, however often it comes. Beyond the limit one that is known goes
through to the inbox, which answers as the first time or finds other content under its key. Repeats have a limit of
their own, or a known key would be a way around the limit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from channels.limits import RateLimit
from channels.message import Receipt
from hotline.errors import RateLimited

TIMES = 10
"""How many repeats a sender may send where one delivery is allowed."""
Known = Callable[[], Awaitable[Receipt | None]]


class Repeats:
    """A limit that counts deliveries rather than how often they are sent."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit, self._repeated = limit, limit.times(TIMES)
        self._under_way: set[str] = set()  # as many as requests under way: intake and the server bound those

    async def admit(self, sender: str, delivery: str, known: Known, now: float) -> AbstractContextManager[None]:
        """Count a delivery of a sender ("": of one without a limit); repeats while the block lasts are not counted.

        Raises RateLimited for one too many, unless `known`, asked only then, finds the delivery's receipt.
        """
        if not sender:
            return nullcontext()
        if delivery in self._under_way:
            self._repeated.take(sender, now)
        else:
            try:
                self._limit.take(sender, now)
            except RateLimited:
                self._repeated.take(sender, now)
                if await known() is None:
                    raise
        return self._taking(delivery)

    @contextmanager
    def _taking(self, delivery: str) -> Iterator[None]:
        first = delivery not in self._under_way
        self._under_way.add(delivery)
        try:
            yield
        finally:
            if first:
                self._under_way.discard(delivery)
