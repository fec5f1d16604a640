"""How likely two appeals tell of one matter at one place: evidence on the place, on the matter and on the time.

Both must speak for it: the odds of "same place and same matter" are those of the weaker of the two, softly. What is
copied word for word needs neither. The weights were fitted, each held to its sign, on incidents told by several
citizens and on lookalikes (tests/triage/data/incidents_[a-f].txt, written for this project), with pairs of other texts
of the project as strangers: `python -m bench.likeness_fit`. Those of copies and of another town or house were set by
hand: incidents hold no copies, and what tells another town or house is compared only where something was copied.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from triage.matters import Matter
from triage.telling import Telling

_RARE = 25.0
_ODDEST = 3.0
_COPY_FROM = 0.25
_FEW_RUNS = 8
_LONG = 60
_DISTRICTS = {"区": 0.4, "县": 0.4, "镇": 1.0, "街道": 1.0}
"""What sharing a district says of the place: a county holds a hundred estates."""
_DAY = 86_400.0
_SOON = 3.0
_UNKNOWN = 0.5
"""How soon after each other those come whose time is not told."""
_RAREST = 6.0


class Place(NamedTuple):
    """What speaks for or against one place; 0 to 1 each.

    Attributes:
        unusual: how unusual the runs of three characters are that both have: names of any kind.
        named: best share of a name of one that the other has; `rare`: how rare what they share of it is.
        sounds: how much rarer it is where only the sound counts: 新达 for 鑫达.
        other_name: both have names and hardly anything of one is shared.
        other_spot: both tell villages or landmarks and none is shared.
        town, other_town: towns, parks, districts shared; told by both and none shared.
        at_once: a matter in one town within days, the more the rarer it is.
        other_number: house 3 here, house 5 there.
    """

    unusual: float
    named: float
    rare: float
    sounds: float
    other_name: float
    other_spot: float
    town: float
    other_town: float
    at_once: float
    other_number: float


class About(NamedTuple):
    """What speaks for or against one matter; 0 to 1 each.

    Attributes:
        words: cosine of pairs and triples of characters.
        category: likeness of the categories' probabilities.
        matter: cosine of matters; `other_matter`: both have some and none is shared.
    """

    words: float
    category: float
    matter: float
    other_matter: float


class Evidence(NamedTuple):
    """All evidence. `copied` is the share of the shorter text's runs of five characters found in the other, beyond a
    quarter; `soon` 1 at the same time, a third after three days; `days` how far apart in time, 0 within two weeks;
    `brief_days` the same where the shared matter passes within days."""

    place: Place
    about: About
    copied: float
    soon: float
    days: float
    brief_days: float


PLACE = Place(
    unusual=4.92, named=0.63, rare=0.9, sounds=5.58, other_name=-0.71, other_spot=-1.61, town=1.45,
    other_town=-7.0, at_once=1.13, other_number=-12.0,
)
PLACE_BIAS = -3.52
ABOUT = About(
    words=8.04, category=12.99, matter=5.4, other_matter=-1.49,
)
ABOUT_BIAS = -5.77
COPIED = 9.0
SOON = 1.47
DAYS = -2.66
BRIEF_DAYS = -0.19
ELSEWHERE = -9.0
"""For what happened in another town or house and was not copied: spared the rest."""


def likeness(one: Telling, other: Telling) -> float:
    """Return the log odds that both are about one thing."""
    if elsewhere(one, other):
        return ELSEWHERE
    found = evidence(one, other)
    place = PLACE_BIAS + sum(weight * value for weight, value in zip(PLACE, found.place, strict=True))
    about = ABOUT_BIAS + sum(weight * value for weight, value in zip(ABOUT, found.about, strict=True))
    both = min(place, about) - math.log1p(math.exp(-abs(place - about)))
    return both + COPIED * found.copied + SOON * found.soon + DAYS * found.days + BRIEF_DAYS * found.brief_days


def elsewhere(one: Telling, other: Telling) -> bool:
    """Tell whether another town or house is told and nothing was copied."""
    return not one.runs & other.runs and bool(_towns(one, other)[1] or _other_number(one, other))


def evidence(one: Telling, other: Telling) -> Evidence:
    """Return what speaks for and against both being about one thing; symmetric."""
    shared = one.words.keys() & other.words.keys()
    alike = one.matters.keys() & other.matters.keys()
    days = abs((one.at - other.at).total_seconds()) / _DAY if one.at and other.at else 0.0
    soon = math.exp(-days / _SOON) if one.at and other.at else _UNKNOWN
    brief = any(matter.brief for matter in alike)
    place = _place(one, other, soon * max((min(matter.worth, _RAREST) for matter in alike), default=0.0) / _RAREST)
    copied = _copied(one, other, elsewhere=bool(place.other_town + place.other_number))
    return Evidence(
        place, _about(one, other, shared, alike), copied, soon,
        math.log1p(max(0.0, days - 14.0) / 30.0), math.log1p(days) if brief else 0.0,
    )


def _copied(one: Telling, other: Telling, *, elsewhere: bool) -> float:
    """Return the share copied; a short text with another town or house in it is no copy."""
    if one.runs == other.runs:
        return 1.0
    shorter = min(len(one.runs), len(other.runs))
    share = max(0.0, len(one.runs & other.runs) / max(_FEW_RUNS, shorter) - _COPY_FROM) / (1.0 - _COPY_FROM)
    return share * min(1.0, shorter / _LONG) if elsewhere else share


def _place(one: Telling, other: Telling, timely: float) -> Place:
    named, rare, sounds = _named(one, other)
    _, other_spot = _sets(one.places, other.places)
    town, other_town = _towns(one, other)
    return Place(
        unusual=_unusual(one, other), named=named, rare=rare, sounds=sounds,
        other_name=float(bool(one.names) and bool(other.names) and named < 0.35),
        other_spot=other_spot, town=town, other_town=other_town, at_once=town * timely,
        other_number=_other_number(one, other),
    )


def _about(one: Telling, other: Telling, shared: set[int], alike: set[Matter]) -> About:
    matter = sum([one.matters[key] * other.matters[key] for key in alike]) / (one.weight * other.weight)
    return About(
        words=sum([one.words[key] * other.words[key] for key in shared]) / (one.length * other.length),
        category=float(one.category @ other.category), matter=matter,
        other_matter=float(bool(one.matters) and bool(other.matters) and not alike),
    )


def _unusual(one: Telling, other: Telling) -> float:
    odd = sum(one.odd[key] for key in one.odd.keys() & other.odd.keys())
    return min(1.0, math.log1p(odd) / _ODDEST)


def _named(one: Telling, other: Telling) -> tuple[float, float, float]:
    best = most = heard = 0.0
    for mine, their in ((one, other), (other, one)):
        for name in mine.names:
            held = name.told_in(their.words)
            if held > most:
                most = held
            if held > best * name.worth:
                best = held / name.worth
            if name.worth > heard:
                heard = max(heard, name.heard_in(their.heard))
    rare = min(most, _RARE) / _RARE
    return best, rare, max(0.0, min(heard, _RARE) / _RARE - rare)


def _sets(some: frozenset[str], others: frozenset[str]) -> tuple[float, float]:
    if not some or not others:
        return 0.0, 0.0
    return (1.0, 0.0) if some & others else (0.0, 1.0)


def _towns(one: Telling, other: Telling) -> tuple[float, float]:
    if one.towns and other.towns:
        return _sets(one.towns, other.towns)
    found = [(_DISTRICTS[last], one.districts[last] & other.districts[last])
             for last in one.districts.keys() & other.districts.keys()]
    if not found:
        return 0.0, 0.0
    best = max((size for size, same in found if same), default=0.0)
    return (best, 0.0) if best else (0.0, 1.0)


def _other_number(one: Telling, other: Telling) -> float:
    both = one.numbers.keys() & other.numbers.keys()
    return float(any(not one.numbers[what] & other.numbers[what] for what in both))
