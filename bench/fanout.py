"""Events a second to many consoles beside a bare `websockets` broadcast, in one run. `python -m bench.fanout`.

What is compared: how many events a second reach **all** consoles that want them, each once and in order, the slowest
percent within a second. The bare one is `websockets` under uvloop as its documentation broadcasts: each event encoded
once, `broadcast` to every connection as it comes, no topics. Ours is the real gateway over a feed of made events, once
with every console following every ticket (`all`) and once as a city follows (`city`, see `bench.fanout_load`), where
the bare one tells everybody everything all the same. Both are one process, without compression and pings, with the same
clients in another process. The rate is doubled until it is not kept up, then tried once more between the two.

How late the events are is told at half of each one's own maximum, and at five times the maximum of the bare one, which
is the goal: the greater the maximum, the harder its half. CPU is told beside: of the server for each event that reached
a console, at half of the maximum; and how busy server and clients were at the maximum.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import sys
import time

import msgspec
import psutil
from tqdm import tqdm

from bench.fanout_load import LOADS
from tests.ports import free_port

SECONDS, LATE, GOAL = 2.5, 1.0, 5


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a rate. Times in ms; CPU as a part of one core.

    Attributes:
        missing: consoles that did not get all they wanted. over, disorder: that got too much, or not in order.
    """

    missing: int
    over: int
    disorder: int
    p50: float
    p99: float
    deliveries: int
    server: float = 0.0
    clients: float = 0.0
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """All came in time."""
        return not self.missing and self.p99 <= LATE * 1000


class Maximum(msgspec.Struct, frozen=True, kw_only=True):
    """The greatest rate kept up, in events a second; what came of it, of half of it, and of the goal."""

    rate: float
    full: Outcome | None
    half: Outcome
    goal: Outcome | None

    @property
    def cost(self) -> float:
        """Microseconds of the server's CPU for an event that reached a console."""
        return self.half.server * self.half.seconds / max(1, self.half.deliveries) * 1e6


async def started(*arguments: str) -> tuple[asyncio.subprocess.Process, bytes]:
    """Start a part in a process of its own, and wait for its first line; return both."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    return process, await said(process)


async def tell(process: asyncio.subprocess.Process, order: object) -> None:
    """Give an order."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(order).encode() + b"\n")
    await process.stdin.drain()


async def said(process: asyncio.subprocess.Process) -> bytes:
    """Return the next line."""
    assert process.stdout is not None
    return await asyncio.wait_for(process.stdout.readline(), 120)


def cpu(process: asyncio.subprocess.Process) -> float:
    """Return the seconds of CPU that it has used."""
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


class Run:
    """One server with its clients."""

    def __init__(self, kind: str, load: str, consoles: int) -> None:
        self._kind, self._load, self._consoles, self._seq = kind, load, consoles, 1

    async def __aenter__(self) -> Run:
        port = str(free_port())
        self._server, shape = await started("bench.fanout_server", self._kind, port, str(self._consoles))
        self._shape = json.loads(shape)
        self._clients, _ = await started("bench.fanout_clients", port, str(self._consoles), self._load)
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in (self._clients, self._server):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def at(self, rate: float, *, seconds: float = SECONDS) -> Outcome:
        """Offer events at `rate` for so long."""
        count, first = max(5, round(rate * seconds)), self._seq
        self._seq += count
        await tell(self._clients, {"expect": count, "first": first, "all": self._kind == "bare",
                                   "seconds": count / rate + 2 * LATE} | self._shape)
        await said(self._clients)  # go
        began, server, clients = time.monotonic(), cpu(self._server), cpu(self._clients)
        await tell(self._server, {"rate": rate, "count": count, "first": first})
        outcome = msgspec.json.decode(await said(self._clients), type=Outcome)
        took = time.monotonic() - began
        return msgspec.structs.replace(
            outcome, seconds=took, server=(cpu(self._server) - server) / took,
            clients=(cpu(self._clients) - clients) / took,
        )

    async def tried(self, rate: float) -> Outcome:
        """Offer events at `rate`, and once more if it went wrong: other work spoils a run now and then."""
        first = await self.at(rate)
        return first if first.good else await self.at(rate)


async def maximum(
    kind: str, load: str, consoles: int, *, start: float, goal: float | None = None, quiet: bool = False
) -> Maximum:
    """Find the greatest rate that is kept up, from `start` on, and what comes of half of it, and of the rate `goal`."""
    best, rate, full = 0.0, start, None
    async with Run(kind, load, consoles) as run:
        await run.at(rate)  # to warm up
        with tqdm(desc=f"{kind}, {load}, {consoles} consoles", unit=" rates", disable=quiet) as bar:
            while (outcome := await run.tried(rate)).good:
                best, rate, full = rate, rate * 2, outcome
                bar.update()
            if best and (outcome := await run.tried(best * 2**0.5)).good:
                best, full = best * 2**0.5, outcome
        half = await run.at((best or rate) / 2, seconds=2 * SECONDS)
        return Maximum(rate=best, full=full, half=half, goal=await run.at(goal) if goal else None)


def line(name: str, found: Maximum, bare: Maximum) -> str:
    """Return a line of the table."""
    ratio = f"{found.rate / bare.rate:.1f}" if bare.rate else "–"
    busy = f"{found.full.server:.0%} / {found.full.clients:.0%}" if found.full else "–"
    wrong = sum(outcome.over + outcome.disorder for outcome in (found.full, found.half) if outcome)
    half, goal = (f"{of.p50:.0f} / {of.p99:.0f} ms" if of else "" for of in (found.half, found.goal))
    return (f"{name:<16} {found.rate:>8,.0f}/s {ratio:>7} {half:>16} {goal:>16} {found.cost:>12.1f} µs {busy:>16}"
            + (f"  {wrong} consoles got too much, or in disorder" if wrong else ""))


async def bench(sizes: list[int], loads: list[str]) -> None:
    """Measure and print."""
    print(f"{os.cpu_count()} cores for the server (one process) and its clients, Python {platform.python_version()}")
    for consoles in sizes:
        bare = await maximum("bare", "all", consoles, start=10_000 / consoles)
        print(f"\n{f'{consoles} consoles':<16} {'events':>10} {'× bare':>7} {'p50 / p99, half':>16} "
              f"{'at 5 × bare':>16} {'CPU a delivery':>15} {'server / clients':>16}")
        print(line("bare broadcast", bare, bare), flush=True)
        for load in loads:
            ours = await maximum("gateway", load, consoles, start=bare.rate or 1.0, goal=GOAL * bare.rate)
            print(line(f"gateway, {load}", ours, bare), flush=True)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--consoles", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS))
    asked = parser.parse_args()
    asyncio.run(bench(asked.consoles, asked.loads))


if __name__ == "__main__":
    main()
