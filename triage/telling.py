"""What two appeals are compared by: words by how rare they are, names, numbers, towns, matters, category, time."""

from __future__ import annotations

import math
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.background import Background, grams, key_of
from triage.match import batch_of
from triage.matters import Matter, matters_in
from triage.names import districts_in, names_in, numbers_in
from triage.sounds import sound_of

Floats = NDArray[np.float32]

_COMMON = 2.0
"""A pair of characters below this idf says nothing about a name."""
_TRIPLE = 1 << 43
_PAIR = (1 << 42) - 1
_USUAL = 5.5
_UNHEARD = 7.5
_LEAST_NAME = 4.0
_MOST_NAMES = 8
_DAMPED = 12
"""What a set tells many times may be its hottest matter, not a common word: its own counts weigh less."""


LONGEST = 1_000
"""Characters of a text that are compared."""


class Named(NamedTuple):
    """A name: its pairs of characters with what each is worth beyond the common."""

    text: str
    pairs: tuple[tuple[int, float], ...]
    worth: float
    sounds: tuple[tuple[int, float], ...]
    """The same by how they sound."""

    def told_in(self, words: Container[int]) -> float:
        """Return how much of its worth another text has, by its pairs and triples of characters."""
        return sum([value for key, value in self.pairs if key in words])

    def heard_in(self, sounds: Container[int]) -> float:
        """Return how much of its worth another text has, by how its pairs of characters sound."""
        return sum([value for key, value in self.sounds if key in sounds])


class Telling(NamedTuple):
    """One appeal, ready to be compared.

    Attributes:
        words: idf of its pairs and triples of characters.
        heard: how its pairs of characters sound.
        length: length of the vector of `words`.
        odd: how unusual each of its words is, the usual ones left out: mostly parts of names.
        runs: keys of its runs of five characters: what is copied shares most of them.
        places: villages and landmarks of the gazetteer.
        category: square roots of the categories' probabilities.
        at: None where unknown.
    """

    words: Mapping[int, float]
    heard: frozenset[int]
    length: float
    odd: Mapping[int, float]
    runs: frozenset[int]
    names: tuple[Named, ...]
    numbers: Mapping[str, frozenset[str]]
    districts: Mapping[str, frozenset[str]]
    towns: frozenset[str]
    places: frozenset[str]
    matters: Mapping[Matter, float]
    weight: float
    category: Floats
    at: datetime | None


def tellings(
    texts: Sequence[str],
    *,
    background: Background,
    category: Floats,
    towns: Sequence[Collection[str]],
    places: Sequence[Collection[str]],
    at: Sequence[datetime | None],
    counted_in: bool = False,
) -> list[Telling]:
    """Return a `Telling` of each text.

    Args:
        texts: clean texts (`triage.text`).
        category: probability of each category, shape (texts, categories).
        counted_in: count the words of these texts too when telling rare from common: right for a large set.
    """
    lower = [text[:LONGEST].lower() for text in texts]
    keys, owners = grams(lower)
    order = np.lexsort((keys, owners))
    keys, owners = keys[order], owners[order]
    first = np.ones(len(keys), dtype=np.bool_)
    first[1:] = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
    keys, owners = keys[first], owners[first]
    more: NDArray[np.int64] | int = 0
    if counted_in:
        _, where, counts = np.unique(keys, return_inverse=True, return_counts=True)
        more = counts[where] // _DAMPED
    idf = background.idf(keys, more, len(texts) if counted_in else 0)
    telling = idf > _COMMON
    keys, owners, idf = keys[telling], owners[telling], idf[telling]
    bounds = np.searchsorted(owners, np.arange(len(texts) + 1)).tolist()
    rows = [dict(zip(keys[i:j].tolist(), idf[i:j].tolist(), strict=True)) for i, j in pairwise(bounds)]
    roots = np.sqrt(category)
    matters = matters_in(batch_of(lower))
    return [
        Telling(
            words=words, heard=frozenset(map(sound_of, _pairs(text))), length=_length(words.values()),
            odd=dict(_odd(words)), runs=_runs(text),
            names=_names(text, words), numbers=numbers_in(text), districts=districts_in(text),
            towns=frozenset(units), places=frozenset(spots), matters=about, weight=_length(about.values()),
            category=root, at=when,
        )
        for text, words, units, spots, about, root, when in zip(
            lower, rows, towns, places, matters, roots, at, strict=True
        )
    ]


def _pairs(text: str) -> Iterator[str]:
    return (text[place : place + 2] for place in range(len(text) - 1))


def _length(values: Collection[float]) -> float:
    return max(math.sqrt(sum(value * value for value in values)), 1e-6)


def _odd(words: Mapping[int, float]) -> Iterator[tuple[int, float]]:
    """Yield the unusual: triples of two unusual pairs, and pairs hardly ever heard."""
    for key, idf in words.items():
        if key >= _TRIPLE:
            odd = min(words.get(key >> 21, 0.0), words.get(key & _PAIR, 0.0)) - _USUAL
        else:
            odd = 0.7 * (idf - _UNHEARD)
        if odd > 0.0:
            yield key, odd


def _runs(text: str) -> frozenset[int]:
    told = "".join(character for character in text if character.isalnum())
    return frozenset(hash_of(told[start : start + 5]) for start in range(max(1, len(told) - 4)))


def hash_of(run: str) -> int:
    """Return a number for a short run of characters, the same in every process."""
    value = 0
    for character in run:
        value = (value * 0x100000001B3 ^ ord(character)) & 0xFFFFFFFFFFFFFFF
    return value


def _names(text: str, words: Mapping[int, float]) -> tuple[Named, ...]:
    found = []
    for start, end in names_in(text):
        told = [(pair, words[key] - _COMMON) for pair in _pairs(text[start:end]) if (key := key_of(pair)) in words]
        worth = sum(value for _, value in told)
        if worth > _LEAST_NAME:
            pairs = tuple((key_of(pair), value) for pair, value in told)
            sounds = tuple((sound_of(pair), value) for pair, value in told)
            found.append(Named(text[start:end], pairs, worth, sounds))
    return tuple(sorted(found, key=lambda name: -name.worth)[:_MOST_NAMES])
