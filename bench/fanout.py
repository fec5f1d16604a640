"""Events a second to many consoles beside a bare `websockets` broadcast, in one run. `python -m bench.fanout`.

Both serve the same lean clients (a process of their own) the same events. The bare one broadcasts each event as it
comes; the gateway is the real one over a feed of made events. The offered rate is raised until the slowest percent of
events takes longer than a second or not all arrive; the last good rate is the maximum.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import subprocess
import sys
from statistics import quantiles

from tqdm import tqdm

from tests.processes import free_port

SECONDS, PATIENCE, LATE = 3.0, 1.0, 1.0
FACTOR = 1.6


async def started(*arguments: str) -> asyncio.subprocess.Process:
    """Start a part in a process of its own, and wait for its first line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**26
    )
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 120)
    return process


class Run:
    """One server with its clients."""

    def __init__(self, kind: str, consoles: int) -> None:
        self._kind, self._consoles = kind, consoles

    async def __aenter__(self) -> Run:
        port = str(free_port())
        self._server = await started("bench.fanout_server", self._kind, port)
        self._clients = await started("bench.fanout_clients", port, str(self._consoles))
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in (self._clients, self._server):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def at(self, rate: float) -> tuple[bool, float]:
        """Offer events at `rate` for `SECONDS`; return whether all came in time, and the 99th percentile in ms."""
        count = max(3, round(rate * SECONDS))
        await self._tell(self._clients, {"expect": count, "patience": PATIENCE + 2 * SECONDS})
        await self._tell(self._server, {"rate": rate, "count": count})
        said = await self._said(self._clients)
        times = sorted(said["ms"])
        p99 = quantiles(times, n=100)[98] if len(times) > 1 else float("inf")
        return said["missing"] == 0 and p99 <= LATE * 1000, p99

    async def _tell(self, process: asyncio.subprocess.Process, order: object) -> None:
        assert process.stdin is not None
        process.stdin.write(json.dumps(order).encode() + b"\n")
        await process.stdin.drain()

    async def _said(self, process: asyncio.subprocess.Process) -> dict[str, object]:
        assert process.stdout is not None
        return dict(json.loads(await asyncio.wait_for(process.stdout.readline(), 120)))


async def maximum(kind: str, consoles: int, *, quiet: bool = False) -> tuple[float, float]:
    """Return the greatest rate that was kept up, and the 99th percentile in ms at half of it."""
    best, rate = 0.0, 10_000 / consoles
    with tqdm(desc=f"{kind}, {consoles} consoles", unit=" rates", disable=quiet) as bar:
        async with Run(kind, consoles) as run:
            # A second try: other work on the machine spoils a run now and then.
            while (await run.at(rate))[0] or (await run.at(rate))[0]:
                best, rate = rate, rate * FACTOR
                bar.update()
        async with Run(kind, consoles) as run:
            half = await run.at((best or 1.0) / 2)
    return best, half[1]


async def bench(sizes: list[int]) -> None:
    """Measure and print."""
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}; server and clients share them\n")
    print(f"{'consoles':>8}  {'bare broadcast':>16}  {'gateway':>16}  {'ratio (goal ≥ 5)':>18}  "
          "p99 at half of it (goal ≤ 100 ms)")
    for consoles in sizes:
        bare, _ = await maximum("bare", consoles)
        ours, p99 = await maximum("gateway", consoles)
        ratio = f"{ours / bare:.1f}" if bare else "–"
        print(f"{consoles:>8}  {bare:>14,.0f}/s  {ours:>14,.0f}/s  {ratio:>18}  {p99:.0f} ms", flush=True)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--consoles", type=int, nargs="+", default=[1000, 5000])
    asyncio.run(bench(parser.parse_args().consoles))


if __name__ == "__main__":
    main()
