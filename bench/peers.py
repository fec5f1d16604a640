"""`make bench-peers`: tickets a second here and with django-helpdesk, on one PostgreSQL, under the same load.

The two take turns, and only one of them runs at a time. A ticket counts when it was answered with the right status
inside the measured time; afterwards the database is asked whether all answered tickets are in it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import asyncpg

from bench.__main__ import CLIENTS, load, mixed, row
from bench.cpu import cpu_seconds, postmaster
from bench.helpdesk import QUEUE_EMAIL, Helpdesk, NotInstalled, install
from tests.processes import House

WARM_UP = 2.0
GOAL = 20
Body = str | dict[str, object]


@dataclass
class Door:
    """A way in over HTTP and what was measured there."""

    name: str
    path: str
    bodies: list[Body]
    options: tuple[str, ...] = ()
    serve: tuple[str, ...] = ()
    clients: int = CLIENTS
    rates: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    bad: int = 0
    answered: int = 0
    stored: int = 0

    @property
    def per_second(self) -> float:
        """Median of the rounds."""
        return median(self.rates)

    async def measure(
        self, url: str, count: Callable[[], Awaitable[int]], *, seconds: float, processes: tuple[int, ...]
    ) -> None:
        """Warm up, load for `seconds`, and compare the answers with the tickets that are in the database.

        `processes` (and their children) are what the tickets cost CPU time in: the server and PostgreSQL.
        """
        await self.try_out(url, seconds=WARM_UP, clients=self.clients)
        before, used = await count(), cpu_seconds(processes)
        found = await load(url + self.path, self.bodies, seconds=seconds, clients=self.clients, more=self.options)
        self.cpu_ms.append(1000 * (cpu_seconds(processes) - used) / max(1, found["good"]))
        self.rates.append(found["per_second"])
        self.p50_ms.append(found["p50_ms"])
        self.bad += int(found["bad"])
        self.answered += int(found["good"])
        self.stored += await count() - before

    async def try_out(self, url: str, *, seconds: float, clients: int) -> float:
        """Return the rate of a load that is not counted."""
        found = await load(url + self.path, self.bodies, seconds=seconds, clients=clients, more=self.options)
        return found["per_second"]


def own_doors(texts: list[str], *, cores: int) -> list[Door]:
    """Return our front door with one process, and with as many as the peer gets."""
    one = Door("this service, one process", "/api/v1/appeals", list(texts))
    if cores == 1:
        return [one]
    return [one, Door(f"this service, {cores} processes", one.path, one.bodies, serve=("--workers", str(cores)))]


def peer_doors(texts: list[str], *, queue: int) -> list[Door]:
    """Return the ways into django-helpdesk: the REST API (staff, JSON), and the public form made for embedding."""
    api: list[Body] = [{"queue": queue, "title": text[:100], "description": text, "priority": 3} for text in texts]
    # The sender is the queue itself: the form wants an address, and nobody gets a mail, not even an unsent one.
    form: list[Body] = [
        {"queue": queue, "title": text[:100], "body": text, "priority": 3, "submitter_email": QUEUE_EMAIL}
        for text in texts
    ]
    return [
        Door("django-helpdesk, REST API", "/api/tickets/", api),
        # It answers a stored ticket with a redirect, and a refused one with 200 and the form again.
        Door("django-helpdesk, public form", "/tickets/submit_iframe/", form, ("--form", "--good", "302")),
    ]


async def choose_clients(door: Door, url: str) -> None:
    """Give the door the number of clients that suits it best; 128 unless another is better beyond the noise."""
    rates = {n: await door.try_out(url, seconds=WARM_UP, clients=n) for n in (CLIENTS, 32, 8)}
    best = max(rates, key=lambda n: rates[n])
    door.clients = best if rates[best] > 1.2 * rates[CLIENTS] else CLIENTS


async def bench(python: Path, *, seconds: float, rounds: int) -> None:
    """Measure round by round and report."""
    texts, cores = mixed(), os.cpu_count() or 1
    print(f"{cores} cores, Python {platform.python_version()}; load, server and PostgreSQL share them; "
          f"{len(texts)} example texts, {seconds:g} s after a warm-up, median of {rounds} rounds\n{versions(python)}\n")
    ours = own_doors(texts, cores=cores)
    async with House(environment={"HOTLINE_MAX_WAITING": "5000"}) as house:
        peer = Helpdesk(python, house.dsn, log=house.home / "gunicorn.log", workers=cores)
        await peer.prepare()
        doors = peer_doors(texts, queue=peer.queue)
        house.start_desk()
        for number in range(rounds):
            await peer_round(house, peer, doors, first=number == 0, seconds=seconds)
            await own_round(house, ours, seconds=seconds)
    report(ours, doors)


async def peer_round(house: House, peer: Helpdesk, doors: list[Door], *, first: bool, seconds: float) -> None:
    """Measure the peer's doors, and stop it."""
    async with peer:
        for door in doors:
            if first:
                await choose_clients(door, peer.url)
            processes = (peer.pid, postmaster(house.home))
            await door.measure(peer.url, peer.tickets, seconds=seconds, processes=processes)


async def own_round(house: House, doors: list[Door], *, seconds: float) -> None:
    """Measure our door with each number of processes, and stop the service."""
    for door in doors:
        await house.serve(*door.serve)
        processes = (house.pid_of("service"), postmaster(house.home))
        await door.measure(house.url, lambda: own_tickets(house.dsn), seconds=seconds, processes=processes)
        house.kill("service")
        await settle(house.dsn)


async def own_tickets(dsn: str) -> int:
    """Return how many tickets our database holds."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM tickets"))
    finally:
        await connection.close()


async def settle(dsn: str) -> None:
    """Write out what our tickets left to write, so that the peer's next round does not pay for it."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def versions(python: Path) -> str:
    """Return what the peer consists of."""
    names = ("django-helpdesk", "Django", "djangorestframework", "psycopg", "gunicorn")
    code = f"import importlib.metadata as m; print(', '.join(f'{{n}} {{m.version(n)}}' for n in {names!r}))"
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def report(ours: list[Door], peers: list[Door]) -> None:
    """Print what was measured, and the ratio of each of our figures to each of the peer's, round by round."""
    for door in (*ours, *peers):
        note = (f"{median(door.cpu_ms):.2f} ms of CPU each, {door.clients} clients, p50 {median(door.p50_ms):,.0f} ms, "
                f"bad answers: {door.bad}, answered {door.answered:,}, stored {door.stored:,}")
        row(door.name, f"{door.per_second:,.0f}/s", note)
    print(f"\nratios, goal ≥ {GOAL}")
    for own in ours:
        for peer in peers:
            ratio = median(a / b for a, b in zip(own.rates, peer.rates, strict=True))
            cost = median(b / a for a, b in zip(own.cpu_ms, peer.cpu_ms, strict=True))
            row(f"  {own.name} : {peer.name}", f"{ratio:.1f}", f"by CPU time (server and PostgreSQL): {cost:.1f}")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    # So that everything is taken down when `timeout` or a CI job ends us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        python = install()
    except NotInstalled as error:
        raise SystemExit(
            f"django-helpdesk cannot be installed, so there is nothing to compare with:\n{error}\n"
            "It needs a package index that pip can reach (`pip config list` shows which one it asks)."
        ) from error
    try:
        asyncio.run(bench(python, seconds=given.seconds, rounds=given.rounds))
    except KeyboardInterrupt:
        raise SystemExit("stopped; nothing is left running") from None


if __name__ == "__main__":
    main()
