"""Token buckets against floods and guessing: pure, the caller passes the time.

Each process counts for itself and answers at once; what the others have counted comes to it every second or so
(`hotline.store.rates`), so that no request waits for another process. A flood that comes to N processes at once gets at
most N bursts before they know of each other; over any longer time the limit holds as if one process counted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

from hotline.errors import RateLimited


class RateLimit:
    """At most `burst` at once per key, refilled at `burst` per `period` seconds; keeps the `keys` latest keys.

    Args:
        name: tells it apart where processes share their counts; "" shares none.
        of: what is kept of a key, the same in every process: a keyed hash, where the key is personal data.
    """

    def __init__(
        self, burst: int, period: float, *, keys: int = 50_000, name: str = "", of: Callable[[str], str] = str
    ) -> None:
        self.name, self._of = name, of
        self._burst = burst
        self._rate = burst / period
        self._keys = keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._taken: dict[str, int] = {}

    def _level(self, key: str, now: float) -> float:
        level, at = self._buckets.get(key, (float(self._burst), now))
        return min(float(self._burst), level + max(0.0, now - at) * self._rate)

    def check(self, key: str, now: float) -> None:
        """Raise RateLimited if nothing is left for `key`; takes nothing. `now` in seconds."""
        self._enough(self._of(key), now)

    def _enough(self, key: str, now: float) -> float:
        level = self._level(key, now)
        if level < 1.0:
            wait = int((1.0 - level) / self._rate) + 1
            raise RateLimited(f"too many requests; try again in {wait} seconds", retry_after=wait)
        return level

    def take(self, key: str, now: float) -> None:
        """Take one for `key`, or raise RateLimited."""
        key = self._of(key)
        self._put(key, self._enough(key, now) - 1.0, now)
        if self.name:
            self._taken[key] = self._taken.get(key, 0) + 1

    def _put(self, key: str, level: float, now: float) -> None:
        self._buckets[key] = (level, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._keys:
            self._taken.pop(self._buckets.popitem(last=False)[0], None)

    # ── counts shared among processes ────────────────────────────────────────────────────────────
    def news(self) -> dict[str, int]:
        """Return what was taken since the last call, by key: for the other processes."""
        taken, self._taken = self._taken, {}
        return taken

    def again(self, taken: Mapping[str, int]) -> None:
        """Put back what `news` gave and nobody got."""
        for key, count in taken.items():
            self._taken[key] = self._taken.get(key, 0) + count

    def others(self, taken: Mapping[str, int], now: float) -> None:
        """Take what other processes have taken; a level may fall below nothing, by one burst at most."""
        for key, count in taken.items():
            self._put(key, max(self._level(key, now) - count, -float(self._burst)), now)


class Guesses:
    """Wrong pairs of number and code, counted by sender and by ticket: a code has six digits only.

    Right pairs are not counted. Twenty wrong ones of a sender in ten minutes, or fifty for a ticket in a day, and
    further ones are refused.
    """

    def __init__(self, *, of: Callable[[str], str] = str) -> None:
        self.by_sender = RateLimit(20, 600, name="guesses.sender", of=of)
        self.by_ticket = RateLimit(50, 86_400, name="guesses.ticket", of=of)

    def check(self, sender: str, number: str, now: float) -> None:
        """Raise RateLimited if this sender, or everybody for this ticket, guessed too often."""
        self.by_sender.check(sender, now)
        self.by_ticket.check(number, now)

    def wrong(self, sender: str, number: str, now: float) -> None:
        """Count a wrong pair."""
        self.by_sender.take(sender, now)
        self.by_ticket.take(number, now)
