"""The command `hotline` of an installed machine runs as the service does; without its settings no database is made."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from agent_ui.staff import StaffRole
from hotline.config import Settings
from hotline.core import database_dsn
from hotline.errors import InvalidInput
from tests.operation.deployed import DEPLOY, OPERATIONS, Unit

COMMAND = DEPLOY / "bin/hotline"
TOLD = '#!/bin/sh\nprintf "%s\\n" "$@"\n'


def _asked(home: Path, *arguments: str, **environment: str) -> list[str]:
    """Return what the command asks of systemd, told by a program of that name."""
    (home / "systemd-run").write_text(TOLD)
    (home / "systemd-run").chmod(0o755)
    given = {"PATH": f"{home}:{os.environ['PATH']}", **environment}
    done = subprocess.run([COMMAND, *arguments], env=given, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["backup", "audit", "intake@"])
def test_it_runs_as_the_units_do(tmp_path: Path, name: str) -> None:
    asked, unit = _asked(tmp_path, "check"), Unit(DEPLOY / f"systemd/hotline-{name}.service")
    assert [f"--uid={user}" for user in unit["Service.User"]] == [one for one in asked if one.startswith("--uid")]
    assert [f"--gid={group}" for group in unit["Service.Group"]] == [one for one in asked if one.startswith("--gid")]
    assert f"--property=EnvironmentFile={unit['Service.EnvironmentFile'][0]}" in asked
    assert f"--working-directory={unit['Service.WorkingDirectory'][0]}" in asked
    assert asked[-4:] == [unit["Service.ExecStart"][0].split()[0], "-m", "hotline", "check"]


def test_it_hands_on_what_it_is_given_and_who_asks(tmp_path: Path) -> None:
    reason = "本人申请, 见 附件"
    asked = _asked(tmp_path, "person", "erase", "--reason", reason, SUDO_USER="zhang.san", HOTLINE_HOME="/opt/new")
    assert asked[-7:] == ["/opt/new/.venv/bin/python", "-m", "hotline", "person", "erase", "--reason", reason]
    assert "--setenv=SUDO_USER=zhang.san" in asked, "the audit keeps it"
    assert "--property=EnvironmentFile=/etc/hotline/drill.env" in _asked(tmp_path, HOTLINE_ENV="/etc/hotline/drill.env")


def test_the_journal_is_told_the_command_and_nobodys_telephone(tmp_path: Path) -> None:
    """systemd writes a unit's description down as it starts, by default all of its command line."""
    asked = _asked(tmp_path, "person", "export", "--phone", "13800138000", "--reason", "本人申请")
    assert [one for one in asked if one.startswith("--description")] == ["--description=hotline person"]
    assert "--description=hotline " in _asked(tmp_path)


def test_the_page_installs_it_and_uses_it() -> None:
    assert f"install -m 0755 {COMMAND} /usr/local/bin/" in OPERATIONS
    rest = OPERATIONS.partition("**In containers**")[2]
    assert "python -m hotline" not in rest
    for command in ("backup -o /var/backups/hotline", "audit verify", "migrate", "restore FILE", "unit list"):
        assert f"hotline {command}" in rest


def test_the_page_makes_a_database_and_lets_somebody_in() -> None:
    install = OPERATIONS.partition("## Install")[2].partition("## Start")[0].partition("**In containers**")[0]
    assert "createdb --owner=hotline hotline" in install
    assert {role for role in StaffRole if role.endswith("_admin")} <= set(re.findall(r"`(?:.* )?(\w+_admin)`", install))


def test_the_example_of_an_anchor_is_one_that_systemd_runs() -> None:
    """systemd is no shell, and takes a single dollar for a variable of its own."""
    file = DEPLOY / "systemd/hotline-audit.service"
    [example] = re.findall(r"^#\s+ExecStart=(.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    shell, option, command = shlex.split(example.replace("$$", "$"))
    assert (shell, option) == ("/bin/sh", "-c")
    assert command.removeprefix("exec ").startswith(Unit(file)["Service.ExecStart"][0])


def test_without_a_dsn_no_command_makes_a_database(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="dsn is not set") as refused:
        database_dsn(Settings(data_dir=str(tmp_path)))
    assert refused.value.error_id == "no_database"
    assert list(tmp_path.iterdir()) == []
