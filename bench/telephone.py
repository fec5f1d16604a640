"""Calls through our queue beside Asterisk's own `app_queue`: same PBX, same telephones, same run. `make bench`.

sipp calls at a rate and stays for a while; sipp answers as the agents. Counted are calls that were answered by an agent
within the measured time, for rising rates, until fewer than 90 % get through twice; the time from an agent
becoming available to the ringing is measured by itself, with a caller who waits.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import aiohttp
import asyncpg

from agent_ui.presence import NotReadyReason, PresenceState
from channels.ari import Ari
from channels.ari_wire import Dialled
from hotline.keyring import KeyRing, new_file
from hotline.store import sealing
from hotline.store.console import ConsoleStore
from hotline.store.database import open_pool
from hotline.store.embedded import start_embedded, stop_embedded
from hotline.store.migrate import migrate
from hotline.store.steering import sole_owner
from hotline.store.telephone import TelephoneStore
from hotline.telephone import Telephone
from hotline.telephone_ports import Times
from routing.callbacks import MissedCall
from routing.calls import Call
from routing.queue_plan import Centre, Queue
from routing.queueing import Rung
from tests.ports import free_port
from tests.voice.pbx import PASSWORD, ROOT, USER, Pbx

AGENTS, TALK = 40, 2.0
"""Agents, and seconds of a talk: enough agents that the queue, not they, is the limit."""
ENOUGH = 0.9
_AGENT = re.compile(r"PJSIP/a\d+-")


class Result(NamedTuple):
    """One rate: calls a second asked for and got, the share that got through, the most at the same time."""

    rate: float
    answered: float
    share: float
    at_once: int


class Nowhere:
    """Books that note nothing."""

    async def owe(self, missed: MissedCall, /) -> None:
        """Nobody is owed anything here."""

    async def through(self, caller: str, at: datetime, /) -> None:
        """Nothing was owed."""

    async def tried(self, call: Call, cause: int, /) -> None:
        """No calls of ours here."""

    async def spoken(self, call: Call, /) -> None:
        """No calls of ours here."""


class BenchPbx(Pbx):
    """With a second number that leads into `app_queue`."""

    def __init__(self, agents_port: int) -> None:
        super().__init__()
        self._agents_port = agents_port

    def _files(self) -> dict[str, str]:
        files = super()._files()
        members = "".join(f"member => PJSIP/a{n}\n" for n in range(AGENTS))
        files["pjsip.conf"] += "".join(
            f"[a{n}]\ntype=aor\ncontact=sip:a{n}@127.0.0.1:{self._agents_port}\n[a{n}]\ntype=endpoint\naors=a{n}\n"
            "context=from-phones\ndisallow=all\nallow=ulaw\ndirect_media=no\n" for n in range(AGENTS)
        )
        files["queues.conf"] = (
            "[general]\n[q]\nstrategy=leastrecent\nringinuse=no\nautofill=yes\ntimeout=15\nretry=1\n" + members
        )
        files["extensions.conf"] = (
            "[from-trunk]\nexten => 12345,1,Stasis(hotline)\n same => n,Hangup()\n"
            "exten => 54321,1,Answer()\n same => n,Queue(q)\n same => n,Hangup()\n[from-phones]\n"
        )
        files["modules.conf"] += "noload=res_stasis_test.so\n"
        return files


async def _sipp(folder: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        "sipp", *options, "-i", "127.0.0.1", "-nostdin", cwd=folder, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )


async def _load(folder: Path, pbx: Pbx, agents: _Answered, *, number: str, rate: float, seconds: float) -> Result:
    """Call at a rate, once all is quiet; count what the agents' telephones answered."""
    quiet = time.monotonic() + 60
    while time.monotonic() < quiet and await agents.rings():  # noqa: ASYNC110 - the PBX tells nobody else
        await asyncio.sleep(0.5)
    await asyncio.sleep(1)
    agents.begin()
    most = 0
    process = await _sipp(
        folder, "-sn", "uac", f"127.0.0.1:{pbx.sip_port}", "-s", number, "-r", str(rate), "-rp", "1000",
        "-m", str(int(rate * seconds)), "-l", str(AGENTS * 4), "-d", str(int(TALK * 1000)), "-mp", str(free_port()),
        "-timeout", str(int(seconds + 20)),
    )
    began = time.monotonic()
    while process.returncode is None and time.monotonic() - began < seconds + 30:
        await asyncio.sleep(0.1)
        most = max(most, agents.now)
    if process.returncode is None:
        process.kill()
        await process.wait()
    await asyncio.sleep(0.5)
    placed = int(rate * seconds)
    return Result(rate, agents.answered / seconds, agents.answered / placed, most)


class _Answered:
    """What the agents' telephones answer, counted from the PBX's channels."""

    def __init__(self, session: aiohttp.ClientSession, pbx: Pbx) -> None:
        self._session, self._pbx = session, pbx
        self.answered = self.now = 0
        self._seen: set[str] = set()

    def begin(self) -> None:
        """Count anew."""
        self.answered = self.now = 0

    async def rings(self) -> bool:
        """Tell whether an agent's telephone rings or has rung: the PBX has a leg to it."""
        return bool(await self._legs("Ring", "Ringing", "Up"))

    async def _legs(self, *states: str) -> set[str]:
        log_in = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}
        async with self._session.get(f"{self._pbx.ari}/channels", headers=log_in) as answer:
            return {
                one["id"] for one in await answer.json() if one["state"] in states and _AGENT.match(one["name"])
            }

    async def watch(self) -> None:
        """Look which legs to agents are up, ten times a second: a talk lasts longer than that."""
        while True:
            up = await self._legs("Up")
            self.answered += len(up - self._seen)
            self._seen |= up
            self.now = len(up)
            await asyncio.sleep(0.1)


