"""Reads the city's place names from its CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from hotline.errors import InvalidInput
from triage.near import NearNames
from triage.place import KINDS, Gazetteer, Name

_FULL, _ELSEWHERE = "full", "elsewhere"
"""Kinds of what is never looked for: names that may be misspelt, and what is spelt so but means something else."""
_COLUMNS = ["name", "unit", "kind", "strength"]


def load_gazetteer(folder: Path, city: str = "") -> Gazetteer:
    """Read every CSV file of the city's place folder; places.csv, made by hand, wins over the others.

    Args:
        city: its name without 市, which people put before the names of its towns.

    Raises:
        InvalidInput: a file cannot be read or has a wrong line; all mistakes are listed.
    """
    wrong: list[str] = []
    paths = sorted(folder.glob("*.csv"), key=lambda path: (path.name != "places.csv", path.name))
    names = [name for path in paths for name in _read(path, wrong)]
    if wrong or not names:
        detail = "\n".join(wrong) or "没有地名文件"
        raise InvalidInput(f"{folder} 有误:\n{detail}", error_id="gazetteer_invalid")
    full = {name.text: name.unit for name in names if name.kind == _FULL}
    near = NearNames(full, [name.text for name in names if name.kind == _ELSEWHERE], city)
    return Gazetteer([name for name in names if name.kind in KINDS], city, near)


def _read(path: Path, wrong: list[str]) -> Iterator[Name]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        wrong.append(f"{path.name}: {error}")
        return
    rows = csv.reader(lines)
    if next(rows, []) != _COLUMNS:
        wrong.append(f"{path.name}:1: 表头应为 {','.join(_COLUMNS)}")
        return
    for row in rows:
        if len(row) != 4 or not row[0] or row[2] not in {*KINDS, _FULL, _ELSEWHERE} or row[3] not in ("strong", "weak"):
            wrong.append(f"{path.name}:{rows.line_num}: 应为 name,unit,kind,strength")
        else:
            yield Name(row[0], row[1], row[2], row[3] == "strong")
