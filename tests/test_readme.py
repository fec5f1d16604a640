"""What the README tells a newcomer is true: its commands work against a real service, its tables are complete."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent_ui.page import AREAS
from hotline.__main__ import COMMANDS
from hotline.config import Settings, describe
from hotline.trial import PASSWORD as DEMO_PASSWORD
from hotline.trial import STAFF, trial_settings
from tests.processes import PASSWORD, House

README = Path("README.md").read_text(encoding="utf-8")
DEMO = trial_settings(Settings())
TOOLS = ("bash", "curl", "openssl", "sha1sum", "base64")
TICKET = r'"number":"DG\d{16}","code":"\d{6}"'
EXPECTED: Mapping[str, str] = {
    "App (JSON API)": TICKET,
    "Progress, a further message, a rating": rf'"status_label":"[^"]+".*\n.*{TICKET}',
    "Web form with a file": TICKET,
    "Web chat": rf'"type":"welcome"(.|\n)*"type":"ack","id":"m1",.*{TICKET}',
    "Open311 GeoReport v2": (
        r'"service_code":"\d{4}"(.|\n)*"service_request_id":"DG\d{16}"(.|\n)*<service_request_id>DG\d{16}<'
    ),
    "WeChat": r"工单号:DG\d{16}\n查询码:\d{6}\n",
    "110's non-police transfer": TICKET,
    "Phone": TICKET,
    "The operation centre's feed (IOC)": r'"as_of":(.|\n)*"standing":(.|\n)*"spots":',
    "An emergency": r'"verdict":"emergency"(.|\n)*"incident":"J\d+","key":"DG\d{16}-\d+","accepted":true',
}
"""Heading in the section on channels → what its commands must print."""


def section(title: str) -> str:
    """Return the text under a second-level heading."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks() -> list[tuple[str, str]]:
    """Return (heading, shell) for each block of the section on channels."""
    parts = re.split(r"^### (.+)$", section("A first appeal on each channel"), flags=re.MULTILINE)
    return [
        (title, shell)
        for title, text in [("", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]
        for shell in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


def localised(shell: str, house: House) -> str:
    """Return the commands with the house's own addresses and password for the demo's."""
    own = {
        "127.0.0.1:8080": f"127.0.0.1:{house.http_port}", "127.0.0.1:9110": f"127.0.0.1:{house.desk_port}",
        DEMO_PASSWORD: PASSWORD, "/tmp/photo.png": shlex.quote(str(house.home / "photo.png")),
        ".venv/bin/python": shlex.quote(sys.executable),
    }
    for theirs, ours in own.items():
        shell = shell.replace(theirs, ours)
    return shell


def printed(house: House) -> dict[str, str]:
    """Run all blocks in one shell, as a newcomer would; return what each heading printed."""
    script = "\n".join(
        f"echo; echo {shlex.quote(f'### {title}')}\n{localised(shell, house)}" for title, shell in blocks()
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    parts = re.split(r"^### (.*)$", done.stdout, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


async def test_a_first_appeal_on_each_channel() -> None:
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        pytest.skip(f"this machine lacks {', '.join(missing)}")
    secrets = {
        "HOTLINE_APP_TOKENS": DEMO.app_tokens, "HOTLINE_WECHAT_TOKEN": DEMO.wechat_token,
        "HOTLINE_POLICE_SECRET": DEMO.police_secret, "HOTLINE_IOC_TOKENS": DEMO.ioc_tokens,
    }
    async with House(durable=False, environment=secrets) as house:
        house.start_desk()
        house.add_staff("agent", "agent")
        await house.serve()
        told = await asyncio.to_thread(printed, house)
    assert set(told) - {""} == set(EXPECTED)
    for title, pattern in EXPECTED.items():
        assert re.search(pattern, told[title]), f"{title}: {told[title]}"


def test_every_channel_has_its_commands() -> None:
    assert {title for title, _ in blocks()} - {""} == set(EXPECTED)


def test_every_demo_account_and_every_area_is_told() -> None:
    text = re.sub("```.*?```", "", section("Two commands"), flags=re.DOTALL)
    told = set(re.findall("`([^`]+)`", text))
    assert {staff.name for staff in STAFF} | {"department"} <= told
    assert {*AREAS} - {"/login"} <= told


def test_every_command_is_told() -> None:
    rows = re.findall(r"^\| `(?!make )(\w+)(?: \w+)?` \|", section("The command line"), re.MULTILINE)
    assert set(rows) == set(COMMANDS)


def test_every_target_of_make_that_is_told_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", Path("Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", "".join(re.findall(r"`[^`]+`|^make.*$", README, re.MULTILINE)))) <= targets


def test_every_room_is_told() -> None:
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("no git here")
    rooms = {path.split("/")[0] for path in tracked.stdout.splitlines() if "/" in path} - {".ci"}
    told = set(re.findall(r"^\| `(\w+)/", section("The rooms of the house"), re.MULTILINE))
    assert told == rooms


@pytest.mark.parametrize("page", [Path("README.md"), *sorted(Path("docs").rglob("*.md"))], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_what_falls_short_is_told_with_the_figures_of_the_pages() -> None:
    told = section("What falls short")
    rows = re.findall(r"^\| (?!goal|---)(.+) \| (.+) \| \[.+\]\((.+)#.+\) \|$", told, re.MULTILINE)
    assert {page for *_, page in rows} == {"docs/triage.md", "docs/benchmarks.md"}
    for goal, reached, page in rows:
        text = Path(page).read_text(encoding="utf-8")
        figures = re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", reached)
        assert figures, goal
        assert [figure for figure in figures if figure not in text] == [], goal
    bars = Path("docs/triage.md").read_text(encoding="utf-8")
    missed = re.findall(r"^\| .+? [≥≤] .+? \| (\d[\d.]*)[^|]*missed", bars, re.MULTILINE)
    assert missed
    assert [figure for figure in missed if figure not in told] == []


def test_settings_that_are_named_exist() -> None:
    names = {f"HOTLINE_{name.upper()}" for name, _, _ in describe()} | {"HOTLINE_CONFIG"}
    named = set(re.findall(r"HOTLINE_[A-Z_]*[A-Z](?![A-Z_*])", README))
    assert {name for name in named if name not in names} == set()
