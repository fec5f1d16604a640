"""`python -m hotline figures …` and `report`, over a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import openpyxl
import pytest

from hotline.__main__ import main
from hotline.store.database import open_pool
from hotline.store.tally import catch_up
from tests.cities import NOW
from tests.figures.city import City

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
async def city(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[City]:
    monkeypatch.setenv("HOTLINE_DSN", database)
    async with await open_pool(database) as pool:
        made = City(pool, 21, NOW)
        await made.happen(250)
        await catch_up(pool, lambda: made.now)
        yield made


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(main, list(arguments))


async def test_check_finds_what_differs_and_rebuild_mends_it(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("figures", "check") == 0
    assert f"of {len(city.tickets)} tickets agree" in capsys.readouterr().out
    await city.pool.execute("UPDATE tally_rollup SET received = 1000 WHERE grain = 'hour' AND received IS NOT NULL")
    assert await run("figures", "check") == 1
    told = capsys.readouterr().out
    assert "differs" in told
    assert "kept 1000" in told
    assert await run("figures", "rebuild") == 0
    assert await run("figures", "check") == 0


async def test_show_writes_what_is_asked_for(city: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = ("--from", "2026-11-01", "--to", "2027-06-30")
    assert await run("figures", "show", *days, "--by", "kind") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("诉求类型,受理诉求,")
    for name in ("a.csv", "a.xlsx"):
        assert await run("figures", "show", *days, "--by", "kind", "-o", str(tmp_path / name)) == 0
    assert (tmp_path / "a.csv").read_text(encoding="utf-8-sig").split() == printed.split()
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert sheet.max_row == len(printed.splitlines())


@pytest.mark.parametrize(("arguments", "mends"), [
    (("show", "--by", "moon"), "--by is one of"), (("show", "-o", "a.pdf"), ".csv or .xlsx"),
    (("show", "--from", "2026-11-02", "--to", "2026-11-01"), "from the first to the last"),
])
async def test_a_mistake_says_what_to_mend(
    city: City, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], mends: str
) -> None:
    assert await run("figures", *arguments) == 2
    assert mends in capsys.readouterr().err


async def test_the_report_of_a_month(city: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.html"
    assert await run("report", "--month", "2026-11", "-o", str(file)) == 0
    text = file.read_text(encoding="utf-8")
    assert "东莞" in text
    assert "2026年11月运行月报" in text
    assert await run("report", "--month", "november") == 2
    assert "2026-10" in capsys.readouterr().err
