"""What a ticket is found by among a million, and why two are proposed to be one: keys and reasons. Pure.

Keys are 63-bit numbers: unusual words (mostly parts of names), places together with matters, copied runs. Of two
tickets about one thing, told by two citizens in words of their own, three in four share one (docs/triage.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from triage.background import gram_of
from triage.likeness import evidence
from triage.telling import Telling, hash_of

WORDS = 10
RUNS = 3
MATTERS = 3
_COPIED = 0.4
_LEAST_SHARE = 0.6


class Traits(NamedTuple):
    """What is kept of a ticket: its keys, and where and about what it is for hot spots ("" where not told)."""

    keys: tuple[int, ...]
    town: str
    spot: str
    matter: str


def traits_of(telling: Telling) -> Traits:
    """Return the traits of one telling."""
    matter = max(telling.matters, key=lambda one: (telling.matters[one], one.name), default=None)
    return Traits(
        keys=tuple(dict.fromkeys(_keys(telling))), town=min(telling.towns, default=""),
        spot=min(telling.places, default=""), matter=matter.name if matter else "",
    )


def _keys(telling: Telling) -> Iterator[int]:
    unusual = sorted(telling.odd.items(), key=lambda one: (-one[1], one[0]))
    yield from (key for key, _ in unusual[:WORDS])
    matters = sorted(telling.matters.items(), key=lambda one: (-one[1], one[0].name))[:MATTERS]
    for place in (*sorted(telling.towns), *sorted(telling.places)):
        yield from (hash_of(f"{place}|{matter.name}") for matter, _ in matters)
    yield from islice(sorted(telling.runs), RUNS)


def reasons(one: Telling, other: Telling) -> tuple[str, ...]:
    """Return, for people, why both may be about one thing, the strongest first; nothing where only time speaks for
    it."""
    found = evidence(one, other)
    told: list[str] = []
    if found.copied >= _COPIED:
        told.append("文字大段相同" if found.copied < 1.0 else "文字完全相同")
    places = [*sorted(one.towns & other.towns), *sorted(one.places & other.places), *_names(one, other)]
    if places:
        told.append("同一地点:" + "、".join(dict.fromkeys(places)))
    matters = [matter.name for matter in sorted(one.matters, key=lambda m: -m.worth) if matter in other.matters]
    if matters:
        told.append("同一事项:" + "、".join(matters[:2]))
    if alike := _sounding(one, other):
        told.append("名称读音相近:" + "、".join(alike))
    if not told and (words := _unusual(one, other)):
        told.append("同样的少见字词:" + "、".join(words))
    if told and one.at and other.at:
        told.append(_apart(abs((one.at - other.at).total_seconds())))
    return tuple(told)


def _names(one: Telling, other: Telling) -> list[str]:
    return [name.text for name in one.names if name.told_in(other.words) >= _LEAST_SHARE * name.worth][:2]


def _sounding(one: Telling, other: Telling) -> list[str]:
    """Return names that the other tells in other characters of the same sound."""
    return [
        name.text for name in one.names
        if name.heard_in(other.heard) >= _LEAST_SHARE * name.worth > name.told_in(other.words)
    ][:1]


def _unusual(one: Telling, other: Telling) -> list[str]:
    """Return the most unusual runs of characters that both have."""
    shared = sorted(one.odd.keys() & other.odd.keys(), key=lambda key: (-one.odd[key], key))
    return [gram_of(key) for key in shared[:2]]


def _apart(seconds: float) -> str:
    if seconds < 3600:
        return f"相隔{max(1, round(seconds / 60))}分钟"
    return f"相隔{round(seconds / 3600)}小时" if seconds < 172_800 else f"相隔{round(seconds / 86_400)}天"
