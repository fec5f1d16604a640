"""Half of the measured capacity for a long time: `python -m bench.soak --minutes 30` (`make soak`).

First the capacity (tickets a second through HTTP, one process with every role) is measured, then half of it is kept up,
with consoles listening. Memory and latency are sampled; their slopes by least squares are printed, and what they would
come to in a day. Flat is the goal: the first tenth of the time, in which caches fill, is left out, and the slope of the
second half stands beside that of the whole: what levels off is no leak.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from statistics import linear_regression, quantiles

import aiohttp
import psutil
from tqdm import tqdm

from bench.__main__ import load, mixed
from tests.chaos import Watcher
from tests.processes import TOKEN, House

SAMPLE = 5.0
CLIENTS = 64


class Soak:
    """Sends at a rate, and samples."""

    def __init__(self, house: House, rate: float) -> None:
        self._house, self._rate = house, rate
        self._numbers, self._texts = itertools.count(), mixed()
        self.times: list[float] = []
        self.bad = 0
        self.samples: list[tuple[float, float, float, float]] = []

    async def _sender(self, session: aiohttp.ClientSession, until: float) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        while time.monotonic() < until:
            due = self._began + (n := next(self._numbers)) / self._rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            began = time.perf_counter()
            body, key = {"text": self._texts[n % len(self._texts)]}, {"Idempotency-Key": f"soak-{n}"}
            async with session.post(f"{self._house.url}/api/v1/appeals", json=body, headers=headers | key) as answer:
                await answer.read()
                self.bad += answer.status != 201
            self.times.append(1000 * (time.perf_counter() - began))

    async def run(self, minutes: float) -> None:
        """Run and sample every few seconds."""
        process = psutil.Process(self._house.pid_of("service"))
        self._began = time.monotonic()
        until = self._began + 60 * minutes
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:
            senders = [asyncio.create_task(self._sender(session, until)) for _ in range(CLIENTS)]
            for _ in tqdm(range(int(60 * minutes / SAMPLE)), desc="soak", unit=" samples"):
                await asyncio.sleep(SAMPLE)
                times, self.times = self.times or [0.0], []
                cuts = quantiles(times, n=100) if len(times) > 1 else times * 99
                rss = process.memory_info().rss / 2**20
                self.samples.append((time.monotonic() - self._began, rss, cuts[49], cuts[98]))
            await asyncio.gather(*senders)

    def report(self) -> None:
        """Print slopes."""
        kept = self.samples[len(self.samples) // 10:]
        at = [one[0] / 3600 for one in kept]
        print(f"\n{self._rate:.0f} tickets/s for {kept[-1][0] / 60:.0f} minutes, bad answers: {self.bad}")
        if len(kept) < 4:
            return  # too short for a slope
        for name, column, unit in (("memory", 1, "MiB"), ("latency p50", 2, "ms"), ("latency p99", 3, "ms")):
            values = [one[column] for one in kept]
            slope, half = linear_regression(at, values).slope, len(kept) // 2
            later = linear_regression(at[half:], values[half:]).slope
            print(f"{name:<12} {values[0]:8.1f} → {values[-1]:8.1f} {unit}; slope {slope:+8.2f} {unit} an hour "
                  f"({24 * slope:+.1f} a day), of the second half {later:+8.2f}; least {min(values):.1f}, "
                  f"most {max(values):.1f}")


async def soak(*, minutes: float, consoles: int) -> int:
    """Measure the capacity, then soak; return how many answers were bad."""
    async with House(environment={"HOTLINE_MAX_WAITING": "5000"}) as house, aiohttp.ClientSession() as session:
        house.add_staff("watcher", "supervisor")
        house.start_desk()
        await house.serve()
        await load(f"{house.url}/api/v1/appeals", mixed(), seconds=3)
        capacity = (await load(f"{house.url}/api/v1/appeals", mixed(), seconds=10))["per_second"]
        print(f"capacity: {capacity:.0f} tickets/s", flush=True)
        watching = [asyncio.create_task(Watcher(house).run(session)) for _ in range(consoles)]
        run = Soak(house, capacity / 2)
        await run.run(minutes)
        for task in watching:
            task.cancel()
        run.report()
        return run.bad


def main() -> int:
    """Run from the command line; exit status 1 if an answer was bad."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--consoles", type=int, default=3)
    given = parser.parse_args()
    return 1 if asyncio.run(soak(minutes=given.minutes, consoles=given.consoles)) else 0


if __name__ == "__main__":
    sys.exit(main())
