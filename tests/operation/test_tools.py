"""What tests and checks are made with is written down with its reason (docs/decisions/0022)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import pages
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


def test_the_bench_measures_all_else_where_pages_cannot_be_built() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    changed = ["--what-if=agent_ui/web/index.html", "--what-if=agent_ui/web/package-lock.json"]
    alone = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", "--dry-run", *changed, "bench"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=alone)
    lines = done.stdout.splitlines()
    [first] = [number for number, line in enumerate(lines) if line.endswith("-m bench")]
    built = [number for number, line in enumerate(lines) if "pages ||" in line or "npm" in line]
    assert built
    assert first < min(built), "nothing that figures of HTTP need waits for npm"
    assert any("bench.scale" in line for line in lines[max(built):])


def test_the_bench_of_the_pages_says_that_it_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(pages, "DIST", tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench.pages"])
    pages.main()
    assert "is not measured" in capsys.readouterr().err
