"""Bars that a model is to clear, and how figures beside them, and confidences, are shown as text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

BINS = 10
_WIDTH = 40


class Bar(NamedTuple):
    """A figure beside the bar set for it: at least `least`, at most `most`; with neither it is only told."""

    name: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def cleared(self) -> bool:
        """Tell whether the figure is on the right side of its bar."""
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    @property
    def barred(self) -> bool:
        """Tell whether there is a bar at all."""
        return self.least is not None or self.most is not None

    def line(self) -> str:
        """Return the figure, its bar and the outcome in one line."""
        sign, bar = ("≥", self.least) if self.least is not None else ("≤", self.most)
        if bar is None:
            return f"  {self.name:<58}{self.value:>10.4f}"
        return f"  {self.name:<58}{self.value:>10.4f}  {sign} {bar:<6g} {'ok' if self.cleared else 'MISSED'}"


class Bin(NamedTuple):
    """Answers whose confidence lies in one tenth: how many, their mean confidence, and the share that was right."""

    size: int
    stated: float
    found: float


def bins_of(confidence: Sequence[float], right: Sequence[bool], count: int = BINS) -> list[Bin]:
    """Return `count` bins of equal width from 0 to 1; an empty one is all zeros."""
    rows: list[list[tuple[float, bool]]] = [[] for _ in range(count)]
    for stated, hit in zip(confidence, right, strict=True):
        rows[min(count - 1, int(stated * count))].append((stated, hit))
    return [
        Bin(len(row), sum(c for c, _ in row) / len(row), sum(h for _, h in row) / len(row)) if row else Bin(0, 0.0, 0.0)
        for row in rows
    ]


def error_of(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error: |stated − found| averaged over bins by size."""
    total = sum(one.size for one in bins)
    return sum(one.size * abs(one.stated - one.found) for one in bins) / total if total else 0.0


def diagram(bins: Sequence[Bin]) -> str:
    """Return a reliability diagram: a bar as long as the share right, and `|` where it would be if well calibrated."""
    lines = ["  confidence      texts  stated  right"]
    for number, one in enumerate(bins):
        drawn = list("█" * round(one.found * _WIDTH) + " " * (_WIDTH + 1))[: _WIDTH + 1]
        if one.size:
            drawn[round(one.stated * _WIDTH)] = "|"
        low, high = number / len(bins), (number + 1) / len(bins)
        lines.append(
            f"  {low:.1f} – {high:.1f}  {one.size:>9}  {one.stated:>6.3f} {one.found:>6.3f}  {''.join(drawn).rstrip()}"
        )
    return "\n".join(lines)


class Scored(NamedTuple):
    """One class's precision, recall and F1 over `count` texts of it."""

    name: str
    size: int
    precision: float
    recall: float
    f1: float


def scored(truth: Sequence[str], found: Sequence[str], classes: Iterable[str]) -> list[Scored]:
    """Return the figures of each class; an answer outside `classes` is a miss of its class and nobody's hit."""
    pairs = list(zip(truth, found, strict=True))
    table = []
    for name in classes:
        hits = sum(t == f == name for t, f in pairs)
        asked, said = sum(t == name for t, _ in pairs), sum(f == name for _, f in pairs)
        precision, recall = hits / max(1, said), hits / max(1, asked)
        table.append(Scored(name, asked, precision, recall, 2 * hits / max(1, asked + said)))
    return table


def macro_f1(table: Sequence[Scored]) -> float:
    """Return the mean F1 of the classes."""
    return sum(one.f1 for one in table) / max(1, len(table))


def table_text(table: Sequence[Scored]) -> str:
    """Return the figures of the classes as lines."""
    return "\n".join(
        f"  {one.name:<12}{one.size:>7} texts   precision {one.precision:.3f}   recall {one.recall:.3f}"
        f"   F1 {one.f1:.3f}"
        for one in table
    )
