"""Hot spots among the figures: places and matters with many more appeals than usual. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import msgspec

Spot = tuple[str, str, str]
"""Town, first and second level of the category."""


class HotSpot(msgspec.Struct, frozen=True, kw_only=True):
    """A place and a matter with many more appeals than usual. `score` is the excess in standard deviations."""

    town: str
    l1: str
    l2: str
    category: str
    appeals: int
    expected: float
    score: float


def hottest(
    counted: Mapping[Spot, int], usual: Mapping[Spot, int], *, share: float, names: Mapping[tuple[str, str], str]
) -> tuple[HotSpot, ...]:
    """Return places and matters with more appeals than expected, the hottest first.

    Args:
        usual: appeals of the days before, of which `share` would be expected.
        names: of categories by (l1, l2), for people.
    """
    found = []
    for (town, l1, l2), appeals in counted.items():
        expected = usual.get((town, l1, l2), 0) * share
        if appeals > expected:  # the standard deviation of a Poisson count is its root
            found.append(HotSpot(
                town=town, l1=l1, l2=l2, category=names.get((l1, l2), l2), appeals=appeals,
                expected=round(expected, 2), score=round((appeals - expected) / sqrt(max(expected, 1.0)), 2),
            ))
    return tuple(sorted(found, key=lambda one: (-one.score, -one.appeals, one.town, one.l1, one.l2)))
