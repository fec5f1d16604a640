"""Tickets a second through HTTP with N processes on one PostgreSQL: `python -m bench.workers`.

Processes of the role intake share a port; one process of its own does jobs. Each N gets a fresh database.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
from statistics import median

from bench.__main__ import load, mixed, row
from tests.processes import House


async def tickets(workers: int, *, seconds: float, rounds: int) -> float:
    """Return the median rate with `workers` processes."""
    async with House(environment={"HOTLINE_MAX_WAITING": "5000"}) as house:
        house.start_desk()
        house.run("jobs", "serve", "--role", "jobs")
        await house.serve("--role", "intake", *(["--workers", str(workers)] if workers > 1 else []))
        await asyncio.sleep(2.0 * workers)  # all of them listen
        url = f"{house.url}/api/v1/appeals"
        await load(url, mixed(), seconds=2)
        return median([(await load(url, mixed(), seconds=seconds))["per_second"] for _ in range(rounds)])


async def bench(counts: list[int], *, seconds: float, rounds: int) -> None:
    """Measure and print."""
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}; load, processes and PostgreSQL share them\n")
    for workers in counts:
        rate = await tickets(workers, seconds=seconds, rounds=rounds)
        name = f"tickets through HTTP, {workers} processes of intake"
        row(name, f"{rate:,.0f}/s", f"{rate / workers:,.0f} a process")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    asyncio.run(bench(given.processes, seconds=given.seconds, rounds=given.rounds))


if __name__ == "__main__":
    main()
