"""The words of the emergency rules, read from data/emergency.txt into one automaton."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

import ahocorasick

from hotline.terms import Service

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
    """Finds every word of the lexicon in one pass."""

    def __init__(self, words: list[Word]) -> None:
        by_text: dict[str, list[Word]] = {}
        for word in words:
            by_text.setdefault(word.text, []).append(word)
        self._automaton = ahocorasick.Automaton()
        for text, group in by_text.items():
            self._automaton.add_word(text, (len(text), tuple(group)))
        self._automaton.make_automaton()

    def find(self, text: str) -> list[Hit]:
        """Return the hits in order of their end."""
        hits = []
        for last, (length, group) in self._automaton.iter(text):
            for word in group:
                end = last + 1
                if word.then:
                    end = text.find(word.then, end, end + GAP) + len(word.then)
                    if end < len(word.then) or "\n" in text[last:end] or "。" in text[last:end]:
                        continue
                hits.append(Hit(word, last + 1 - length, end))
        return hits


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
