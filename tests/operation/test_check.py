"""`check` and `serve` name variables that nobody reads; `check` tells what an installation lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_ui import page
from hotline.cli.check import CHECKS
from hotline.config import Settings, misspelt
from tests.operation.deployed import OPERATIONS


@pytest.mark.parametrize(("name", "told"), [
    ("HOTLINE_HTTP_PROT", "HOTLINE_HTTP_PROT is no setting and is not read: did you mean HOTLINE_HTTP_PORT?"),
    ("HOTLINE_POLICEURL", "HOTLINE_POLICEURL is no setting and is not read: did you mean HOTLINE_POLICE_URL?"),
    ("HOTLINE_ZZZZZZ", "HOTLINE_ZZZZZZ is no setting and is not read"),
])
def test_a_variable_that_is_no_setting_is_named(name: str, told: str) -> None:
    assert misspelt([name, "PATH", "HOTLINE_CONFIG", "HOTLINE_DSN", "hotline_dsn"]) == [told]


def test_settings_and_other_variables_are_fine() -> None:
    assert misspelt(["HOTLINE_HTTP_PORT", "HOTLINE_CONFIG", "HOME"]) == []


async def test_pages_that_are_not_built_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "DIST", tmp_path)
    told = await CHECKS["pages"](Settings())
    assert told.startswith("warn: not built: /, /console")
    assert "make pages" in told
    (tmp_path / "index.html").touch()
    assert await CHECKS["pages"](Settings()) == f"built, in {tmp_path}"


@pytest.mark.parametrize("heading", ["Install", "Upgrade"])
def test_every_way_to_an_installation_builds_the_pages(heading: str) -> None:
    assert "make pages" in OPERATIONS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
