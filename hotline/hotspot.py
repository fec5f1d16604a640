"""Hot spots: one matter told in one place by more citizens than is usual there. Pure.

The statistic is a Poisson scan. What is usual is the mean of the four weeks before, of the same matter at the same
place (plus half a report, so that a place without a past is not alarmed by its second one). A window of 6, 24 or 168
hours is hot where at least `LEAST` citizens tell of it and so many or more would come by chance with a probability
below `RARE` (about one false alarm in a month with 2,000 places and matters looked at once an hour).

A young log tells less: the mean is that of the days there are, and while they are fewer than `ENOUGH` nobody knows what
is usual. Until then only what would be unusual in the busiest place is told, by the short windows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

LEAST = 5
RARE = 1e-6
DAYS = 28.0
ENOUGH = 7.0
"""Days before the longest window from which they say what is usual: of a log of two weeks."""
BUSY = 30.0
"""Reports a day that count as usual anywhere until then: about what the busiest matter of the busiest town has."""
_DAY, _WINDOW = 24, timedelta(days=7)
_HALF = 0.5
_NEARLY = 0.7


class HotSpot(msgspec.Struct, frozen=True, kw_only=True):
    """A hot spot. `hours` is the window in which it is most unusual: `count` citizens where `expected` are usual."""

    town: str
    matter: str
    spot: str = ""
    hours: int
    count: int
    expected: float
    began_at: datetime
    last_at: datetime
    found_at: datetime | None = None
    ended_at: datetime | None = None
    tickets: tuple[str, ...] = ()


def chance(count: int, expected: float) -> float:
    """Return the probability of `count` or more reports where `expected` are usual (Poisson)."""
    below = term = math.exp(-expected)
    if count <= 0:
        return 1.0
    for number in range(1, count):
        term *= expected / number
        below += term
    if below < 1.0 - 1e-9:
        return 1.0 - below
    term *= expected / count  # so rare that the sum from the other end is needed
    rest = 0.0
    for number in range(count + 1, count + 200):
        rest += term
        term *= expected / number
    return rest


def observed(since: datetime, now: datetime) -> float:
    """Return how many of the 28 days before the longest window a log holds that began at `since`."""
    return min(DAYS, max(0.0, (now - since - _WINDOW) / timedelta(days=1)))


def usual(before: int, hours: int, days: float = DAYS) -> float:
    """Return how many reports are usual in a window, given how many there were in so many days before."""
    return BUSY * hours / _DAY if days < ENOUGH else (before + _HALF) * hours / (_DAY * days)


def hottest(counts: Mapping[int, int], before: int, days: float = DAYS) -> tuple[int, float] | None:
    """Return the window (hours) that is most unusual and what is usual in it, None if none is hot.

    Args:
        counts: citizens who told of it, by window in hours.
        before: reports in the days before the longest window.
        days: how many days these are, at most 28.
    """
    found = [
        (chance(count, usual(before, hours, days)), hours) for hours, count in counts.items()
        if count >= LEAST and (days >= ENOUGH or hours <= _DAY)
    ]
    rarest = min(found, default=(1.0, 0))
    return (rarest[1], usual(before, rarest[1], days)) if rarest[0] < RARE else None


def without_repeats(spots: Sequence[HotSpot]) -> list[HotSpot]:
    """Leave out a whole town where one village of it tells nearly all of the same matter."""
    most: dict[tuple[str, str], int] = {}
    for one in spots:
        if one.spot:
            most[one.town, one.matter] = max(one.count, most.get((one.town, one.matter), 0))
    return [one for one in spots if one.spot or most.get((one.town, one.matter), 0) < _NEARLY * one.count]


def told(town: str, spot: str, matter: str, *, hours: int, count: int, expected: float) -> str:
    """Return the alarm's words."""
    return f"热点:{town}{spot}「{matter}」{hours}小时内{count}人反映,平常约{expected:.1f}人"
