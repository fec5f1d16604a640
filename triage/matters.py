"""What an appeal is about, finer than its category: words of data/matters.txt, many for one thing."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import NamedTuple

from triage.match import Batch, Matcher

_GAP = 8
_USUAL = 9000.0
"""Texts, about, that the counts of data/matters.txt were counted on."""


class Matter(NamedTuple):
    """A matter. `worth` is high for one that few appeals are about; `brief` ones are over within days."""

    name: str
    worth: float
    brief: bool


class _Word(NamedTuple):
    matter: Matter
    then: str


@cache
def words() -> Matcher[tuple[_Word, ...]]:
    """Return the words of all matters."""
    found: dict[str, tuple[_Word, ...]] = {}
    text = resources.files("triage").joinpath("data/matters.txt").read_text("utf-8")
    for line in text.splitlines():
        head, _, tail = line.partition(": ")
        if tail and not line.startswith("#"):
            name, _, count = head.partition(" ")
            worth = math.log(_USUAL / (float(count) + 3.0))
            matter = Matter(name.rstrip("!"), worth, name.endswith("!"))
            for part in tail.lower().split():
                first, _, then = part.partition("~")
                for spelling in {first, first.upper()}:
                    found[spelling] = (*found.get(spelling, ()), _Word(matter, then))
    return Matcher(found)


def matters_in(batch: Batch) -> list[dict[Matter, float]]:
    """Return for each clean, lower-case text its matters with their weight: rare ones and repeated ones weigh more."""
    found = []
    for spots in matter_spots(batch):
        counts: dict[Matter, int] = {}
        for _, matter in spots:
            counts[matter] = counts.get(matter, 0) + 1
        found.append({matter: matter.worth * (1.0 + min(count - 1, 2) / 2) for matter, count in counts.items()})
    return found


def matter_spots(batch: Batch) -> list[list[tuple[int, Matter]]]:
    """Return for each clean text where it names which matter, in order."""
    return [
        [
            (start, matter) for start, end, meant in hits for matter, then in meant
            if not then or text.find(then, end, end + _GAP) >= 0
        ]
        for text, hits in zip(batch.texts, words().find(batch), strict=True)
    ]
