"""docs/neighbours.md is true: its commands work against a real service, and every neighbour has one."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import sys
from pathlib import Path

from hotline.config import Settings
from hotline.trial import trial_settings
from tests.processes import House

PAGE = Path("docs/neighbours.md").read_text(encoding="utf-8")
TICKET = r'"number":"DG\d{16}"'
EXPECTED = {
    "Another city's hotline": rf"{{{TICKET}}}", "The city's portal": rf'{TICKET}(.|\n)*"tickets":\[{{{TICKET}',
    "Micro-wishes": rf"{TICKET}(.|\n)*民政局", "The city's data platform": r"\d+ bytes(.|\n)*next cursor: \d+",
}
"""How a heading begins → what its commands must print."""


async def test_every_neighbour_has_commands_that_work() -> None:
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)[1:]
    blocks = {
        title: "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    }
    assert len(blocks) == len(EXPECTED)
    secrets = {"HOTLINE_NEIGHBOURS": trial_settings(Settings()).neighbours}
    async with House(durable=False, environment=secrets) as house:
        await house.serve()
        for begins, pattern in EXPECTED.items():
            shell = next(shell for title, shell in blocks.items() if title.startswith(begins))
            own = {
                ".venv/bin/python": shlex.quote(sys.executable),
                "neighbour call": f"neighbour call --hotline {house.url}",
                "/tmp/tickets.parquet": shlex.quote(str(house.home / "tickets.parquet")),
            }
            for theirs, ours in own.items():
                shell = shell.replace(theirs, ours)
            done = await asyncio.to_thread(
                subprocess.run, ["bash", "-euo", "pipefail", "-c", shell], capture_output=True, text=True, timeout=120,
                env=house.environment(), check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert re.search(pattern, done.stdout + done.stderr), f"{begins}: {done.stdout}{done.stderr}"
