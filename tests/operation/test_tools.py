"""What tests and checks are made with is written down with its reason (docs/decisions/0022)."""

from __future__ import annotations

import re
from pathlib import Path


def test_every_tool_has_its_reason() -> None:
    lines = Path("requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    tools = {re.split(r"[<>=\[]", line)[0] for line in lines if line and line[0] not in "#-"}
    [note] = Path("docs/decisions").glob("*-tools-of-tests.md")
    rows = [line.split("|")[1] for line in note.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    told = {name.strip() for row in rows[1:] for name in row.split(",")}
    assert tools == told


def test_every_requirement_has_both_bounds() -> None:
    for file in ("requirements.txt", "requirements-dev.txt", "requirements-train.txt"):
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            if line and line[0] not in "#-" and not line.startswith("tzdata"):  # a new tzdata is always the right one
                assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z]+\])?>=[0-9.]+,<[0-9.]+", line), f"{file}: {line}"
