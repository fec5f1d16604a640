"""The command line as a newcomer meets it: help, mistakes in a line each, and what `check` says."""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from hotline import keyring
from hotline.__main__ import COMMANDS, main, parser
from hotline.cli.check import _NEEDS, CHECKS
from hotline.config import describe
from tests.hotline.command_line import NOWHERE, hotline


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
    "malformed settings and some that do not fit": (
        ("migrate",), {"http_port": "many", "police_url": "http://desk"}, ["http_port", "police_secret"],
    ),
    "calls that are no UTF-8": (("staffing", "--data", sys.executable), {}, [sys.executable]),
    "one port for two": (("serve",), {"http_port": "9000", "ws_port": "9000"}, ["http_port, ws_port"]),
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
    ("figures", "check"), ("figures", "show"), ("queues", "show"), ("queues", "export"), ("staffing",),
    ("user", "add", "li", "--role", "agent"), ("figures", "rebuild"),
], ids=" ".join)
async def test_a_database_that_is_not_migrated_is_told_in_a_line(arguments: tuple[str, ...], postgres: str) -> None:
    ended = await hotline(*arguments, given=b"a long passphrase\n", dsn=postgres)
    assert (ended.code, ended.out) == (2, "")
    [told] = ended.err.splitlines()
    assert told.startswith("hotline: the database ")
    assert told.endswith(": run `python -m hotline migrate`")


async def test_a_database_that_goes_away_in_the_middle_is_told_in_a_line(database: str) -> None:
    holds, looks = await asyncpg.connect(database), await asyncpg.connect(database)
    try:
        async with holds.transaction():
            await holds.execute("LOCK TABLE queue_versions IN ACCESS EXCLUSIVE MODE")
            running = asyncio.create_task(hotline("queues", "show", dsn=database))
            while not running.done() and not await looks.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ):
                await asyncio.sleep(0.05)
            ended = await running
    finally:
        await holds.close()
        await looks.close()
    assert (ended.code, ended.out) == (2, "")
    [told] = ended.err.splitlines()
    assert told.startswith("hotline: the database did not do what was asked: ")


@pytest.mark.parametrize(("raised", "told"), [
    (TimeoutError(), "TimeoutError"),
    (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
    (asyncpg.UniqueViolationError("duplicate key\nDETAIL: 13800138000"), "asked: duplicate key"),
], ids=["silence", "disk", "row"])
def test_whatever_ends_a_command_is_told_without_personal_data(
    raised: Exception, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> None:
        raise raised

    monkeypatch.setattr("hotline.city.load_city", broken)
    assert main(["migrate"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("hotline: ")
    assert line.endswith(told)


@pytest.mark.parametrize("arguments", [
    (), ("nonsense",), ("serve", "--role", "cook"), ("serve", "--workers", "0"), ("serve", "--workers", "65"),
    ("serve", "--workers", "two"), ("user",), ("user", "add"), ("user", "add", "li", "--role", "king"),
    ("backup", "-o", "/no/such/folder/"),
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
        variables = {setting: port} if setting.endswith("_port") else {}
        ended = await hotline(*arguments, *more, police_secret="s", dsn=NOWHERE, **variables)
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
        "keys": "warn", "staff": "ok", "addresses": "ok", "speech": "off", "pages": marks["pages"],
    }
    assert len(ended.out.splitlines()) == len(marks)
    assert "geheim" not in ended.out


async def test_check_names_every_wrong_setting_and_looks_at_what_needs_none_of_them() -> None:
    ended = await hotline(
        "check", http_port="x", log_level="y", dsn="localhost", police_url="http://127.0.0.1:9", keys_file="/no/such",
    )
    assert (ended.code, ended.err) == (1, "")
    lines = ended.out.splitlines()
    assert [line.partition(": ")[2].partition(":")[0] for line in lines if line.startswith("FAIL  configuration")] == [
        "http_port", "log_level", "dsn", "police_secret",
    ]
    marks = {line[6:].partition(":")[0]: line[:6].strip() for line in lines}
    assert (marks["city"], marks["110"], marks["keys"], marks["database"]) == ("ok", "FAIL", "FAIL", "off")
    assert "off   database: not looked at before dsn can be used" in lines


async def test_check_tells_a_file_that_cannot_be_read() -> None:
    ended = await hotline("check", config="/no/such/hotline.toml")
    assert (ended.code, ended.err) == (1, "")
    assert ended.out == "FAIL  configuration: /no/such/hotline.toml: No such file or directory\n"


def test_every_check_has_said_which_settings_it_needs() -> None:
    names = {name for name, *_ in describe()}
    assert _NEEDS.keys() == CHECKS.keys()
    assert all(needed <= names for needed in _NEEDS.values())


async def test_serve_warns_of_variables_that_nobody_reads() -> None:
    ended = await hotline("serve", http_port="0", ws_port="0", city_dir="cities/000000", http_prot="8080")
    warned = [json.loads(line) for line in ended.err.splitlines() if line.startswith("{")]
    assert [(one["event"], one["level"], one["detail"]) for one in warned] == [(
        "variable_not_read", "warning",
        "HOTLINE_HTTP_PROT is no setting and is not read: did you mean HOTLINE_HTTP_PORT?",
    )]


async def test_check_is_content_with_a_house_in_order(database: str, tmp_path: Path) -> None:
    keyring.write(tmp_path / "keys.json", keyring.new_file(datetime.now(UTC)))
    ended = await hotline(
        "check", dsn=database, data_dir=str(tmp_path), wechat_token="t", keys_file=str(tmp_path / "keys.json")
    )
    told = [line for line in ended.out.splitlines() if "  pages: " not in line]  # not built everywhere that tests run
    assert {line[:4].strip() for line in told} == {"ok", "off"}
    assert (ended.code, ended.err) == (0, "")


async def test_check_misses_migrations(postgres: str, tmp_path: Path) -> None:
    ended = await hotline("check", dsn=postgres.replace("/postgres?", "/template1?", 1), data_dir=str(tmp_path))
    assert ended.code == 1
    assert "run `python -m hotline migrate`" in ended.out


# ── logs ─────────────────────────────────────────────────────────────────────────────────────────
TELLING = """
import runpy, sys
import structlog
from hotline.cli import diagram

log = structlog.get_logger("hotline.store")
diagram.run = lambda given: log.info("not_told") or log.warning("told", phone="13800138000") or 0
sys.argv[1:] = ["diagram"]
runpy.run_module("hotline", run_name="__main__")
"""


def test_what_a_command_logs_goes_masked_to_standard_error() -> None:
    ended = subprocess.run([sys.executable, "-c", TELLING], capture_output=True, text=True, check=True)
    [line] = map(json.loads, ended.stderr.splitlines())
    assert (line["event"], line["phone"]) == ("told", "138****8000")
    assert ended.stdout == ""
