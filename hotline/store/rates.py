"""Rate limits that all processes count together: each tells the others once a second what it took.

No request waits for it: a process decides by its own buckets, and one statement a second brings in what the others
took. Totals only grow, so reading one twice does no harm, and a lost round is made up by the next. What a process has
not met before it takes as it stands: a flood that reaches N processes at once gets N bursts before they know of each
other, then the one limit holds.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence

import asyncpg

from channels.limits import RateLimit
from hotline.store.database import statements

_SQL = statements("rates")
INTERVAL = 1.0
"""Seconds between two rounds."""
_KNOWN, _READ, _FORGET = 200_000, 20_000, 3600


class Exchange:
    """Shares the counts of `limits`, told apart by their names. `now` in seconds, as the limits are asked with."""

    def __init__(self, pool: asyncpg.Pool, limits: Sequence[RateLimit], *, now: Callable[[], float]) -> None:
        self._pool, self._now = pool, now
        self._limits = {limit.name: limit for limit in limits}
        self._totals: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._rounds = 0

    async def step(self) -> None:
        """Tell what was taken here, and take what was taken elsewhere. What could not be told is told next time."""
        news = {name: limit.news() for name, limit in self._limits.items()}
        given = [(name, key.encode(), count) for name, taken in news.items() for key, count in taken.items()]
        names, keys, counts = (list(column) for column in zip(*given, strict=True)) if given else ([], [], [])
        try:
            rows = await self._pool.fetch(_SQL["exchange"], names, keys, counts, _READ)
        except BaseException:
            for name, taken in news.items():
                self._limits[name].again(taken)
            raise
        self._take([(row["name"], row["key"].decode(), row["taken"]) for row in rows], news)
        self._rounds += 1
        if self._rounds % _FORGET == 0:
            await self._pool.execute(_SQL["forget"])

    def _take(self, totals: Sequence[tuple[str, str, int]], news: dict[str, dict[str, int]]) -> None:
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for name, key, total in totals:
            if name not in self._limits:
                continue
            mine = news[name].get(key, 0)
            before = self._totals.get((name, key), total - mine)
            if (elsewhere := total - mine - before) > 0:
                found[name][key] = elsewhere
            self._totals[name, key] = total
            self._totals.move_to_end((name, key))
        while len(self._totals) > _KNOWN:
            self._totals.popitem(last=False)
        for name, taken in found.items():
            self._limits[name].others(taken, self._now())
