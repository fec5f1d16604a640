"""Finding many words in many texts at once, by one automaton (Aho and Corasick, 1975) for all lists of words.

Each list is a `Matcher`. Several of them `Together` read a text once, and leave in the `Batch` what each has found
there; a matcher that is not among them reads the texts itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Generic, TypeVar

from ahocorasick_rs import AhoCorasick

T = TypeVar("T")
Hits = list[list[tuple[int, int, T]]]
_START = itemgetter(1)


@dataclass(frozen=True, slots=True)
class Batch:
    """Clean texts, and what was found in them by matcher."""

    texts: Sequence[str]
    found: dict[Matcher[Any], Hits[Any]] = field(default_factory=dict)


def batch_of(texts: Sequence[str]) -> Batch:
    """Return a batch in which every matcher looks by itself."""
    return Batch(texts)


class Matcher(Generic[T]):
    """Finds every occurrence of every word, overlapping ones too; each word carries a value."""

    def __init__(self, words: Mapping[str, T]) -> None:
        self.words = words
        self._alone: Together | None = None

    def find(self, batch: Batch) -> Hits[T]:
        """Return for each text its hits (start, end, value), in order of their start, long before short."""
        if self not in batch.found:
            self._alone = self._alone or Together([self])
            return self._alone.search(batch.texts).found[self]
        return batch.found[self]


class Together:
    """Matchers that read a text together."""

    def __init__(self, matchers: Iterable[Matcher[Any]]) -> None:
        self._matchers = list(matchers)
        meant: dict[str, list[tuple[int, Any]]] = {}
        for number, matcher in enumerate(self._matchers):
            for word, value in matcher.words.items():
                meant.setdefault(word, []).append((number, value))
        self._meant = list(meant.values())
        self._automaton = AhoCorasick(list(meant))

    def search(self, texts: Sequence[str]) -> Batch:
        """Return a batch that holds what each matcher finds in the texts."""
        found: list[Hits[Any]] = [[[] for _ in texts] for _ in self._matchers]
        look, meant = self._automaton.find_matches_as_indexes, self._meant
        for row, text in enumerate(texts):
            matches = look(text, overlapping=True)
            matches.reverse()  # they come by their ends: of those that start together the longest is first now
            matches.sort(key=_START)
            for word, start, end in matches:
                for number, value in meant[word]:
                    found[number][row].append((start, end, value))
        return Batch(texts, dict(zip(self._matchers, found, strict=True)))
