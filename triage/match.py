"""Finding many words in many texts at once.

A word starts where its first two characters stand. Those pairs are looked up for a whole batch in one table with
numpy; only where one is known are the words that start so compared. On Chinese text this is an order of magnitude
faster than pyahocorasick, whose root here has a thousand children (measured: 45 µs → 3 µs for 200 characters).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from triage.text import Codes, codes_of

T = TypeVar("T")

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SLOT_BITS = 20
_BITS = np.uint64(21)
_PLANE = 0x10000


class Batch(NamedTuple):
    """Clean texts on end, as `triage.text.codes_of` lays them; made once, searched by every matcher."""

    texts: Sequence[str]
    codes: Codes
    starts: NDArray[np.int64]
    pairs: NDArray[np.uint64]


def batch_of(texts: Sequence[str]) -> Batch:
    """Lay out clean texts for searching."""
    codes, starts = codes_of(texts)
    wide = codes.astype(np.uint64)
    pairs = ((wide[:-1] << _BITS) | wide[1:]) * _MIX >> np.uint64(64 - _SLOT_BITS)
    return Batch(texts, codes, starts, pairs)


class Matcher(Generic[T]):
    """Finds every occurrence of every word, overlapping ones too; each word carries a value."""

    def __init__(self, words: Mapping[str, T]) -> None:
        self._single: dict[str, T] = {word: value for word, value in words.items() if len(word) == 1}
        self._by_pair: dict[str, list[tuple[str, T]]] = {}
        for word, value in sorted(words.items(), key=lambda item: -len(item[0])):
            if len(word) > 1:
                self._by_pair.setdefault(word[:2], []).append((word, value))
        self._first = np.zeros(_PLANE, dtype=np.bool_)
        self._first[[ord(word) for word in self._single if ord(word) < _PLANE]] = True
        self._known = np.zeros(1 << _SLOT_BITS, dtype=np.bool_)
        if self._by_pair:
            self._known[batch_of(list(self._by_pair)).pairs[::3]] = True

    def find(self, batch: Batch) -> list[list[tuple[int, int, T]]]:
        """Return for each text its hits (start, end, value), in order of their start, long before short."""
        found: list[list[tuple[int, int, T]]] = [[] for _ in batch.texts]
        for row, places in self._candidates(batch):
            text, hits = batch.texts[row], found[row]
            for place in places:
                for word, value in self._by_pair.get(text[place : place + 2], ()):
                    if text.startswith(word, place):
                        hits.append((place, place + len(word), value))
                if text[place] in self._single:
                    hits.append((place, place + 1, self._single[text[place]]))
        return found

    def _candidates(self, batch: Batch) -> list[tuple[int, list[int]]]:
        hit = self._known[batch.pairs]
        if self._single:
            hit = hit | self._first[np.minimum(batch.codes[:-1], _PLANE - 1)]
        places = np.flatnonzero(hit)
        rows = np.searchsorted(batch.starts, places, side="right") - 1
        inside = places - batch.starts[rows]
        whole = inside < np.diff(batch.starts)[rows] - 1
        rows, inside = rows[whole], inside[whole]
        cuts = np.flatnonzero(np.diff(rows)) + 1
        firsts = rows[np.concatenate(([0], cuts))].tolist() if len(rows) else []
        return list(zip(firsts, (part.tolist() for part in np.split(inside, cuts)), strict=False))
