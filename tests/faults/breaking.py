"""What is done to a house, one fault after another."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
from tqdm import tqdm

from tests.pair import Pair
from tests.proxy import Proxy


class Faults:
    """What is done to a house, one after another."""

    def __init__(self, house: Pair, proxies: tuple[Proxy, Proxy], unit_port: int, *, rng: random.Random) -> None:
        self._house, self._proxies, self._unit_port, self._rng = house, proxies, unit_port, rng
        self.done: Counter[str] = Counter()
        self.all: dict[str, Callable[[], Awaitable[None]]] = {
            "service killed": self.killed, "service restarted": self.restarted, "database restarted": self.database,
            "database failed over": self.failed_over, "database slow": self.slow, "database silent": self.silent,
            "connections cut": self.cut, "disk full": self.disk, "desk down": self.desk, "webhooks down": self.webhooks,
            "clock ahead": lambda: self.clock(120.0), "clock behind": lambda: self.clock(-120.0),
        }

    async def killed(self) -> None:
        """SIGKILL, and again at once."""
        self._house.kill("service")
        await self._house.serve()

    async def restarted(self) -> None:
        """SIGTERM: it finishes what is under way."""
        process = self._house.process("service")
        process.terminate()
        await asyncio.to_thread(process.wait, 60)
        await self._house.serve()

    async def database(self) -> None:
        """The primary is stopped fast and started again."""
        await asyncio.to_thread(self._house.first.stop)
        await asyncio.to_thread(self._house.first.start)

    async def failed_over(self) -> None:
        """The primary is gone at once; later it comes back as the standby."""
        await self._house.in_sync()
        await self._house.fail_over(self._rng.choice([signal.SIGKILL, signal.SIGSTOP]))
        await asyncio.sleep(6)
        await self._house.rejoin()

    async def slow(self) -> None:
        """Each piece of an answer takes 150 ms more."""
        for proxy in self._proxies:
            proxy.delay = 0.15
        await asyncio.sleep(6)
        for proxy in self._proxies:
            proxy.delay = 0.0

    async def silent(self) -> None:
        """Nothing comes through, and nothing says so."""
        for proxy in self._proxies:
            proxy.silent = True
        await asyncio.sleep(6)
        for proxy in self._proxies:
            proxy.silent = False

    async def cut(self) -> None:
        """All connections to the database break."""
        for proxy in self._proxies:
            proxy.cut()

    async def disk(self) -> None:
        """The disk of attachments is full for a while."""
        folder = self._house.home / "data" / "attachments"
        if not folder.is_mount():
            return
        filler = folder / "filler"
        with contextlib.suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        await asyncio.sleep(4)
        filler.unlink()
        for path in [*folder.rglob("*")]:  # the small disk is emptied of what was kept: only the answers are counted
            if path.is_file():
                path.unlink(missing_ok=True)

    async def desk(self) -> None:
        """110 does not answer."""
        await self._fault(self._house.desk_port)

    async def webhooks(self) -> None:
        """A unit's system does not answer."""
        await self._fault(self._unit_port)

    async def _fault(self, port: int) -> None:
        async with aiohttp.ClientSession() as session:
            for fault, seconds in (("down", 5), ("error", 2), ("twice", 0)):
                async with session.put(f"http://127.0.0.1:{port}/faults", json={"fault": fault}):
                    await asyncio.sleep(seconds)

    async def clock(self, seconds: float) -> None:
        """The service's clock is off, and comes back."""
        file = self._house.home / "clock"
        file.write_text(str(seconds))
        await asyncio.sleep(5)
        file.write_text("0")

    async def go(self, until: float, *, only: Sequence[str], quiet: bool) -> None:
        """One after another, all of them before any again, until the time is over (but each once at least)."""
        names = sorted(only or self.all)
        with tqdm(desc="faults", unit="", disable=quiet, file=sys.stdout) as bar:
            while not self.done or time.monotonic() < until:
                for name in self._rng.sample(names, len(names)):
                    bar.set_postfix_str(name)
                    await asyncio.sleep(self._rng.uniform(1, 3))
                    await self.all[name]()
                    self.done[name] += 1
                    bar.update()
