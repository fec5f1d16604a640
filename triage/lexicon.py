"""The words of the emergency rules, read from data/emergency.txt."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

from hotline.terms import Service
from triage.match import Batch, Matcher

GAP = 8


class Word(NamedTuple):
    """A word of the lexicon. `danger` names what it speaks of, or is "" for a cue; `then` must follow within GAP."""

    text: str
    danger: str = ""
    strong: bool = False
    services: tuple[Service, ...] = ()
    cue: str = ""
    then: str = ""


class Hit(NamedTuple):
    """A word found in a text, with its span."""

    word: Word
    start: int
    end: int


class Lexicon:
    """Finds every word of the lexicon, for a batch of texts at once."""

    def __init__(self, words: list[Word]) -> None:
        by_text: dict[str, tuple[Word, ...]] = {}
        for word in words:
            by_text[word.text] = (*by_text.get(word.text, ()), word)
        self._matcher = Matcher(by_text)

    def find(self, batch: Batch) -> list[list[Hit]]:
        """Return for each text its hits, in order."""
        return [
            [hit for start, end, words in _outer(hits) for word in words if (hit := _hit(text, word, start, end))]
            for text, hits in zip(batch.texts, self._matcher.find(batch), strict=True)
        ]


def _outer(hits: list[tuple[int, int, tuple[Word, ...]]]) -> list[tuple[int, int, tuple[Word, ...]]]:
    """Leave out words inside longer ones: in 到现在 nothing happens now."""
    kept: list[tuple[int, int, tuple[Word, ...]]] = []
    reach = -1
    for start, end, words in hits:
        if end > reach:
            kept.append((start, end, words))
            if not any(word.then for word in words):
                reach = end
    return kept


def _hit(text: str, word: Word, start: int, end: int) -> Hit | None:
    """Return the hit, None where the second part does not follow in the same sentence."""
    if not word.then:
        return Hit(word, start, end)
    follows = text.find(word.then, end, end + GAP)
    if follows < 0 or any(stop in text[end:follows] for stop in "\n。"):
        return None
    return Hit(word, start, follows + len(word.then))


@cache
def dangers() -> Lexicon:
    """Return the words that speak of danger."""
    return Lexicon([word for line in _lines() for word in _words(line) if word.danger])


@cache
def cues() -> Lexicon:
    """Return the words that turn a danger on or off."""
    return Lexicon([word for line in _lines() for word in _words(line) if word.cue])


def _lines() -> list[str]:
    text = resources.files("triage").joinpath("data/emergency.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _words(line: str) -> list[Word]:
    head, _, tail = line.partition(":")
    fields = head.split()
    pairs = [(first, then) for first, _, then in (part.partition("~") for part in tail.split())]
    if fields[0] == "cue":
        return [Word(first, cue=fields[1], then=then) for first, then in pairs]
    _, danger, strength, services = fields
    wanted = tuple(Service(number) for number in services.split(","))
    return [Word(first, danger, strength == "strong", wanted, then=then) for first, then in pairs]
