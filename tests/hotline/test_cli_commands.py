"""What the commands do: database, accounts, units, the diagram, triage."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hotline.lifecycle import diagram
from hotline.store.database import open_pool
from hotline.store.directories import DirectoryStore
from hotline.store.embedded import stop_embedded
from routing.directory import Unit, UnitKind
from tests.cities import DIRECTORY, NOW
from tests.hotline.command_line import NOWHERE, Ended, hotline
from tests.hotline.test_intake import all_rows


# ── database, migrate, user, diagram ─────────────────────────────────────────────────────────────
async def test_the_embedded_database_starts_migrates_twice_and_stops() -> None:
    home = await asyncio.to_thread(_home)
    try:
        started = await hotline("database", "start", data_dir=str(home))
        assert started.code == 0
        assert started.out.startswith("postgresql://")
        assert (await hotline("database", "start", data_dir=str(home))).out == started.out
        first, again = [await hotline("migrate", data_dir=str(home)) for _ in range(2)]
        assert (first.code, again.code) == (0, 0)
        assert first.out.splitlines()[0] == "0001 foundation"
        assert again.out == "up to date\n"
        assert (await hotline("database", "stop", data_dir=str(home))).out == "stopped\n"
        assert (await hotline("database", "stop", data_dir=str(home))).out == "was not running\n"
    finally:
        await asyncio.to_thread(stop_embedded, home)
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


def _home() -> Path:
    """A folder that the database's own user can enter (pytest's cannot be, as root)."""
    import tempfile

    home = Path(tempfile.mkdtemp(prefix="hotline-cli-"))
    home.chmod(0o755)
    return home


async def test_an_account_is_added_once(database: str) -> None:
    async def add(*arguments: str, password: bytes = b"a long passphrase\n") -> Ended:
        return await hotline("user", "add", *arguments, given=password, dsn=database)

    assert await add("li", "--role", "agent") == Ended(0, "added li (agent)\n", "")
    taken = await add("li", "--role", "agent")
    assert (taken.code, taken.out, taken.err.count("\n")) == (2, "", 1)
    assert "li" in taken.err
    assert await add("li", "--role", "agent", "--if-absent") == Ended(0, "", "")
    await all_rows(database, "UPDATE staff SET active = false")
    assert await add("li", "--role", "agent", "--if-absent", password=b"short\n") == Ended(0, "", "")
    assert (await add("qu", "--role", "department", "--department", "生态环境局", "--own")).code == 0
    assert dict(await all_rows(database, "SELECT name, must_change FROM staff")) == {"li": True, "qu": False}
    refused = await asyncio.gather(
        add("wu", "--role", "agent", password=b"short\n"), add("wu", "--role", "agent", password=b"12345678\n"),
        add("wu", "--role", "agent", password=b""),
        add("wu", "--role", "agent", password=b"\xff" * 300),
        add("wu", "--role", "department"),
        add("wu", "--role", "department", "--department", "没有这个局"),
        add(" ", "--role", "agent"),
    )
    for ended in refused:
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert ended.err.startswith("hotline: ")


async def test_a_units_system_is_registered_listed_and_its_dead_letters_resent(database: str) -> None:
    made = await hotline("unit", "register", "水务局", "--url", "https://system.example.gov.cn/x", dsn=database)
    told = dict(line.split(None, 1) for line in made.out.splitlines())
    assert (made.code, set(told), told["unit"]) == (0, {"unit", "url", "secret", "token"}, "水务局")
    again = await hotline("unit", "register", "水务局", "--off", dsn=database)
    assert "token" not in again.out
    listed = await hotline("unit", "list", dsn=database)
    assert listed.out.startswith("水务局\toff")
    assert told["secret"] not in listed.out
    assert (await hotline("unit", "dead", dsn=database)).out == ""
    for arguments, mistake in (
        (("register", "无此局"), "not in the dispatch directory"),
        (("register", "水务局", "--url", "http://localhost/"), "https"), (("resend", "wh-1-1"), "no webhook"),
    ):
        ended = await hotline("unit", *arguments, dsn=database)
        assert (ended.code, ended.out) == (2, "")
        assert mistake in ended.err
        assert "Traceback" not in ended.err


async def test_a_unit_of_an_imported_version_has_an_account_and_a_system(database: str) -> None:
    unit = "低空经济局"
    imported = msgspec.structs.replace(
        DIRECTORY, version="441900-2026.2", effective_from=date(2026, 1, 2),
        units={**DIRECTORY.units, unit: Unit(name=unit, kind=UnitKind.BUREAU)},
    )
    async with await open_pool(database) as pool:
        await DirectoryStore(pool).seed(imported, NOW)
    added = await hotline(
        "user", "add", "dk", "--role", "department", "--department", unit, given=b"a long passphrase\n", dsn=database
    )
    assert added == Ended(0, "added dk (department)\n", "")
    registered = await hotline("unit", "register", unit, dsn=database)
    assert (registered.code, unit in registered.out) == (0, True)


async def test_a_unit_desk_that_handles_needs_to_know_for_whom() -> None:
    ended = await hotline("unitdesk", "--secret", "x", "--handle")
    assert (ended.code, ended.err) == (2, "hotline: --handle needs --unit and --token\n")


async def test_the_diagram_is_drawn() -> None:
    assert await hotline("diagram") == Ended(0, diagram(), "")


# ── triage ───────────────────────────────────────────────────────────────────────────────────────
def _lines(*given: Any) -> bytes:
    return b"".join(msgspec.json.encode(one) + b"\n" if not isinstance(one, bytes) else one for one in given)


async def test_triage_answers_every_line_in_its_place(tmp_path: Path) -> None:
    given = _lines(
        {"text": "南城工地半夜还在打桩", "channel": "wechat"}, b"no json\n", b"\n", b'{"text": "\xff"}\n', {"text": ""},
        {"text": 1}, {"channel": "web"}, {"text": "东城" + "路灯不亮, " * 60_000},
        {"text": "有人持刀伤人快来", "more": 1},
    )
    ended = await hotline("triage", given=given, dsn=NOWHERE, data_dir=str(tmp_path / "none"))
    answers = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 1
    assert ended.err == ""
    assert ["error" in answer for answer in answers] == [False, True, True, False, True, True, False, False]
    assert answers[0]["category"]["l2"] == "施工噪声"
    assert answers[0]["towns"] == ["南城"]
    assert answers[3]["needs_person"] is True
    assert answers[6]["towns"] == ["东城"]
    assert (answers[7]["verdict"], "110" in answers[7]["services"]) == ("emergency", True)
    assert not (tmp_path / "none").exists(), "triage needs no database"


@pytest.mark.parametrize("given", [b"", b"\n \n"])
async def test_triage_of_nothing_is_nothing(given: bytes) -> None:
    assert await hotline("triage", given=given) == Ended(0, "", "")


async def test_triage_starts_many_times_at_once_and_in_any_locale() -> None:
    given = _lines(*({"text": f"小区{n}栋电梯坏了"} for n in range(300)))
    ended = await asyncio.gather(*(hotline("triage", given=given, dsn=NOWHERE) for _ in range(4)))
    assert {one.code for one in ended} == {0}
    assert len({one.out for one in ended}) == 1
    assert len(ended[0].out.splitlines()) == 300


async def test_a_reader_that_goes_away_is_no_traceback() -> None:
    given = _lines(*({"text": f"小区{n}栋电梯坏了" * 30} for n in range(600)))
    process = await asyncio.create_subprocess_shell(
        f"{sys.executable} -m hotline triage | head -n 1", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate(given)
    assert out.count(b"\n") == 1
    assert err == b""
