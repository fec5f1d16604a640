"""What is done on the command line is in the audit: every command is looked at, and nothing is done unseen."""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hotline.__main__ import main, parser
from hotline.cli.acts import Act, kept
from hotline.errors import InvalidInput, RuleViolation, Unavailable
from hotline.store.database import open_pool
from tests.conftest import _admin, _named
from tests.hotline.command_line import NOWHERE
from tests.privacy.test_commands import dsn

__all__ = ["dsn"]
OPERATOR = f"command_line:{pwd.getpwuid(os.getuid()).pw_name}"
WITHOUT = {
    "reads": {
        "audit head", "keys show", "person holds", "unit list", "unit dead", "directory list",
        "directory export", "directory diff", "directory history", "directory proposals", "neighbour parcels",
        "knowledge search", "knowledge overdue", "queues export", "queues show", "figures check", "figures define",
        "figures show", "report", "staffing", "check",
    },
    "has no database": {
        "triage", "cluster", "train", "eval", "city", "prompts", "diagram", "openapi", "database",
    },
    "speaks with a service as others do": {"demo", "neighbour call"},
    "is a stand-in": {"desk110", "unitdesk", "sms", "oidc", "funasr", "neighbour grid"},
    "is the service": {"serve"},
    "is kept by the migrations themselves": {"migrate"},
}
"""Commands without an act, and why. A new command that is in no set and has no act fails here."""


def leaves(top: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    below = [action for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for one in action.choices.values():
            yield from leaves(one)
    if not below:
        yield top


def test_every_command_is_kept_or_has_its_reason() -> None:
    acts = {one.prog.removeprefix("python -m hotline "): one.get_default("act") for one in leaves(parser())}
    reasoned = [name for names in WITHOUT.values() for name in names]
    assert len(reasoned) == len({*reasoned})
    assert {name for name, act in acts.items() if act is None} == {*reasoned}
    for name, act in acts.items():
        if act is not None:
            here = next(one for one in leaves(parser()) if one.prog.endswith(f" {name}"))
            arguments = {action.dest for action in here._actions}
            assert {*act.details, *filter(None, [act.subject])} <= arguments, name


async def rows(dsn: str) -> list[tuple[Any, ...]]:
    async with await open_pool(dsn, size=1) as pool:
        found = await pool.fetch("SELECT actor, act, subject, result, detail FROM audit_records ORDER BY id")
    return [tuple(row) for row in found]


def test_what_was_done_is_told(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ran(*arguments: str, given: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        return main([*arguments])

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("LOGNAME", "somebody.else")
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    assert ran("user", "add", "li", "--role", "agent", given="a long passphrase\n") == 0
    assert ran("user", "add", "li", "--role", "agent", given="a long passphrase\n") == 2
    assert ran("user", "phone", "li", "PJSIP/13800138000") == 0
    assert ran("unit", "register", "没有这个局") == 2
    assert ran("directory", "withdraw", "none", "--author", "wang") == 2
    assert ran("person", "release", "4711", "--reason", "x") == 2
    assert ran("person", "hold", "--phone", "13800138000", "--reason", "诉讼") == 0
    (tmp_path / "q.toml").write_text("[", encoding="utf-8")
    assert ran("queues", "import", str(tmp_path / "q.toml"), "--check") == 2
    assert ran("figures", "rebuild") == 0
    found = asyncio.run(rows(dsn))
    assert {row[0] for row in found} == {OPERATOR}
    assert [row[1:4] for row in found if row[1] != "hold.put"] == [
        ("user.add", "li", "begun"), ("user.add", "li", "ok"), ("user.add", "li", "begun"),
        ("user.add", "li", "name_taken"), ("user.phone", "li", "begun"), ("user.phone", "li", "ok"),
        ("unit.register", "没有这个局", "begun"), ("unit.register", "没有这个局", found[7][3]),
        ("directory.withdraw", "none", "begun"), ("directory.withdraw", "none", "not_found"),
        ("person.release", "", "not_found"), ("figures.rebuild", "", "begun"), ("figures.rebuild", "", "ok"),
    ]
    assert [row[1] for row in found].count("hold.put") == 1, "the store keeps it, in the transaction of the act"
    assert found[0][4] == '{"role":"agent"}'
    assert found[5][4] == '{"endpoint":"PJSIP/138****8000"}'
    assert found[7][3] not in ("ok", "begun", "internal")
    assert main(["audit", "verify"]) == 0


def test_who_became_another_user_is_told(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "wang")
    assert main(["keys", "add"]) == 0
    begun, done = asyncio.run(rows(dsn))
    assert (begun[1:4], begun[4]) == (("keys.add", "", "begun"), '{"sudo":"wang"}')
    assert (done[3], '"key":' in done[4], '"sudo":"wang"' in done[4]) == ("ok", True, True)


@pytest.mark.parametrize(("error", "result"), [
    (RuleViolation("no"), "rule_violation"), (KeyboardInterrupt(), "interrupted"), (ValueError("x"), "internal"),
])
def test_what_was_cut_off_is_told(dsn: str, error: BaseException, result: str) -> None:
    def run(_: argparse.Namespace) -> int:
        raise error

    with pytest.raises(type(error)):
        kept(run, Act(), name="test.run")(argparse.Namespace())
    assert [row[1:4] for row in asyncio.run(rows(dsn))] == [("test.run", "", "begun"), ("test.run", "", result)]


def test_a_status_is_told(dsn: str) -> None:
    assert kept(lambda _: 1, Act(), name="test.run")(argparse.Namespace()) == 1
    assert [row[3] for row in asyncio.run(rows(dsn))] == ["begun", "status_1"]


def test_nothing_is_done_where_it_cannot_be_kept(
    postgres: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []

    def run(_: argparse.Namespace) -> int:
        done.append("x")
        return 0

    monkeypatch.setenv("HOTLINE_DSN", NOWHERE)
    with pytest.raises(Unavailable):
        kept(run, Act(), name="test.run")(argparse.Namespace())
    asyncio.run(_admin(postgres, "CREATE DATABASE hotline_bare"))
    try:
        monkeypatch.setenv("HOTLINE_DSN", _named(postgres, "hotline_bare"))
        with pytest.raises(InvalidInput, match="migrate"):
            kept(run, Act(), name="test.run")(argparse.Namespace())
        assert done == []
        assert main(["restore", str(tmp_path / "none.tar")]) == 2, "there is no audit yet to keep it in"
        assert capsys.readouterr().err.count("\n") == 1
    finally:
        asyncio.run(_admin(postgres, "DROP DATABASE hotline_bare WITH (FORCE)"))
