"""`make bench`: tickets a second through the front door beside a bare echo and raw inserts; emergencies to the desk."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import aiohttp

from bench.emergency import emergencies
from bench.raw import raw_inserts
from hotline.demo import examples
from tests.ports import free_port
from tests.processes import TOKEN, House

CLIENTS = 128
EMERGENCIES = 200
"""Emergencies sent one by one, idle and under load: enough for a p99 that is not the worst one."""


def mixed() -> list[str]:
    """Return example texts in which one of a hundred is an emergency (the shipped ones hold many more)."""
    ordinary = examples(only="non_emergency")
    urgent = examples(only="emergency")
    return ordinary + [urgent[n % len(urgent)] for n in range(len(ordinary) // 100)]


async def load(
    url: str, texts: Sequence[str | dict[str, object]], *, seconds: float, clients: int = CLIENTS,
    more: Sequence[str] = (),
) -> dict[str, float]:
    """Run the load in a process of its own (`more`: further options of bench.load) and return what it measured."""
    options = ["--clients", str(clients), "--seconds", str(seconds), "--token", TOKEN, *more]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", url, *options, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    out, _ = await process.communicate(json.dumps(texts).encode())
    if process.returncode:
        raise RuntimeError(f"the load failed with {process.returncode}")
    return dict(json.loads(out))


async def echo(texts: list[str], *, seconds: float) -> dict[str, float]:
    """Measure the bare echo."""
    port = free_port()
    server = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.echo", str(port))
    try:
        await _listening(f"http://127.0.0.1:{port}/")
        await load(f"http://127.0.0.1:{port}/", texts, seconds=1)
        return await load(f"http://127.0.0.1:{port}/", texts, seconds=seconds)
    finally:
        server.terminate()
        await server.wait()


async def _listening(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        while True:
            try:
                async with session.get(url):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


def row(name: str, value: str, note: str = "") -> None:
    """Print one line of the report."""
    print(f"{name:<58}{value:>14}  {note}")


async def bench(*, seconds: float, rounds: int) -> None:
    """Measure in turn, round by round, and print medians and ratios."""
    texts = mixed()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}; load and server share them; {CLIENTS} clients, "
          f"{len(texts)} example texts, median of {rounds} rounds\n")
    echoes, tickets = [], []
    async with House(environment={"HOTLINE_MAX_WAITING": "5000"}) as house:
        house.start_desk()
        await house.serve()
        await load(f"{house.url}/api/v1/appeals", texts, seconds=2)
        for _ in range(rounds):
            echoes.append(await echo(texts, seconds=seconds))
            tickets.append(await load(f"{house.url}/api/v1/appeals", texts, seconds=seconds))
        inserts = await raw_inserts(house.dsn)
        idle = await emergencies(house, count=EMERGENCIES, pause=0.05)
        under = asyncio.create_task(load(f"{house.url}/api/v1/appeals", texts, seconds=EMERGENCIES * 0.2))
        await asyncio.sleep(2)
        loaded = await emergencies(house, count=EMERGENCIES, pause=0.05)
        under_load = await under
    report(echoes, tickets, inserts, idle, loaded, under_load)


def report(
    echoes: list[dict[str, float]], tickets: list[dict[str, float]], inserts: float, idle: tuple[float, float],
    loaded: tuple[float, float], under_load: dict[str, float],
) -> None:
    """Print what was measured."""
    ratio = median(t["per_second"] / e["per_second"] for t, e in zip(tickets, echoes, strict=True))
    rate = median(one["per_second"] for one in tickets)
    bad = sum(one["bad"] for one in tickets)
    row("bare aiohttp JSON echo, one process", f"{median(one['per_second'] for one in echoes):,.0f}/s")
    row("tickets through HTTP, one process, every role", f"{rate:,.0f}/s", f"bad answers: {bad:.0f}")
    row("  ratio to the echo", f"{ratio:.3f}", "goal ≥ 0.15")
    row("raw batched inserts of the same rows, batches of 200", f"{inserts:,.0f}/s")
    row("  ratio of tickets to raw inserts", f"{rate / inserts:.3f}")
    row("emergency, HTTP arrival to the desk, idle", f"{idle[0]:.0f} / {idle[1]:.0f} ms", "p50 / p99")
    row("  under full load", f"{loaded[0]:.0f} / {loaded[1]:.0f} ms", "p50 / p99, goal p99 ≤ 250")
    row("  tickets during that", f"{under_load['per_second']:,.0f}/s")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    began = time.monotonic()
    asyncio.run(bench(seconds=given.seconds, rounds=given.rounds))
    print(f"\n{time.monotonic() - began:.0f} s in all; run from {Path.cwd().name}")


if __name__ == "__main__":
    main()
