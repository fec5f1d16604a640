"""A new model in the shadow of the present one: it judges what comes in, decides nothing, and what it would have said
is kept beside what was said, so that the two can be compared before it decides (`python -m hotline shadow`).

Kept are hashes of texts, with telephone and identity numbers starred out (a hash of few unknown figures would be no
secret), and the two answers, never a text, in a file for each pair of models: what is compared are these two, whatever
was in the shadow before. The shadow looks at quiet batches only and takes a small
share of the time. Where it fails it is left out from then on, and the log says so.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from hotline.appeal import Triage
from triage.encoder import CARD as ENCODER_CARD
from triage.entities import mask
from triage.lessons import Lesson
from triage.linear import CARD
from triage.tickets import hash_of

log = structlog.get_logger(__name__)
MOST, SHARE = 8, 0.1
"""Texts of a batch up to which the shadow looks at it, and its share of the process's time."""
LARGEST = 50_000_000
"""Bytes of the file at which the shadow stops: some 200,000 texts, more than a comparison needs."""
Judge = Callable[[Sequence[str]], Sequence[Triage]]


class Said(msgspec.Struct, frozen=True, array_like=True):
    """What a model made of a text: category (both levels), confidence, verdict, unit ("" where a person decides)."""

    model: str
    label: str
    confidence: float
    verdict: str
    department: str


class Pair(msgspec.Struct, frozen=True):
    """One line of the file."""

    text: str
    present: Said
    shadow: Said


def file_of(data: Path, present: Path, shadow: Path) -> Path:
    """Return where the answers of two models are kept, named by the cards in their folders."""
    cards = [folder / name for folder in (present, shadow) for name in (CARD, ENCODER_CARD)]
    told = [card.read_text("utf-8") if card.exists() else "" for card in cards]
    return data / f"shadow-{hash_of(chr(0).join(told))}.jsonl"


def forget(data: Path) -> None:
    """Delete what was kept of any two models' answers."""
    for file in data.glob("shadow*.jsonl"):
        file.unlink(missing_ok=True)


class Shadowed:
    """The present model with another in its shadow; answers are the present one's, always."""

    def __init__(self, present: Judge, shadow: Judge, file: Path, *, clock: Callable[[], float] = time.perf_counter):
        self._present, self._shadow, self._file, self._clock = present, shadow, file, clock
        self._rests_until = float("-inf")
        self._on = True

    def __call__(self, texts: Sequence[str]) -> Sequence[Triage]:
        """Return the present model's answers."""
        found = self._present(texts)
        began = self._clock()
        if self._on and texts and len(texts) <= MOST and began >= self._rests_until:
            try:
                self._keep(texts, found, self._shadow(texts))
            except (OSError, ValueError, RuntimeError, LookupError, TypeError) as error:
                self._on = False
                log.warning("shadow_failed", error=str(error))
            self._rests_until = self._clock() + (self._clock() - began) * (1 / SHARE - 1)
        return found

    def _keep(self, texts: Sequence[str], found: Sequence[Triage], other: Sequence[Triage]) -> None:
        lines = [
            msgspec.json.encode(Pair(mark_of(text), said(one), said(two))) + b"\n"
            for text, one, two in zip(texts, found, other, strict=True)
        ]
        with self._file.open("ab") as file:
            file.write(b"".join(lines))
            self._on = file.tell() < LARGEST


def mark_of(text: str) -> str:
    """Return what a text is known by in the file."""
    return hash_of(mask(text))


def truth_of(lessons: Iterable[Lesson]) -> dict[str, str]:
    """Return the category of each text that people decided, by the text's mark; texts as they came, not as the log
    shows them: a name starred out there cannot be starred out here, where nobody knows it."""
    return {mark_of(one.text): one.l1 + one.l2 for one in lessons}


def said(triage: Triage) -> Said:
    """Return what is compared of an answer."""
    category = triage.category
    label, confidence = (category.l1 + category.l2, category.confidence) if category else ("", 0.0)
    return Said(triage.model, label, confidence, triage.verdict.value, triage.department)


class Comparison(NamedTuple):
    """Two models over the same texts.

    Attributes:
        judged: texts later decided by people, and on how many of them each model was right.
        alarms: texts that only the present, and only the shadow, called an emergency.
        pairs: commonest disagreements (present, shadow) with their count.
    """

    texts: int
    same_category: int
    same_verdict: int
    dispatched: tuple[int, int]
    alarms: tuple[int, int]
    judged: tuple[int, int, int]
    pairs: list[tuple[tuple[str, str], int]]


def compare(pairs: Iterable[Pair], truth: dict[str, str]) -> Comparison:
    """Compare the last answers on each text; `truth` tells the category of a text's mark where people decided it."""
    found = list({pair.text: pair for pair in pairs}.values())
    judged = [(pair, truth[pair.text]) for pair in found if pair.text in truth]
    apart = Counter((p.present.label, p.shadow.label) for p in found if p.present.label != p.shadow.label)
    alarms = [(p.present.verdict == "emergency", p.shadow.verdict == "emergency") for p in found]
    return Comparison(
        texts=len(found),
        same_category=len(found) - apart.total(),
        same_verdict=sum(p.present.verdict == p.shadow.verdict for p in found),
        dispatched=(sum(bool(p.present.department) for p in found), sum(bool(p.shadow.department) for p in found)),
        alarms=(sum(a and not b for a, b in alarms), sum(b and not a for a, b in alarms)),
        judged=(
            len(judged), sum(p.present.label == label for p, label in judged),
            sum(p.shadow.label == label for p, label in judged),
        ),
        pairs=apart.most_common(15),
    )


def read_pairs(file: Path) -> list[Pair]:
    """Read the file; a torn last line, as a killed process leaves it, is left out."""
    decoder = msgspec.json.Decoder(Pair)
    found = []
    for line in file.read_bytes().splitlines() if file.exists() else ():
        try:
            found.append(decoder.decode(line))
        except msgspec.MsgspecError:
            log.warning("shadow_line_torn", file=str(file))
    return found
