"""`city init`: write a city's place files from dictionaries."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

from hotline.cli.base import command


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "city", run,
        summary="write the gazetteer of any city of China (docs/city.md); needs requirements-city.txt",
        example="pip install --no-deps -r requirements-city.txt && python -m hotline city init --code 440100",
    )
    parser.add_argument("action", choices=["init"], help="what to do")
    parser.add_argument("--code", required=True, help="six digits of GB/T 2260: 441900 东莞, 440100 广州, 429004 仙桃")
    parser.add_argument("--out", type=Path, help="the city's folder (default: cities/CODE)")
    parser.add_argument("--dictionaries", type=Path, help="a folder with JioNLP's dictionaries, if it is not installed")


def run(given: argparse.Namespace) -> int:
    """Write the files and tell what each holds."""
    from triage.dictionaries import Dictionaries
    from triage.gazetteer import load_gazetteer
    from triage.gazetteer_build import write_city

    folder = given.out or Path("cities") / given.code
    written = write_city(folder, given.code, Dictionaries(given.dictionaries), _units(folder / "units.csv"))
    load_gazetteer(folder / "places")
    for name, lines in written.items():
        sys.stdout.write(f"{folder / name}: {lines}\n")
    for name in ("city.toml", "categories.csv", "directory.csv", "calendar.csv"):
        if not (folder / name).exists():
            sys.stdout.write(f"{folder / name} is missing: copy it from cities/441900 and edit it (docs/city.md)\n")
    return 0


def _units(path: Path) -> list[str]:
    if not path.exists():
        return []
    rows = csv.DictReader(path.read_text("utf-8-sig").splitlines())
    return [row["name"] for row in rows if row.get("kind") in ("town", "park")]
