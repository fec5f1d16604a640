"""A house with everything around it: two databases behind proxies, a 110 desk, a unit's system, a small disk."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import aiohttp

from tests.fuzz.identities import UNIT
from tests.pair import Pair
from tests.ports import free_port
from tests.proxy import Proxy

MOUNT = 2 << 20
"""Bytes of the attachments' own small disk, where the machine lets us mount one (else that fault is left out)."""


def small_disk(folder: Path) -> bool:
    """Mount a small disk for attachments where we may; True if it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={MOUNT}", "hotline-faults", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Stage:
    """A house with everything around it."""

    def __init__(self) -> None:
        self.house = Pair()
        self.house._environment |= {
            "FAULT_CLOCK": str(self.house.home / "clock"), "HOTLINE_WEBHOOK_NETWORKS": "127.0.0.0/8",
        }
        self.unit_port = free_port()
        self.mounted = False

    async def __aenter__(self) -> Stage:
        await self.house.__aenter__()
        self.proxies = Proxy(self.house.first.port), Proxy(self.house.second.port)
        for proxy in self.proxies:
            await proxy.__aenter__()
        one, two = (proxy.port for proxy in self.proxies)
        self.direct = self.house.dsn
        self.house.dsn = (f"postgresql://postgres@127.0.0.1:{one},127.0.0.1:{two}/postgres"
                          "?target_session_attrs=read-write")
        await self.house.in_sync()
        await asyncio.to_thread(self.house.add_staff, "watcher", "supervisor")  # the proxies are of this loop
        secret = await asyncio.to_thread(self._register)
        self.house.run("unit", "unitdesk", "--port", str(self.unit_port), "--secret", secret)
        self.house.start_desk("--fault", "twice")
        self.mounted = small_disk(self.house.home / "data" / "attachments")
        self.house.module = "tests.clocked"
        await self.house.serve()
        return self

    def _register(self) -> str:
        url = f"http://127.0.0.1:{self.unit_port}"
        command = [sys.executable, "-m", "hotline", "unit", "register", UNIT, "--url", url]
        said = subprocess.run(command, env=self.house.environment(), check=True, capture_output=True, text=True).stdout
        return [word for word in said.split() if len(word) >= 32][-1]

    async def __aexit__(self, *given: object) -> None:
        self.house.end()
        if self.mounted:
            await asyncio.to_thread(subprocess.run, ["umount", str(self.house.home / "data" / "attachments")])
        for proxy in self.proxies:
            await proxy.__aexit__(None, None, None)
        await self.house.__aexit__(*given)


async def webhooks_twice(port: int) -> int:
    """Return how many webhooks a unit's system took twice."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/received") as answer:
        taken = await answer.json()
    found = Counter(json.dumps(one.get("id", one)) if isinstance(one, dict) else str(one) for one in taken)
    return sum(count > 1 for count in found.values())


def audited(stage: Stage) -> int:
    """Return 0 if the audit chain is whole."""
    command = [sys.executable, "-m", "hotline", "audit", "verify"]
    done = subprocess.run(command, env=stage.house.environment(), capture_output=True, text=True, check=False)
    sys.stdout.write(done.stdout + done.stderr)
    return done.returncode
