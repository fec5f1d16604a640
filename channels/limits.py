"""Token buckets against floods and guessing: pure, the caller passes the time.

Each process counts for itself; behind several processes a limit is at most that many times looser.
"""

from __future__ import annotations

from collections import OrderedDict

from hotline.errors import RateLimited


class RateLimit:
    """At most `burst` at once per key, refilled at `burst` per `period` seconds; keeps the `keys` latest keys."""

    def __init__(self, burst: int, period: float, *, keys: int = 50_000) -> None:
        self._burst = burst
        self._rate = burst / period
        self._keys = keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def _level(self, key: str, now: float) -> float:
        level, at = self._buckets.get(key, (float(self._burst), now))
        return min(float(self._burst), level + max(0.0, now - at) * self._rate)

    def check(self, key: str, now: float) -> None:
        """Raise RateLimited if nothing is left for `key`; takes nothing. `now` in seconds."""
        level = self._level(key, now)
        if level < 1.0:
            wait = int((1.0 - level) / self._rate) + 1
            raise RateLimited(f"too many requests; try again in {wait} seconds", retry_after=wait)

    def take(self, key: str, now: float) -> None:
        """Take one for `key`, or raise RateLimited."""
        self.check(key, now)
        self._buckets[key] = (self._level(key, now) - 1.0, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)


class Guesses:
    """Wrong pairs of number and code, counted by sender and by ticket: a code has six digits only.

    Right pairs are not counted. Twenty wrong ones of a sender in ten minutes, or fifty for a ticket in a day, and
    further ones are refused.
    """

    def __init__(self) -> None:
        self._by_sender = RateLimit(20, 600)
        self._by_ticket = RateLimit(50, 86_400)

    def check(self, sender: str, number: str, now: float) -> None:
        """Raise RateLimited if this sender, or everybody for this ticket, guessed too often."""
        self._by_sender.check(sender, now)
        self._by_ticket.check(number, now)

    def wrong(self, sender: str, number: str, now: float) -> None:
        """Count a wrong pair."""
        self._by_sender.take(sender, now)
        self._by_ticket.take(number, now)