async def _staff(pool: asyncpg.Pool) -> None:
    for n in range(AGENTS):
        await pool.execute(
            "INSERT INTO staff (name, display_name, role, password_hash, created_at) "
            "VALUES ($1, $1, 'agent', '', now())", f"a{n}",
        )
        await pool.execute(
            "INSERT INTO presence (staff, state, since, lease_until) VALUES ($1, 'available', now(), now() + '1 day')",
            f"a{n}",
        )
        await TelephoneStore(pool).give_phone(f"a{n}", f"PJSIP/a{n}", {"general": 1})


async def _rising(measure: Callable[[float], Awaitable[Result]], rates: list[float]) -> list[Result]:
    found = []
    for rate in rates:
        found.append(await measure(rate))
        if len(found) > 1 and max(one.share for one in found[-2:]) < ENOUGH:
            break
    return found


async def _to_ringing(folder: Path, pbx: Pbx, pool: asyncpg.Pool, agents: _Answered, *, times: int) -> list[float]:
    """Return milliseconds from an agent's choosing `available` to the ringing, with a caller who waits."""
    await pool.execute("UPDATE presence SET state = 'not_ready', reason = 'meeting'")
    found = []
    for _ in range(times):
        await _chooses(pool, PresenceState.NOT_READY, NotReadyReason.MEETING)
        process = await _sipp(folder, "-sn", "uac", f"127.0.0.1:{pbx.sip_port}", "-s", "12345", "-m", "1", "-d", "1200",
                              "-mp", str(free_port()))
        await asyncio.sleep(0.8)
        began = time.perf_counter()
        await _chooses(pool, PresenceState.AVAILABLE, None)
        while not await agents.rings() and time.perf_counter() - began < 5:  # noqa: ASYNC110 - the PBX tells nobody else
            await asyncio.sleep(0.002)
        found.append(1000 * (time.perf_counter() - began))
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()
        await asyncio.sleep(0.2)
    return found


async def _chooses(pool: asyncpg.Pool, state: PresenceState, reason: NotReadyReason | None) -> None:
    await ConsoleStore(pool).set_presence("a0", state, reason, now=datetime.now(UTC), lease=3600)


async def bench(*, seconds: float, rates: list[float], times: int) -> None:
    """Measure and print."""
    home = Path(tempfile.mkdtemp(prefix="hotline-bench-"))
    home.chmod(0o755)  # noqa: ASYNC240 - once, before anything is measured
    dsn = await asyncio.to_thread(start_embedded, home)
    await migrate(dsn)
    sealing.use(KeyRing(new_file(datetime.now(UTC))))
    port = free_port()
    running: list[asyncio.Task[None]] = []
    agents: asyncio.subprocess.Process | None = None
    try:
        async with (
            BenchPbx(port) as pbx, aiohttp.ClientSession() as session, await open_pool(dsn, size=6) as pool,
            sole_owner(dsn) as owner,
        ):
            await _staff(pool)
            await owner.listen()
            agents = await _sipp(home, "-sn", "uas", "-p", str(port), "-mp", str(free_port()))
            wire = Dialled(session, base=pbx.ari, user=USER, password=PASSWORD)
            ari = Ari(wire, trunk="PJSIP/{number}@trunk")
            telephone = Telephone(
                pbx=ari, store=TelephoneStore(pool), books=Nowhere(), clock=lambda: datetime.now(UTC),
                centre=lambda: Centre(queues={"general": Queue(steps=(Rung(0, "general"),))}, last_agent_wait=0),
                times=Times(wrap_up=0.0, announce=0.0),
            )
            answered = _Answered(session, pbx)
            running = [asyncio.create_task(telephone.run(right=owner)), asyncio.create_task(answered.watch())]
            await asyncio.sleep(1)
            for name, number in (("our queue", "12345"), ("Asterisk's app_queue", "54321")):
                async def measure(rate: float, number: str = number) -> Result:
                    return await _load(home, pbx, answered, number=number, rate=rate, seconds=seconds)
                _print(name, await _rising(measure, rates))
            delays = await _to_ringing(home, pbx, pool, answered, times=times)
            cuts = statistics.quantiles(delays, n=100)
            print(f"from available to ringing, {times} times: p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms")
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if agents is not None and agents.returncode is None:
            agents.kill()
            await agents.wait()
        await asyncio.to_thread(stop_embedded, home)
        shutil.rmtree(home, ignore_errors=True)


def _print(name: str, found: list[Result]) -> None:
    for one in found:
        print(f"{name:<24}{one.rate:>6.0f} calls/s asked  {one.answered:>6.1f}/s answered  "
              f"{one.share:>6.1%} got through  {one.at_once:>4} talks at once")
    good = [one for one in found if one.share >= ENOUGH]
    best = max((one.answered for one in good), default=0.0)
    print(f"  {name}: {best:.1f} set-ups/s with at least {ENOUGH:.0%} getting through")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each rate")
    parser.add_argument("--rates", default="2,5,10,15,20,30", help="calls a second, rising")
    parser.add_argument("--times", type=int, default=30, help="measurements from available to ringing")
    given = parser.parse_args()
    if not (ROOT / "usr/sbin/asterisk").exists() or shutil.which("sipp") is None or os.geteuid() != 0:
        print("no Asterisk or sipp here: tests/voice/install.sh installs them; calls are not measured", file=sys.stderr)
        return
    print(f"{os.cpu_count()} cores, shared by PBX, telephones, database and us; {AGENTS} agents, talks of {TALK:g} s")
    asyncio.run(bench(seconds=given.seconds, rates=[float(one) for one in given.rates.split(",")], times=given.times))


if __name__ == "__main__":
    main()
