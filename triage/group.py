"""Groups appeals that tell of one matter at one place: candidates from an inverted index, then average linkage.

Texts that share unusual words are found by a sparse product, those that share a place and a matter by joining on both.
Likely pairs are merged in order of likeness; two groups become one while their members are alike on average, so that
one chance likeness chains nothing together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, triu

from triage.background import background, grams
from triage.likeness import likeness
from triage.telling import Telling

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]

JOINED = -1.2
"""Mean log odds from which two groups are one, among few texts."""
_FEW, _MEASURED, _CHANCE = 300, 12_000, 0.4
_MOST_TEXTS = 150
_LEAST_COSINE = 0.03
_BLOCK = 2_000
_NEAREST = 25
_NEIGHBOURS = 10
_SAMPLE = 6
_MONTH = timedelta(days=30)
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_LEAST_IDF = 4.0
_MANY = 3
_EASIER = 1.0
"""Two groups of several tellings each: by how much less they must be alike."""


def group(texts: Sequence[str], tellings: Sequence[Telling]) -> list[int]:
    """Return for each text the number of its group: the position of the group's first text.

    Args:
        texts: clean texts, in the order of `tellings`.
    """
    least = joined_from(len(texts))
    scored = [(likeness(tellings[one], tellings[other]), one, other) for one, other in candidates(texts, tellings)]
    likely = sorted((found for found in scored if found[0] > least), key=lambda found: (-found[0], found[1:]))
    return _linked(tellings, likely, least)


def candidates(texts: Sequence[str], tellings: Sequence[Telling]) -> set[tuple[int, int]]:
    """Return the pairs of texts that are worth comparing: they share unusual words, or a place and a matter."""
    return {*_by_words(texts), *_by_place(tellings)}


def joined_from(texts: int) -> float:
    """Return the mean log odds from which two groups of so many texts are one: of more texts, more are alike by chance.

    Measured on 300 and on 12,000 texts (`bench.likeness`, `bench.likeness_fit`), and no further.
    """
    return JOINED + _CHANCE * math.log(min(max(texts, _FEW), _MEASURED) / _FEW)


def bundles(texts: Sequence[str], at: Sequence[datetime | None]) -> list[list[int]]:
    """Return the numbers of the texts by what they say: the same words, unless a month lies between two tellings."""
    shelves: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        shelves["".join(filter(str.isalnum, text.lower())) or f"{number}: nothing is said"].append(number)
    found = []
    for members in shelves.values():
        members.sort(key=lambda number: (at[number] or _LONG_AGO, number))
        found.append([members[0]])
        for before, number in pairwise(members):
            if _apart(at[before], at[number]):
                found.append([])
            found[-1].append(number)
    return found


def _apart(before: datetime | None, now: datetime | None) -> bool:
    return before is not None and now is not None and now - before > _MONTH


def _by_words(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield pairs of texts that share words which few of the others have."""
    keys, owners = grams([text.lower() for text in texts])
    if not len(keys):
        return
    known, columns = np.unique(keys, return_inverse=True)
    matrix = csr_matrix((np.ones(len(keys), dtype=np.float32), (owners, columns)), shape=(len(texts), len(known)))
    matrix.data[:] = 1.0
    counts = np.bincount(matrix.indices, minlength=len(known))
    weighed = matrix @ diags(background().idf(known, counts, len(texts)).astype(np.float32))
    lengths = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
    weighed = diags(1.0 / np.maximum(lengths, 1e-6)) @ weighed
    telling = weighed[:, (counts > 1) & (counts <= _MOST_TEXTS)].tocsr()
    flipped = telling.T.tocsr()
    for start in range(0, len(texts), _BLOCK):
        alike = triu(telling[start : start + _BLOCK] @ flipped, k=start + 1).tocsr()
        for row, (begin, end) in enumerate(pairwise(alike.indptr.tolist())):
            yield from ((start + row, other) for other in _nearest(alike.indices[begin:end], alike.data[begin:end]))


def _nearest(others: Ints, cosines: Floats) -> list[int]:
    """Return the texts that are near, the nearest where there are many."""
    if len(others) > _NEAREST:
        best = np.argpartition(-cosines, _NEAREST)[:_NEAREST]
        others, cosines = others[best], cosines[best]
    near: list[int] = others[cosines > _LEAST_COSINE].tolist()
    return near


def _by_place(tellings: Sequence[Telling]) -> Iterator[tuple[int, int]]:
    """Yield pairs that share a place and a matter: neighbours in time, where there are many."""
    shelves: dict[tuple[object, object], list[int]] = defaultdict(list)
    for number, telling in enumerate(tellings):
        for shelf in product(set(_places(telling)), telling.matters):
            shelves[shelf].append(number)
    for members in shelves.values():
        yield from _neighbours(members, tellings)


def _neighbours(members: list[int], tellings: Sequence[Telling]) -> Iterator[tuple[int, int]]:
    if len(members) > _NEIGHBOURS:
        members.sort(key=lambda number: (_when(tellings[number]), number))
    for place, one in enumerate(members):
        for other in members[place + 1 : place + 1 + _NEIGHBOURS]:
            yield min(one, other), max(one, other)


def _places(telling: Telling) -> Iterator[object]:
    yield from telling.towns
    for name in telling.names:
        yield from (key for key, worth in name.pairs if worth > _LEAST_IDF)


def _when(telling: Telling) -> float:
    return telling.at.timestamp() if telling.at is not None else 0.0


def _linked(tellings: Sequence[Telling], likely: Iterable[tuple[float, int, int]], least: float) -> list[int]:
    group_of = list(range(len(tellings)))
    members = {number: [number] for number in group_of}
    for _, one, other in likely:
        left, right = sorted((group_of[one], group_of[other]))
        if left == right:
            continue
        many = min(len(members[left]), len(members[right])) >= _MANY
        if _mean(tellings, members[left], members[right]) > least - many * _EASIER:
            moved = members.pop(right)
            for number in moved:
                group_of[number] = left
            members[left] += moved
    return group_of


def _mean(tellings: Sequence[Telling], some: list[int], others: list[int]) -> float:
    """Return the mean likeness across, over a sample of both."""
    across = list(islice(product(_spread(some), _spread(others)), _SAMPLE * _SAMPLE))
    return sum(likeness(tellings[one], tellings[other]) for one, other in across) / len(across)


def _spread(members: list[int]) -> list[int]:
    step = max(1, len(members) // _SAMPLE)
    return members[::step][:_SAMPLE]
