"""The words of the emergency rules, read from data/emergency.txt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from hotline.terms import Service
from triage.match import Batch, Matcher

GAP, GAP_ENGLISH = 8, 24
_ENDS = r"(?:e?s)?(?![A-Za-z])"
"""What follows an English word that is a word by itself: a fee, two fees, but no feeling."""
_PRONOUN = re.compile(r"\bi\b")
_GOES_ON = re.compile(rf"(?!{_ENDS})")
_HARMED = frozenset("人伤受死")
"""What second parts begin with that 没 denies: 追尾了，两车都没人受伤 tells of nobody hurt."""
PLAIN = "plain"
"""The cue of words that only hide what stands inside them: nobody cries for help with 救命药."""


class Word(NamedTuple):
    """A word of the lexicon. `danger` names what it speaks of, or is "" for a cue; `doubt` asks for a
    person at most; what `then` asks for must follow."""

    text: str
    danger: str = ""
    strong: bool = False
    doubt: bool = False
    services: tuple[Service, ...] = ()
    cue: str = ""
    then: re.Pattern[str] | None = None


class Hit(NamedTuple):
    """A word found in a text, with its span."""

    word: Word
    start: int
    end: int


class Entry(NamedTuple):
    """The words that are spelled alike; `open` where one of them asks for a second part, and so hides no other."""

    words: tuple[Word, ...]
    open: bool


class Lexicon:
    """Finds every word of the lexicon, for a batch of texts at once."""

    def __init__(self, words: list[Word]) -> None:
        by_text: dict[str, Entry] = {}
        for word in words:
            before = by_text.get(word.text, Entry((), False))
            by_text[word.text] = Entry((*before.words, word), before.open or word.then is not None)
        self.matcher = Matcher(by_text)

    def find(self, batch: Batch, rows: Sequence[int] | None = None) -> list[list[Hit]]:
        """Return for each text, or for each of `rows` only, its hits, in order."""
        found, texts = self.matcher.find(batch), batch.texts
        return [
            [
                hit for start, end, entry in _outer(found[row]) for word in entry.words
                if word.cue != PLAIN and (hit := _hit(texts[row], word, start, end))
            ]
            for row in (range(len(texts)) if rows is None else rows)
        ]


def _outer(hits: list[tuple[int, int, Entry]]) -> list[tuple[int, int, Entry]]:
    """Leave out words inside longer ones: in 到现在 nothing happens now."""
    kept: list[tuple[int, int, Entry]] = []
    reach = -1
    for hit in hits:
        end = hit[1]
        if end > reach:
            kept.append(hit)
            if not hit[2].open:
                reach = end
    return kept


def _hit(text: str, word: Word, start: int, end: int) -> Hit | None:
    """Return the hit, None where it is part of another English word, or no second part follows in the same sentence."""
    if word.text.isascii() and _inside(text, start, end):
        return None
    if word.then is None:
        return Hit(word, start, end)
    found = word.then.match(text, end)
    return Hit(word, start, found.end()) if found else None


def _inside(text: str, start: int, end: int) -> bool:
    """Tell whether English letters go on before or after: nobody speaks of a fee who feels something."""
    return (text[start].isalpha() and text[max(0, start - 1) : start].isalpha() and text[start - 1].isascii()) or (
        text[end - 1].isalpha() and _GOES_ON.match(text, end) is not None
    )


@cache
def dangers() -> Lexicon:
    """Return the words that speak of danger."""
    return Lexicon([word for word in _all() if word.danger or word.cue == PLAIN])


@cache
def cues() -> Lexicon:
    """Return the words that turn a danger on or off."""
    return Lexicon([word for word in _all() if word.cue])


@cache
def _all() -> tuple[Word, ...]:
    text = resources.files("triage").joinpath("data/emergency.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    sets = {
        f"{{{head.split()[1]}}}": tail.split()
        for head, _, tail in (line.partition(":") for line in lines) if head.startswith("set ")
    }
    return tuple(word for line in lines if not line.startswith("set ") for word in _words(line, sets))


def _words(line: str, sets: dict[str, list[str]]) -> Iterator[Word]:
    head, _, tail = line.partition(":")
    fields = head.split()
    for part in tail.split():
        first, _, then = part.partition("~")
        follows = _follows(then, sets) if then else None
        for text in (spelt for name in sets.get(first, [first]) for spelt in _spellings(name)):
            if fields[0] == "cue":
                yield Word(text, cue=fields[1], then=follows)
            else:
                _, danger, strength, services = fields
                wanted = tuple(Service(number) for number in services.split(","))
                yield Word(text, danger, strength == "strong", strength == "unclear", wanted, then=follows)


def _spellings(word: str) -> set[str]:
    """Return an English word as it is written: `_` is a space, I a capital, and people shout, or type another
    apostrophe."""
    told = word.replace("_", " ")
    if not (told.isascii() and told.islower()):
        return {told}
    forms = {told, told.capitalize(), told.title(), told.upper()}
    forms |= {_PRONOUN.sub("I", form) for form in forms}
    return forms | {form.replace("'", "’") for form in forms}


def _follows(then: str, sets: dict[str, list[str]]) -> re.Pattern[str]:
    """Return a pattern of what may stand between and one of the alternatives; `甲~乙~丙` asks for both, in order."""
    words = [
        [word.replace("_", " ") for name in part.split("|") for word in sets.get(name, [name])]
        for part in then.split("~")
    ]
    english = all(word.isascii() for part in words for word in part)
    between = rf"[^。.\n]{{0,{GAP_ENGLISH}}}?" if english else rf"[^。\n]{{0,{GAP}}}?"
    begin, finish = (r"(?<![A-Za-z])", rf"{_ENDS}(?!['’]s)") if english else ("", "")
    parts = (f"{begin}(?:" + "|".join(map(_part, part)) + f"){finish}" for part in words)
    return re.compile("".join(between + part for part in parts), re.IGNORECASE)


def _part(word: str) -> str:
    """Return the pattern of a second part; who is hurt is not told by 没人伤, and nobody by 没人."""
    denied = r"(?<![没无冇未])(?<!没有)(?<![没无冇]人)(?<!没有人)" if word[0] in _HARMED else ""
    return denied + re.escape(word)
