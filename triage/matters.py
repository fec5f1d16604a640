"""What an appeal is about, finer than its category: words of data/matters.txt, many for one thing."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from functools import cache
from importlib import resources
from typing import NamedTuple

from triage.match import Batch, Matcher

_GAP = 8
_USUAL = 56_706.0
"""Texts, about, that the counts of data/matters.txt were counted on."""


class Matter(NamedTuple):
    """A matter. `worth` is high for one that few appeals are about; `brief` ones are over within days."""

    name: str
    worth: float
    brief: bool


class _Pair(NamedTuple):
    """The other of two words that name a matter together, and whether it stands before: of a single character and a
    longer word the longer is looked for."""

    other: str
    before: bool
    matter: Matter


class _Words(NamedTuple):
    plain: Matcher[tuple[Matter, ...]]
    pairs: Matcher[tuple[_Pair, ...]]


@cache
def _read() -> _Words:
    plain: dict[str, dict[Matter, None]] = defaultdict(dict)
    pairs: dict[str, dict[_Pair, None]] = defaultdict(dict)
    text = resources.files("triage").joinpath("data/matters.txt").read_text("utf-8")
    for line in text.splitlines():
        head, _, tail = line.partition(": ")
        if tail and not line.startswith("#"):
            matter = _matter(head)
            for part in tail.lower().split():
                first, _, then = part.partition("~")
                if not then:
                    plain[first][matter] = plain[first.upper()][matter] = None
                elif len(first) == 1 and len(then) > 1:
                    pairs[then][_Pair(first, True, matter)] = None
                else:
                    pairs[first][_Pair(then, False, matter)] = None
    return _Words(
        Matcher({word: tuple(meant) for word, meant in plain.items()}),
        Matcher({word: tuple(meant) for word, meant in pairs.items()}),
    )


def _matter(head: str) -> Matter:
    name, _, count = head.partition(" ")
    return Matter(name.rstrip("!"), math.log(_USUAL / (float(count) + 3.0)), name.endswith("!"))


def words() -> Matcher[tuple[Matter, ...]]:
    """Return the words that name a matter by themselves."""
    return _read().plain


def matters_in(batch: Batch) -> list[dict[Matter, float]]:
    """Return for each clean, lower-case text its matters with their weight: rare ones and repeated ones weigh more."""
    found = []
    for text, spots, pairs in zip(batch.texts, matter_spots(batch), _read().pairs.find(batch), strict=True):
        counts = Counter(matter for _, matter in spots)
        counts.update(matter for start, end, meant in pairs for matter in _paired(text, start, end, meant))
        found.append({matter: matter.worth * (1.0 + min(count - 1, 2) / 2) for matter, count in counts.items()})
    return found


def _paired(text: str, start: int, end: int, meant: tuple[_Pair, ...]) -> set[Matter]:
    """Return the matters of which both words stand there."""
    before, after = text[max(0, end - _GAP - 1) : start], text[end : end + _GAP]
    return {one.matter for one in meant if one.other in (before if one.before else after)}


def matter_spots(batch: Batch) -> list[list[tuple[int, Matter]]]:
    """Return for each clean text where it names which matter by one word, in order."""
    return [
        [(start, matter) for start, _, meant in hits for matter in meant]
        for hits in words().find(batch)
    ]
