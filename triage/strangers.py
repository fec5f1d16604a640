"""Texts by hands that knew nothing of the project, only what it is to do: no training ever sees them, and no cue or
rule is to be taken from them.

`data/strangers/categories_*.jsonl`: `l1`, `l2`, `kind`, `towns`, and `or`, the category that the hand would also have
understood; `read`, the kinds that two others read in the text alone. `data/strangers/emergencies_*.jsonl`: `verdict`,
`services`, and `hard`: of emergencies those that the hand thought hard to find, of calm texts those that only sound
like one. Three errors of rules that they showed on the first day were mended (data/README.md): figures of verdicts are
after that look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from hotline.appeal import Triage
from hotline.terms import Kind, Service, Verdict
from triage.bars import Bar
from triage.real import read_lines

FOLDER = Path(__file__).parent / "data" / "strangers"
Judge = Callable[[Sequence[str]], Sequence[Triage]]
Pairs = Sequence[tuple["Stranger", Triage]]


class Stranger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of either kind of file."""

    text: str
    l1: str = ""
    l2: str = ""
    other: str = msgspec.field(default="", name="or")
    kind: Kind | None = None
    read: tuple[Kind, ...] = ()
    towns: frozenset[str] = frozenset()
    verdict: Verdict | None = None
    services: frozenset[Service] = frozenset()
    hard: bool = False

    @property
    def label(self) -> str:
        """Return both levels in one word."""
        return self.l1 + self.l2


def read_strangers(folder: Path = FOLDER) -> list[Stranger]:
    """Read every file, in order. Raises InvalidInput where a line is no such object."""
    return [one for path in sorted(folder.glob("*.jsonl")) for one in read_lines(path, Stranger)]


def stranger_bars(judge: Judge, texts: Sequence[Stranger]) -> list[Bar]:
    """Return the figures with the bars of the tenth kept aside: first of categories, then of verdicts."""
    pairs = list(zip(texts, judge([one.text for one in texts]), strict=True))
    return [*_of_categories([pair for pair in pairs if pair[0].label]), *_of_verdicts(pairs)]


def _of_categories(pairs: Pairs) -> list[Bar]:
    both = [(one, _labels(found)) for one, found in pairs]
    return [
        Bar("first level right", _share([labels[0][:2] == one.l1 for one, labels in both]), least=0.95),
        Bar("second level right", _share([labels[0] == one.label for one, labels in both]), least=0.88),
        Bar("  or what the writer also understood", _share([labels[0] in _fitting(one) for one, labels in both])),
        Bar("  or among the alternatives", _share([one.label in labels for one, labels in both])),
        Bar("kind right", _share([found.kind is one.kind for one, found in pairs]), least=0.90),
        Bar("  as most of writer and two readers have it", _share([_as_read(one, found.kind) for one, found in pairs])),
        Bar("towns exactly right", _share([set(found.towns) == one.towns for one, found in pairs]), least=0.97),
    ]


def _of_verdicts(pairs: Pairs) -> list[Bar]:
    grave = [(one, found) for one, found in pairs if one.verdict is Verdict.EMERGENCY]
    doubtful = [found.verdict for one, found in pairs if one.verdict is Verdict.UNCLEAR]
    hard = [found.verdict for one, found in pairs if one.hard and one.verdict is Verdict.NON_EMERGENCY]
    calm = [found.verdict for one, found in pairs if one.verdict is Verdict.NON_EMERGENCY and not one.hard]
    wanted = [service in found.services for one, found in grave for service in one.services]
    return [
        Bar("emergencies found", _share([found.verdict is Verdict.EMERGENCY for _, found in grave]), least=0.995),
        Bar("emergencies found or called unclear", _share([_raised(found.verdict) for _, found in grave])),
        Bar("services that the writer would send, named", _share(wanted)),
        Bar("false alarms on hard negatives", _share([one is Verdict.EMERGENCY for one in hard]), most=0.02),
        Bar("hard negatives called unclear", _share([one is Verdict.UNCLEAR for one in hard])),
        Bar("other calm texts raised", _share([_raised(one) for one in calm])),
        Bar("doubtful cases raised", _share([_raised(one) for one in doubtful])),
    ]


def _labels(found: Triage) -> list[str]:
    """Return the label that was said ("" for none), and those of its alternatives."""
    said = found.category.l1 + found.category.l2 if found.category else ""
    return [said, *(other.l1 + other.l2 for other in found.alternatives)]


def _fitting(one: Stranger) -> set[str]:
    return {one.label, one.other} - {""}


def _as_read(one: Stranger, kind: Kind) -> bool:
    """Tell whether a kind is what most of the writer and the readers hold for right."""
    told = [one.kind, *one.read]
    return told.count(kind) > len(told) / 2


def _raised(verdict: Verdict) -> bool:
    return verdict is not Verdict.NON_EMERGENCY


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / max(1, len(hits))
