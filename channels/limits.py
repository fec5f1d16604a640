"""Token buckets against floods and guessing: pure, the caller passes the time.

Each process counts for itself and answers at once; what the others have counted comes to it every second or so
(`hotline.store.rates`), so that no request waits for another process. A flood that comes to N processes at once gets at
most N bursts before they know of each other; over any longer time the limit holds as if one process counted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, IPv6Network, ip_address

from hotline.errors import RateLimited


def network_of(address: str, *, bits: int = 64) -> str:
    """Return what an address is counted by: itself, of IPv6 its /64, which is what one customer has at least.

    What is no address (a WeChat user's id) is returned as it is.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Network((found, bits), strict=False))


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

    def times(self, factor: int) -> RateLimit:
        """Return a limit `factor` times as high, full and shared with nobody."""
        return RateLimit(self._burst * factor, self._burst / self._rate, keys=self._keys, of=self._of)

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

    def spent(self, key: str, now: float) -> bool:
        """Tell whether nothing is left for `key`."""
        return self._level(self._of(key), now) < 1.0

    def take(self, key: str, now: float) -> None:
        """Take one for `key`, or raise RateLimited."""
        key = self._of(key)
        self._spend(key, self._enough(key, now), now)

    def count(self, key: str, now: float) -> None:
        """Take one for `key` even if nothing is left: what was checked at once and counted later is waited for."""
        key = self._of(key)
        self._spend(key, self._level(key, now), now)

    def _spend(self, key: str, level: float, now: float) -> None:
        self._put(key, level - 1.0, now)
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

    Right pairs are not counted, and nobody can shut a ticket to its owner with a few addresses:

    - Twenty wrong ones of a sender in ten minutes, and this sender is refused; 200 of the /48 of an IPv6 sender, and
      all of it is: else who has one tries a few codes of each of a hundred thousand tickets in a day.
    - Twenty for a ticket in a day, and who has been wrong there three times in a month is refused; who has not is let
      try. That is asked by the /48 of an IPv6 sender: whoever has one has 65,536 of the networks that senders are.
    - A thousand for a ticket in a month, and everybody is. It takes hundreds of networks to come so far, and a year of
      it finds one code in seventy.
    """

    def __init__(self, *, of: Callable[[str], str] = str) -> None:
        self.by_sender = RateLimit(20, 600, name="guesses.sender", of=of)
        self.by_block = RateLimit(200, 600, name="guesses.block", of=of)
        self.by_ticket = RateLimit(20, 86_400, name="guesses.ticket", of=of)
        self.by_both = RateLimit(3, 30 * 86_400, name="guesses.both", of=of)
        self.by_all = RateLimit(1000, 30 * 86_400, name="guesses.all", of=of)

    def limits(self) -> list[RateLimit]:
        """Return every limit."""
        return [self.by_sender, self.by_block, self.by_ticket, self.by_both, self.by_all]

    def check(self, sender: str, number: str, now: float) -> None:
        """Raise RateLimited if this sender may not try this ticket now."""
        self.by_sender.check(sender, now)
        self.by_block.check(_block(sender), now)
        self.by_all.check(number, now)
        if self.by_ticket.spent(number, now):
            self.by_both.check(_both(sender, number), now)

    def wrong(self, sender: str, number: str, now: float) -> None:
        """Count a wrong pair."""
        self.by_sender.count(sender, now)
        self.by_block.count(_block(sender), now)
        self.by_ticket.count(number, now)
        self.by_both.count(_both(sender, number), now)
        self.by_all.count(number, now)


def _both(sender: str, number: str) -> str:
    return f"{number} {_block(sender)}"


def _block(sender: str) -> str:
    return network_of(sender.removesuffix("/64"), bits=48)
