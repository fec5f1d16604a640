"""Characters 1–4 in a row as sparse features, for a whole batch at once; no loop over n-grams.

A feature is a 64-bit key. Up to three code points pack exactly into 63 bits; four are mixed into the upper half of the
range. Keys are found in a table of slots by multiplicative hashing and then compared in full, so that an unknown
n-gram is never taken for a known one. The end of a text counts as a character: questions end differently from thanks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.text import Codes, codes_of

Keys = NDArray[np.uint64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

_BITS = np.uint64(21)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_MIX_TOO = np.uint64(0xC2B2AE3D27D4EB4F)
_TOP = np.uint64(1 << 63)
_SLOT_BITS = 21
_PLANE = 0x10000


class Bag(NamedTuple):
    """Sparse rows: row `i` of the matrix is `columns[starts[i]:starts[i+1]]` with `values` of the same range."""

    columns: Ints
    values: Floats
    starts: Ints


@cache
def _fold() -> Codes:
    """Fold what carries no meaning of its own: case, digits to 0, every stop and space to one comma."""
    table = np.arange(_PLANE, dtype=np.uint32)
    table[ord("A") : ord("Z") + 1] += 32
    table[ord("0") : ord("9") + 1] = ord("0")
    for mark in " \n\t,.;:、。;:“”‘’\"'()[]{}<>《》【】…—-~·|/\\":
        table[ord(mark)] = ord(",")
    return table


def _families(codes: Codes, starts: Ints) -> Iterator[tuple[Keys, Ints]]:
    """Yield (keys, text numbers) of the 1-, 2-, 3- and 4-grams that stay inside their text."""
    low = codes < _PLANE
    folded = np.where(low, _fold()[np.where(low, codes, 0)], codes).astype(np.uint64)
    text_of = np.repeat(np.arange(len(starts) - 1, dtype=np.int64), np.diff(starts))
    one = folded != 0
    yield folded[one], text_of[one]
    pair = one[:-1]
    two = (folded[:-1] << _BITS) | folded[1:]
    yield two[pair], text_of[:-1][pair]
    triple = pair[:-1] & one[1:-1]
    three = (two[:-1] << _BITS) | folded[2:]
    yield three[triple], text_of[:-2][triple]
    four = triple[:-1] & one[2:-1] & one[3:]
    yield ((two[:-2] * _MIX) ^ (two[2:] * _MIX_TOO) | _TOP)[four], text_of[:-3][four]


def ngrams(codes: Codes, starts: Ints) -> tuple[Keys, Ints]:
    """Return the key and the text number of every n-gram.

    Args:
        codes: code points of all texts, each text followed by a 0 (`triage.text.codes_of`).
        starts: where each text starts, and the end, shape (texts + 1,).
    """
    keys, owners = zip(*_families(codes, starts), strict=True)
    return np.concatenate(keys), np.concatenate(owners)


def key_of(word: str) -> int:
    """Return the key of a word of 1 to 4 characters as it stands inside a text."""
    families = list(_families(*codes_of([word])))
    return int(families[len(word) - 1][0][0])


class Vocabulary:
    """Known n-grams in order of worth; where two share a slot the worthier one is kept."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._table = np.full(1 << _SLOT_BITS, -1, dtype=np.int32)
        self._table[_slots(keys)[::-1]] = np.arange(len(keys) - 1, -1, -1, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.keys)

    def reachable(self) -> NDArray[np.bool_]:
        """Tell for each key whether it kept its slot."""
        return np.asarray(self._table[_slots(self.keys)] == np.arange(len(self.keys)))

    def find(self, keys: Keys) -> Ints:
        """Return the number of each key, -1 where unknown."""
        found = self._table[_slots(keys)]
        hit = np.flatnonzero(found >= 0)
        wrong = self.keys[found[hit]] != keys[hit]
        found[hit[wrong]] = -1
        return found.astype(np.int64)

    def numbers(self, text: str) -> list[Ints]:
        """Return the number of the n-gram at each character, of 1, 2, 3 and 4 characters; -1 where unknown."""
        return [self.find(keys) for keys, _ in _families(*codes_of([text]))]

    def bag(self, codes: Codes, starts: Ints, idf: Floats) -> Bag:
        """Return the rows of the texts: (1 + ln count) × idf, each row of length 1."""
        size = max(len(self.keys), 1)
        cells, counts = counted(np.concatenate(list(self._cells(codes, starts, size))))
        columns = (cells % size).astype(np.int64)
        bounds = np.searchsorted(cells, np.arange(len(starts), dtype=np.int64) * size)
        values = (np.float32(1.0) + np.log(counts.astype(np.float32))) * idf[columns]
        return Bag(columns, _unit_rows(values, bounds), bounds)

    def _cells(self, codes: Codes, starts: Ints, size: int) -> Iterator[Ints]:
        """Yield (text × size + n-gram) of each known n-gram; 32 bits where they fit, which sort twice as fast."""
        narrow = len(starts) * size < 2**31
        for keys, owners in _families(codes, starts):
            numbers = self.find(keys)
            known = np.flatnonzero(numbers >= 0)
            cells = owners[known] * size + numbers[known]
            yield cells.astype(np.int32) if narrow else cells


def counted(cells: NDArray[Any]) -> tuple[NDArray[Any], Ints]:
    """Return the distinct values, sorted, and how often each occurs."""
    cells = np.sort(cells)
    first = np.ones(len(cells), dtype=np.bool_)
    np.not_equal(cells[1:], cells[:-1], out=first[1:])
    where = np.flatnonzero(first)
    return cells[where], np.diff(np.append(where, len(cells)))


def _slots(keys: Keys) -> Keys:
    return (keys * _MIX) >> np.uint64(64 - _SLOT_BITS)


def _unit_rows(values: Floats, bounds: Ints) -> Floats:
    sums = np.concatenate(([0.0], np.cumsum(np.square(values, dtype=np.float64))))
    lengths = np.sqrt(np.maximum(sums[bounds[1:]] - sums[bounds[:-1]], 1e-12))
    return np.asarray(values / np.repeat(lengths, np.diff(bounds)), dtype=np.float32)
