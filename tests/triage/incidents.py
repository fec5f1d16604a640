"""Reads tests/triage/data/incidents_*.txt, and measures a grouping against them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data"


class Told(NamedTuple):
    """One telling of an incident."""

    incident: str
    at: datetime
    text: str


def incidents(files: str = "[a-f]") -> list[Told]:
    """Return every telling of the files whose weights were fitted on, or of other `files` ("held": of none)."""
    return [told for path in sorted(DATA.glob(f"incidents_{files}.txt")) for told in _read(path)]


def _read(path: Path) -> Iterator[Told]:
    for number, block in enumerate(path.read_text("utf-8").split("\n\n")):
        for line in block.splitlines():
            if line and not line.startswith("#"):
                day, hour, text = line.split(" ", 2)
                dated = day if len(day) > len("MM-DD") else f"2026-{day}"
                moment = datetime.strptime(f"{dated} {hour}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
                yield Told(f"{path.stem}:{number}", moment, text)


def b_cubed(truth: Sequence[object], found: Sequence[object]) -> tuple[float, float, float]:
    """Return precision, recall and F1, averaged over the texts (Bagga and Baldwin 1998)."""
    ours, theirs = _sets(truth), _sets(found)
    rows = [(ours[one], theirs[other]) for one, other in zip(truth, found, strict=True)]
    precision = sum(len(own & got) / len(got) for own, got in rows) / len(rows)
    recall = sum(len(own & got) / len(own) for own, got in rows) / len(rows)
    return precision, recall, 2 * precision * recall / (precision + recall)


def _sets(labels: Sequence[object]) -> dict[object, set[int]]:
    found: dict[object, set[int]] = defaultdict(set)
    for number, label in enumerate(labels):
        found[label].add(number)
    return found
