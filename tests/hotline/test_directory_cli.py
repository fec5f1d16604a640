"""`python -m hotline directory`: an editor's way from export to a new version, beside a database that is in use."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hotline.deadlines import ZONE
from tests.hotline.command_line import hotline


async def test_the_way_of_an_editor(database: str, tmp_path: Path) -> None:
    file, day = tmp_path / "directory.csv", str(datetime.now(ZONE).date() + timedelta(days=3))

    async def run(*arguments: str, code: int = 0) -> str:
        ended = await hotline("directory", *arguments, dsn=database)
        assert ended.code == code, ended.err
        return ended.out + ended.err

    assert "441900-2026.1" in await run("export", "-o", str(file))
    text = file.read_text("utf-8-sig")
    file.write_text(text.replace("01,欠薪,,,人力资源和社会保障局,,", "01,欠薪,,,信访局,,"), "utf-8")
    new = ("import", str(file), "--version", "next", "--from", day, "--author", "wang", "--note", "试行")
    assert "nothing was kept" in await run(*new, "--dry-run")
    assert "~ 01 欠薪  lead: 人力资源和社会保障局 → 信访局" in await run(*new)
    assert "exists already" in await run(*new, "--base", "441900-2026.1", code=2)
    listed = await run("list")
    assert "in force" in listed
    assert "wang" in listed
    assert "欠薪" in await run("diff", "441900-2026.1", "next")
    assert "wang next" in await run("history", "--l1", "01", "--l2", "欠薪")
    assert await run("proposals") == ""
    assert "no open proposal" in await run("adopt", "5", "--version", "x", "--from", day, code=2)
    assert "withdrawn" in await run("withdraw", "next")
    assert "(withdrawn)" in await run("history")


@pytest.mark.parametrize(("arguments", "says"), [
    (("export", "-o", "directory.pdf"), ".xlsx"), (("diff", "nothing"), "no version"),
    (("import", "nowhere.csv", "--version", "x", "--from", "2999-01-01"), "nowhere.csv"),
    (("import", "x.csv", "--version", "x", "--from", "soon"), "2027-01-01"),
])
async def test_mistakes_are_told_in_a_line(database: str, arguments: tuple[str, ...], says: str) -> None:
    ended = await hotline("directory", *arguments, dsn=database)
    assert ended.code == 2
    assert says in ended.err
    assert "Traceback" not in ended.err
