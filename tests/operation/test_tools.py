"""What tests and checks are made with is written down with its reason (docs/decisions/0022)."""

from __future__ import annotations

import re
from pathlib import Path

from tests.floors import floors


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


def test_coverage_is_counted_on_the_floors_that_need_no_edge() -> None:
    found = floors()
    for name, file in (
        ("F3 use cases", "hotline/intake.py"), ("F3 use cases' kit", "hotline/limit.py"),
        ("F2 ports", "hotline/ports.py"), ("F1 policies", "hotline/opening.py"), ("F0 domain", "hotline/decide.py"),
    ):
        assert file in found[name]
    assert all(Path(file.removesuffix("/*")).exists() for files in found.values() for file in files)
