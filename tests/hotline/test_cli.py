"""The command line as a newcomer meets it: help, mistakes in a line each, and what every command does."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from hotline import keyring
from hotline.__main__ import COMMANDS, parser
from hotline.desk110 import Desk
from hotline.lifecycle import diagram
from hotline.store.embedded import stop_embedded
from tests.processes import POLICE_SECRET, House, free_port

NOWHERE = "postgresql://hotline:geheim@127.0.0.1:9/hotline"


class Ended(msgspec.Struct, frozen=True):
    """A command that has ended."""

    code: int
    out: str
    err: str


async def hotline(*arguments: str, given: bytes = b"", **variables: str) -> Ended:
    """Run `python -m hotline …`; the variables are those after HOTLINE_, in small letters."""
    own = {f"HOTLINE_{name.upper()}": value for name, value in variables.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hotline", *arguments, env=inherited | own, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate(given)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


# ── help ─────────────────────────────────────────────────────────────────────────────────────────
def _parsers(top: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield top
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _parsers(below)


ALL = list(_parsers(parser()))


@pytest.mark.parametrize("found", ALL, ids=lambda found: found.prog)
def test_every_command_has_help_with_an_example(found: argparse.ArgumentParser) -> None:
    text = found.format_help()
    assert "example:\n  " in text
    assert found.prog in text.partition("example:\n  ")[2]
    assert found.description
    told = [action for action in found._actions if not isinstance(action, argparse._SubParsersAction)]
    assert [action.dest for action in told if not action.help] == []


def test_every_command_is_there() -> None:
    assert {found.prog.split()[3] for found in ALL if len(found.prog.split()) > 3} == set(COMMANDS)


async def test_help_is_printed_and_ends_well() -> None:
    ended = await hotline("user", "add", "--help")
    assert (ended.code, ended.err) == (0, "")
    assert "--if-absent" in ended.out


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────
MISTAKES: dict[str, tuple[tuple[str, ...], dict[str, str], list[str]]] = {
    "three settings": (
        ("migrate",), {"http_port": "many", "log_level": "loud", "wechat_aes_key": ""}, ["http_port", "log_level"],
    ),
    "settings that do not fit": (
        ("serve",), {"police_url": "http://desk", "app_tokens": "x"}, ["police_secret", "app_tokens"],
    ),
    "configuration file": (("serve",), {"config": "/no/such/hotline.toml"}, ["/no/such/hotline.toml"]),
    "city folder": (("serve",), {"city_dir": "cities/000000"}, ["cities/000000"]),
    "city folder of triage": (("triage",), {"city_dir": "cities/000000"}, ["cities/000000"]),
    "model folder": (("triage",), {"model_dir": "cities"}, ["cities"]),
    "database of migrate": (("migrate",), {"dsn": NOWHERE}, ["127.0.0.1:9/hotline"]),
    "database of serve": (("serve",), {"dsn": NOWHERE, "http_port": "0", "ws_port": "0"}, ["127.0.0.1:9/hotline"]),
    "database of workers": (
        ("serve", "--workers", "2", "--role", "jobs"), {"dsn": NOWHERE}, ["127.0.0.1:9", "127.0.0.1:9"],
    ),
    "database of user": (("user", "add", "li", "--role", "agent"), {"dsn": NOWHERE}, ["127.0.0.1:9/hotline"]),
    "database's port": (("migrate",), {"dsn": "postgresql://u@127.0.0.1:port/x"}, ["127.0.0.1:port/x"]),
    "data folder": (("database", "start"), {"data_dir": "pyproject.toml"}, ["pyproject.toml"]),
    "database that is not ours": (("database", "stop"), {"dsn": NOWHERE}, ["dsn is set"]),
    "host": (("serve",), {"host": "192.0.2.1", "http_port": "0"}, ["192.0.2.1 is not an address of this machine"]),
    "secret of the desk": (("desk110",), {}, ["police_secret"]),
    "ledger of the desk": (
        ("desk110", "--port", "0", "--ledger", "/no/such/ledger"), {"police_secret": "s"}, ["/no/such/ledger"],
    ),
    "demo against nothing": (("demo", "--url", "http://127.0.0.1:9"), {}, ["http://127.0.0.1:9"]),
    "demo against no address": (("demo", "--url", "hotline"), {}, ["--url"]),
    "demo and workers": (("serve", "--demo", "--workers", "2"), {}, ["--workers"]),
    "texts to train on": (("train", "--data", "/no/such/folder"), {}, ["/no/such/folder"]),
    "tickets to train on": (("train", "--data", "/no/such/tickets.csv"), {}, ["/no/such/tickets.csv"]),
    "checkpoint": (("train", "--encoder", "/no/such/bert"), {}, ["/no/such/bert"]),
    "model to measure": (("eval", "--model", "/no/such/model"), {}, ["/no/such/model"]),
    "database of retrain": (("retrain",), {"dsn": NOWHERE}, ["127.0.0.1:9/hotline"]),
    "database of shadow": (("shadow",), {"dsn": NOWHERE}, ["127.0.0.1:9/hotline"]),
}


@pytest.mark.parametrize("case", MISTAKES)
async def test_a_mistake_is_told_in_a_line(case: str) -> None:
    arguments, variables, expected = MISTAKES[case]
    ended = await hotline(*arguments, given=b"a long passphrase\n", **variables)
    told = [line for line in ended.err.splitlines() if line.startswith("hotline: ")]
    assert ended.code == 2
    assert len(told) <= len(expected)
    assert all(any(part in line for part in expected) for line in told)
    assert {part for part in expected if any(part in line for line in told)} == set(expected)
    assert "Traceback" not in ended.err
    assert "geheim" not in ended.err
    assert ended.out == ""


@pytest.mark.parametrize("arguments", [
    (), ("nonsense",), ("serve", "--role", "cook"), ("serve", "--workers", "0"), ("serve", "--workers", "65"),
    ("serve", "--workers", "two"), ("user",), ("user", "add"), ("user", "add", "li", "--role", "king"),
    ("database",), ("database", "drop"), ("demo", "--rate", "0"), ("demo", "--rate", "nan"),
    ("demo", "--seconds", "inf"), ("demo", "--seconds", "x"), ("desk110", "--port", "65536"),
    ("desk110", "--fault", "sleepy"), ("desk110", "--delay", "-1"), ("check", "everything"),
], ids=" ".join)
def test_wrong_arguments_are_told_with_the_usage(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)
    assert ended.value.code == 2
    usage, _, told = capsys.readouterr().err.partition(": error: ")
    assert usage.startswith("usage: python -m hotline")
    assert told.count("\n") == 1


@pytest.mark.parametrize(("arguments", "setting"), [
    (("serve", "--role", "intake"), "http_port"), (("serve", "--role", "gateway"), "ws_port"),
    (("serve", "--workers", "2"), "http_port"), (("desk110",), "--port"),
])
async def test_a_port_in_use_is_told_in_a_line(arguments: tuple[str, ...], setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        more = ("--port", port) if arguments[0] == "desk110" else ()
        ended = await hotline(*arguments, *more, http_port=port, ws_port=port, police_secret="s", dsn=NOWHERE)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"hotline: {setting}: 127.0.0.1:{port} is in use: stop what listens there, or choose another port\n"
    )


# ── check ────────────────────────────────────────────────────────────────────────────────────────
async def test_check_says_what_is_wrong(tmp_path: Path) -> None:
    ended = await hotline(
        "check", city_dir=str(tmp_path), model_dir=str(tmp_path), dsn=NOWHERE, data_dir="pyproject.toml",
        police_url="http://127.0.0.1:9", police_secret="s",
    )
    assert (ended.code, ended.err) == (1, "")
    marks = {line[6:].partition(":")[0]: line[:6].strip() for line in ended.out.splitlines()}
    assert marks == {
        "configuration": "ok", "city": "FAIL", "models": "FAIL", "files": "FAIL", "database": "FAIL", "110": "FAIL",
        "wechat": "off", "voice": "off", "neighbours": "off", "sms": "off", "calendar": "FAIL",
        "keys": "warn", "speech": "off",
    }
    assert len(ended.out.splitlines()) == len(marks)
    assert "geheim" not in ended.out


async def test_check_names_every_wrong_setting() -> None:
    ended = await hotline("check", http_port="x", log_level="y")
    assert (ended.code, ended.err) == (1, "")
    assert [line[:26] for line in ended.out.splitlines()] == [
        "FAIL  configuration: http_", "FAIL  configuration: log_l",
    ]


async def test_check_is_content_with_a_house_in_order(database: str, tmp_path: Path) -> None:
    keyring.write(tmp_path / "keys.json", keyring.new_file(datetime.now(UTC)))
    ended = await hotline(
        "check", dsn=database, data_dir=str(tmp_path), wechat_token="t", keys_file=str(tmp_path / "keys.json")
    )
    assert {line[:4].strip() for line in ended.out.splitlines()} == {"ok", "off"}
    assert (ended.code, ended.err) == (0, "")


async def test_check_misses_migrations(postgres: str, tmp_path: Path) -> None:
    ended = await hotline("check", dsn=postgres.replace("/postgres?", "/template1?", 1), data_dir=str(tmp_path))
    assert ended.code == 1
    assert "run `python -m hotline migrate`" in ended.out


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
    assert (await add("qu", "--role", "department", "--department", "生态环境局")).code == 0
    refused = await asyncio.gather(
        add("wu", "--role", "agent", password=b"short\n"),
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


# ── demo and desk110 ─────────────────────────────────────────────────────────────────────────────


async def test_demo_sends_on_every_channel_and_sums_up() -> None:
    async with House(durable=False, environment={"HOTLINE_LOG_LEVEL": "error"}) as house:
        house.start_desk()
        await house.serve("--workers", "1")
        settings = {
            name.removeprefix("HOTLINE_").lower(): value
            for name, value in house.environment().items() if name.startswith("HOTLINE_")
        }
        for _ in range(2):  # the same seed twice makes new appeals, no repeats
            ended = await hotline("demo", "--rate", "40", "--seconds", "1.5", **settings)
            assert ended.code == 0, ended.out
            rows = {row[0]: row[1:] for row in map(str.split, ended.out.splitlines()[1:])}
            assert set(rows) == {"web", "app", "open311", "wechat", "police"}
            assert sum(int(row[0]) for row in rows.values()) == 60
            assert all((row[0], row[2]) == (row[1], "0") for row in rows.values())
            assert "60/60" in ended.err
        async with aiohttp.ClientSession() as session, session.get(f"{house.url}/metrics") as answer:
            assert answer.status == 200
        assert await _count(house.dsn, "SELECT count(*) FROM tickets") == 120


async def _count(dsn: str, query: str) -> int:
    import asyncpg

    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def _desk(*arguments: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hotline", "desk110", "--port", str(port), *arguments,
        env={**os.environ, "HOTLINE_POLICE_SECRET": POLICE_SECRET, "HOTLINE_LOG_LEVEL": "warning"},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(30):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{port}/") as answer:
                        if answer.status == 200:
                            break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _push(session: aiohttp.ClientSession, url: str, key: str) -> dict[str, Any] | int | None:
    """Push once: the answer, the status where it is none of success, or None where the connection was cut."""
    from datetime import UTC, datetime

    from hotline.signing import signed_headers

    body = msgspec.json.encode({"number": key})
    headers = {**signed_headers(POLICE_SECRET, body, now=datetime.now(UTC)), "Idempotency-Key": key}
    try:
        async with session.post(f"{url}/incidents", data=body, headers=headers) as answer:
            return dict(await answer.json()) if answer.status == 200 else answer.status
    except aiohttp.ServerDisconnectedError:
        return None


async def test_the_desk_shows_each_fault_while_it_runs(tmp_path: Path) -> None:
    assert set(Desk.FAULTS) == {"none", "slow", "down", "refusing", "twice", "error"}
    ledger = tmp_path / "desk.jsonl"
    start = _desk("--fault", "refusing", "--ledger", str(ledger))
    async with start as (url, process), aiohttp.ClientSession() as session:
        async def switch(**fault: Any) -> int:
            async with session.put(f"{url}/faults", json=fault) as answer:
                return answer.status

        async def push(key: str) -> Any:
            return await _push(session, url, key)

        refused = await push("refused")
        assert (refused["accepted"], refused["reason"]) == (False, "非警务警情")
        assert await switch(fault="none") == 200
        assert await push("refused") == refused, "a repeat gets the first answer"
        assert (await push("none"))["accepted"] is True
        assert await switch(fault="down") == 200
        assert await push("down") is None
        assert await switch(fault="error") == 200
        assert await push("error") == 500
        assert await switch(fault="twice") == 200
        assert [await push("twice") is None for _ in range(2)] == [True, False]
        assert await switch(fault="slow", delay=0.2) == 200
        assert (await push("slow"))["accepted"] is True
        assert [await switch(fault="sleepy"), await switch(fault="slow", delay=0), await switch()] == [400] * 3
        async with session.get(f"{url}/incidents") as answer:
            found = {one["key"]: one["pushes"] for one in await answer.json()}
        assert found == {"refused": 2, "none": 1, "twice": 2, "slow": 1}
        assert [json.loads(line)["key"] for line in ledger.read_text().splitlines()] == list(found)
        process.terminate()
        assert await process.wait() == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""
