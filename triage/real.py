"""Real appeals for measuring: two sets that a developer may have beside the project. Nothing is trained on them for
shipping, and no text of theirs is written anywhere.

- `appeals_7class.jsonl`: `title`, `text`, `label` (one of seven classes), `dup_group` (texts that repeat each other).
- `appeals_hotspots.jsonl`: `id`, `title`, `text`, no label; ordinary appeals.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TypeVar

import msgspec

from hotline.appeal import Category, Triage
from hotline.errors import InvalidInput

LABELLED, ORDINARY = "appeals_7class.jsonl", "appeals_hotspots.jsonl"
T = TypeVar("T", bound=msgspec.Struct)
NOWHERE = "–"
"""The class of an answer that has no counterpart among the seven."""


class RealAppeal(msgspec.Struct, frozen=True):
    """One line of either set."""

    text: str = ""
    title: str = ""
    label: str = ""
    dup_group: int = -1

    @property
    def whole(self) -> str:
        """Return title and text as one message."""
        return f"{self.title}\n{self.text}" if self.title else self.text


def read_real(path: Path) -> list[RealAppeal]:
    """Read a set, in order. Raises InvalidInput, as `read_lines`."""
    return read_lines(path, RealAppeal)


def read_lines(path: Path, kind: type[T]) -> list[T]:
    """Read a file of JSON lines that are all of one kind, in order.

    Raises:
        InvalidInput: a line is no such object; names file and line.
    """
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            found.append(msgspec.json.decode(line, type=kind))
        except msgspec.MsgspecError as error:
            raise InvalidInput(f"{path.name}:{number}: {error}", error_id="corpus_invalid") from error
    return found


def mapping() -> dict[tuple[str, str], str]:
    """Return the class of each (l1, l2) in `data/seven_classes.csv`; l2 `*` stands for the rest of its first level."""
    lines = resources.files("triage").joinpath("data/seven_classes.csv").read_text("utf-8").splitlines()
    return {(row["l1"], row["l2"]): row["class"] or NOWHERE for row in csv.DictReader(lines)}


def class_of(category: Category | None, classes: dict[tuple[str, str], str]) -> str:
    """Return the class that a category maps to, `NOWHERE` without a counterpart."""
    if category is None:
        return NOWHERE
    return classes.get((category.l1, category.l2), classes.get((category.l1, "*"), NOWHERE))


def nearest_class(found: Triage, classes: dict[tuple[str, str], str]) -> str:
    """Return the first class that the category or one of its alternatives maps to, `NOWHERE` where none does."""
    told = (class_of(category, classes) for category in (found.category, *found.alternatives))
    return next((name for name in told if name != NOWHERE), NOWHERE)


def mapping_lines(classes: dict[tuple[str, str], str], names: Sequence[str]) -> list[str]:
    """Return one line for each class: the categories that map to it."""
    lines = []
    for name in (*names, NOWHERE):
        parts = [l1 + ("" if l2 == "*" else l2) for (l1, l2), to in classes.items() if to == name]
        lines.append(f"  {name:<9}← {' '.join(parts)}")
    return lines
