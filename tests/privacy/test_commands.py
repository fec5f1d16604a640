"""`audit`, `keys` and `person` as they are run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels import phone_number
from hotline import keyring
from hotline.__main__ import main
from hotline.cli import check_identity
from hotline.cli.base import settings
from hotline.keyring import KeyRing, new_file
from hotline.store import sealing
from hotline.store.audit import AuditStore
from hotline.store.database import open_pool
from tests.cities import NOW
from tests.conftest import _admin, _named
from tests.privacy.house import ZHANG, opened


@pytest.fixture
def dsn(postgres: str, template: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, keys: KeyRing) -> Iterator[str]:
    """A database with two tickets, chained, under keys of its own; commands use it."""
    asyncio.run(_admin(postgres, f"CREATE DATABASE hotline_commands TEMPLATE {template} STRATEGY FILE_COPY"))
    found = _named(postgres, "hotline_commands")
    keyring.write(tmp_path / "keys.json", new_file(NOW))
    monkeypatch.setenv("HOTLINE_KEYS_FILE", str(tmp_path / "keys.json"))
    monkeypatch.setenv("HOTLINE_DSN", found)
    sealing.use(keyring.load(tmp_path / "keys.json", named=True, at=NOW))
    asyncio.run(_live(found))
    yield found
    sealing.use(keys)
    asyncio.run(_admin(postgres, "DROP DATABASE hotline_commands WITH (FORCE)"))


async def _live(dsn: str) -> None:
    async with await open_pool(dsn, size=3) as pool:
        await opened(pool, ["a", "b"])
        await AuditStore(pool).link_all(NOW)


def test_they_do_what_they_say(dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ran(*arguments: str) -> tuple[int, str]:
        status = main(list(arguments))
        return status, capsys.readouterr().out

    status, head = ran("audit", "head")
    assert status == 0
    status, out = ran("audit", "verify", "--anchor", head.strip())
    assert (status, out.startswith("whole: 6 rows in 2 links")) == (0, True)
    _, before = ran("keys", "show")
    status, out = ran("keys", "rotate")
    assert status == 0
    assert out.startswith("2 values sealed anew")
    _, after = ran("keys", "show")
    assert (before.count("seals"), after.count("seals"), after.count("opens")) == (1, 1, 1)
    assert ran("keys", "add")[0] == 0
    file = tmp_path / "zhang.json"
    assert ran("person", "export", "--phone", "138", "--reason", "本人申请", "-o", str(file))[0] == 2
    assert not file.exists(), "it would stand in the way of the next one"
    status, out = ran("person", "export", "--phone", "138 0013 8000", "--reason", "本人申请", "-o", str(file))
    assert (status, "2 tickets" in out) == (0, True)
    assert file.stat().st_mode & 0o077 == 0
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["tickets"][0]["events"][0]["fact"]["appeal"]["citizen"]["name"] == ZHANG.name
    assert ran("person", "hold", "--phone", ZHANG.phone, "--reason", "诉讼") == (0, "hold 1\n")
    status, out = ran("person", "erase", "--phone", ZHANG.phone, "--reason", "本人申请")
    assert (status, out.count("(hold)")) == (1, 2)
    assert ran("person", "release", "1", "--reason", "结案")[0] == 0
    assert "lifted" in ran("person", "holds")[1]
    trail = tmp_path / "audit.jsonl"
    assert ran("audit", "export", "-o", str(trail))[0] == 0
    acts = [json.loads(line)["act"] for line in trail.read_text(encoding="utf-8").splitlines()]
    assert {"ticket.receive", "keys.rotate", "person.export", "person.erase", "hold.put", "hold.lift",
            "audit.export"} <= {*acts}
    status, out = ran("audit", "verify")
    assert status == 0
    assert "not chained yet" in out
    asyncio.run(_admin(dsn, "ALTER TABLE ticket_events DISABLE TRIGGER ALL",
                       "UPDATE ticket_events SET actor = 'agent:nobody' WHERE version = 2"))
    status, out = ran("audit", "verify")
    assert (status, out.startswith("BROKEN at link 1: ticket_events position")) == (1, True)
    assert asyncio.run(_checks(dsn)) == ["ok", "ok", "status_1"], "the alarms look there"


def test_rotation_goes_over_to_the_cipher_of_the_settings(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOTLINE_SEAL_WITH", "sm4-gcm")
    assert "run `python -m hotline keys rotate`" in asyncio.run(check_identity.keys(settings()))
    assert main(["keys", "rotate"]) == 0
    assert main(["keys", "show"]) == 0
    assert [line.split()[1:3] for line in capsys.readouterr().out.splitlines() if "made" in line] == [
        ["seals", "sm4-gcm"], ["opens", "aes-256-gcm"],
    ]
    assert "2 keys" in asyncio.run(check_identity.keys(settings()))
    assert main(["person", "export", "--phone", ZHANG.phone, "--reason", "x", "-o", str(tmp_path / "zhang.json")]) == 0
    assert ZHANG.name in (tmp_path / "zhang.json").read_text(encoding="utf-8")


async def _checks(dsn: str) -> list[str]:
    async with await open_pool(dsn, size=3) as pool:
        rows = await pool.fetch("SELECT result FROM audit_records WHERE act = 'audit.verify' ORDER BY id")
    return [row["result"] for row in rows]


def test_a_local_number_is_of_the_city(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_number, "_home", [])
    assert main(["person", "hold", "--phone", "2283 0000", "--reason", "诉讼"]) == 0
    assert phone_number.home() == "0769"


@pytest.mark.parametrize("arguments", [
    ["audit", "verify", "--anchor", "1:xyz"], ["person", "hold", "--reason", "x"], ["keys", "melt"],
])
def test_mistakes_of_the_command_line_are_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "hotline" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_told(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["person", "export", "--phone", "138", "--reason", "x", "-o", "/nowhere/x"]) == 2
    assert "/nowhere/x" in capsys.readouterr().err
