"""Long texts read passage by passage: a danger told in one sentence of a long story drowns in the rest of it.

Somebody complains about fees at length and mentions at the end that it smells of gas. Of the whole, the model sees the
fees. So where it sees the least sign of danger in a long text, each passage – a sentence with those after it, about as
long as a short appeal – is judged by itself, and the most alarming one counts, by thresholds of its own: there are many
passages in a text, and out of its context a sentence of last year's accident sounds like one of today.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from numpy.typing import NDArray

from hotline.terms import Verdict
from triage import lexicon
from triage.judge import shifted
from triage.lexicon import Hit
from triage.match import Together
from triage.rules import CALM, Assessment, assess_all
from triage.text import sentences

LONG = 80
"""Characters above which a text is read in passages."""
GLIMPSE = 0.002
"""Probability of an emergency or a doubtful case in the whole from which its passages are read: nearly all emergencies
have it (docs/triage.md), and of ordinary texts every sixth."""
ENDS = 32
"""Passages that are read at the beginning and at the end of a text, and as many more where a strong word of danger
stands, so that no text costs much more than others."""
_LIKELY = 0.4
"""Probability of an emergency that the model must give to a passage that the rules raise. Of 240 letters with one plain
danger in their midst all are raised then, of 9,451 real ones 0.4 % asked about (docs/triage.md)."""
_LEAST, _MOST = 48, 90
_COMMAS = ",，、 "
Span = tuple[int, int]


class Reading(NamedTuple):
    """Passages on end, the number of the text that each is of, and where it stands there."""

    passages: list[str]
    owners: list[int]
    spans: list[Span]


class Alarm(NamedTuple):
    """The most alarming passage of a text: where it stands in the reading, and the probability that it tells an
    emergency, moved by what the rules know of its words (`judge.shifted`). `said` is what the rules say of the passage
    that they raise and the model thinks likeliest, its hits where they stand in the text: a person is asked."""

    place: int
    chance: float
    said: Assessment = CALM


class Passage(NamedTuple):
    """The most alarming passage, as a text is judged by it: how much so, where it stands, the chance of each service,
    and what the rules say of the gravest."""

    chance: float
    span: Span
    services: list[float]
    said: Assessment


def glimpsed(texts: Sequence[str], chances: NDArray[Any], dangers: Sequence[Sequence[Hit]]) -> list[int]:
    """Return the numbers of the long texts that show the least danger: to the model, or by a strong word.

    Args:
        chances: of verdicts, shape (texts, 3).
        dangers: the words of danger in each text.
    """
    some = (chances[:, 0] + chances[:, 1] >= GLIMPSE).tolist()
    return [
        row for row, text in enumerate(texts)
        if len(text) > LONG and (some[row] or any(hit.word.strong for hit in dangers[row]))
    ]


def read(texts: Sequence[str], rows: Sequence[int], dangers: Sequence[Sequence[Hit]]) -> Reading:
    """Return the passages of these clean texts: from each sentence on, with those after it while they are few."""
    reading = Reading([], [], [])
    for row in rows:
        text = texts[row]
        parts = [part for start, end in sentences(text) for part in _cut(text, start, end)]
        for start, end in _passages(parts, dangers[row]):
            reading.passages.append(text[start:end])
            reading.owners.append(row)
            reading.spans.append((start, end))
    return reading


def alarms(reading: Reading, chances: NDArray[Any]) -> dict[int, Alarm]:
    """Return by text its most alarming passage, and what the rules raise in it.

    Of the whole of a long letter the rules say little, as it tells of the past, asks and thanks somewhere; what stands
    beside the danger counts here, where the model does not think otherwise.

    Args:
        chances: probability that each passage tells an emergency, shape (passages,).
    """
    worst: dict[int, int] = {}
    for place, owner in enumerate(reading.owners):
        if owner not in worst or chances[place] > chances[worst[owner]]:
            worst[owner] = place
    said = assess_all(_words().search(reading.passages), list(worst.values()))
    moved = [shifted(float(chance), one.lean) for chance, one in zip(chances, said, strict=True)]
    raised = sorted(
        (place for place, one in enumerate(said) if one.verdict is Verdict.EMERGENCY and moved[place] >= _LIKELY),
        key=moved.__getitem__,
    )
    by_rules = {reading.owners[place]: _there(reading, said[place], place) for place in raised}  # the likeliest is last
    return {owner: Alarm(place, moved[place], by_rules.get(owner, CALM)) for owner, place in worst.items()}


@cache
def _words() -> Together:
    return Together((lexicon.dangers().matcher, lexicon.cues().matcher))


def _there(reading: Reading, said: Assessment, place: int) -> Assessment:
    """Return a doubtful case with the hits of the passage where they stand in the text."""
    start = reading.spans[place][0]
    hits = tuple(hit._replace(start=hit.start + start, end=hit.end + start) for hit in said.hits)
    return said._replace(verdict=Verdict.UNCLEAR, hits=hits, certain=False)


def _passages(parts: Sequence[Span], hits: Sequence[Hit]) -> list[Span]:
    """Return the passages to be read: where a strong word stands, the sentence by itself too."""
    starts = [start for start, _ in parts]
    told = sorted({max(0, bisect_right(starts, hit.start) - 1) for hit in hits if hit.word.strong})[:ENDS]
    ends = range(len(parts)) if len(parts) <= 2 * ENDS else (*range(ENDS), *range(len(parts) - ENDS, len(parts)))
    together = [_together(parts, place) for place in sorted({*ends, *told})]
    return list(dict.fromkeys([*together, *(parts[place] for place in told)]))


def _cut(text: str, start: int, end: int) -> list[Span]:
    """Cut at a comma, or anywhere, what is too long: recognised speech has no stops."""
    parts = []
    while end - start > _MOST:
        at = max(text.rfind(comma, start + _LEAST // 2, start + _MOST) for comma in _COMMAS) + 1 or start + _MOST
        parts.append((start, at))
        start = at
    return [*parts, (start, end)] if text[start:end].strip() else parts


def _together(parts: Sequence[Span], place: int) -> Span:
    """Return the part at `place` with those after it: they follow each other."""
    start, end = parts[place]
    for _, further in parts[place + 1 :]:
        if end - start >= _LEAST or further - start > _MOST:
            break
        end = further
    return start, end
