"""How usual each pair and triple of characters is in appeals: counts over the project's own texts.

`triage.background_build` counts them anew.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from triage.text import codes_of

Keys = NDArray[np.uint64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_FILE = "data/background.npz"
_BITS = np.uint64(21)
_MIX = np.uint64(0x9E3779B97F4A7C15)
SLOT_BITS = 22


def grams(texts: list[str], sizes: tuple[int, ...] = (2, 3)) -> tuple[Keys, Ints]:
    """Return the keys of runs of 2 or 3 letters, digits or Chinese characters, and the text of each.

    Lower-case texts.
    """
    codes, starts = codes_of(texts)
    wide = codes.astype(np.uint64)
    told = ((codes >= 0x3400) & (codes <= 0x9FFF)) | ((codes >= 48) & (codes < 58)) | ((codes >= 97) & (codes < 123))
    owner = np.repeat(np.arange(len(texts), dtype=np.int64), np.diff(starts))
    keys, run, found, owners = wide, told, [], []
    for size in range(2, max(sizes) + 1):
        keys = (keys[:-1] << _BITS) | wide[size - 1 :]
        run = run[:-1] & told[size - 1 :]
        if size in sizes:
            found.append(keys[run])
            owners.append(owner[: len(run)][run])
    return np.concatenate(found), np.concatenate(owners)


def key_of(gram: str) -> int:
    """Return the key of one run of 2 or 3 characters."""
    key = 0
    for character in gram:
        key = (key << 21) | ord(character)
    return key


def gram_of(key: int) -> str:
    """Return the run of characters of a key."""
    found = ""
    while key:
        found, key = chr(key & 0x1FFFFF) + found, key >> 21
    return found


def slots(keys: Keys) -> Ints:
    """Return where each key is counted."""
    return ((keys * _MIX) >> np.uint64(64 - SLOT_BITS)).astype(np.int64)


class Background:
    """Counts of texts by n-gram; n-grams that share a slot share a count."""

    def __init__(self, counts: NDArray[np.uint16], texts: int) -> None:
        self._counts = counts
        self.texts = texts

    def idf(self, keys: Keys, more: Ints | int = 0, texts: int = 0) -> Floats:
        """Return ln(texts ÷ texts with it) of each key, `more` occurrences in `texts` further texts counted in."""
        held = self._counts[slots(keys)].astype(np.float64) + more
        return np.asarray(np.log((self.texts + texts + 1.0) / (held + 0.5)))


@cache
def background() -> Background:
    """Return the counts that come with the package."""
    with resources.as_file(resources.files("triage").joinpath(_FILE)) as path, np.load(path) as arrays:
        return Background(arrays["counts"], int(arrays["texts"]))
