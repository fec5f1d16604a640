"""Everything that can break, under load: `python -m tests.faults --minutes 8` (`make chaos`, after the kills).

Citizens on five channels, each repeating until it is acknowledged; consoles that come back; a 110 desk and a unit's
system. One fault after another, each a few seconds, in an order by chance: processes killed or restarted in turn, the
database restarted, failed over to its synchronous standby, slow, silent; the disk of attachments full; the desk and
the webhooks down; the clock off. At the end the citizens' ledger is compared, as in `tests.chaos`, and the audit chain
is verified.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec
from tqdm import tqdm

from channels.open311_codec import token_of
from hotline.signing import signed_headers
from tests.chaos import ORDINARY, Citizens, Ledger, Watcher, counted, settled
from tests.fuzz.identities import UNIT
from tests.fuzz.test_raw import PNG
from tests.pair import Pair
from tests.processes import POLICE_SECRET, TOKEN, free_port
from tests.proxy import Proxy

MOUNT = 2 << 20
"""Bytes of the attachments' own small disk, where the machine lets us mount one (else that fault is left out)."""


class MoreCitizens(Citizens):
    """The same on the other channels too, and with pictures."""

    refused = 0

    async def web(self, session: aiohttp.ClientSession, who: int) -> None:
        """A citizen with the web form."""
        await self._go_on(session, who, "web", self._form)

    async def open311(self, session: aiohttp.ClientSession, who: int) -> None:
        """A civic app that speaks Open311."""
        await self._go_on(session, who, "o", self._civic)

    async def police(self, session: aiohttp.ClientSession, who: int) -> None:
        """110 hands over what is no matter for the police."""
        await self._go_on(session, who, "p", self._transfer)

    async def pictures(self, session: aiohttp.ClientSession, who: int) -> None:
        """An app that sends a picture first: an upload that was answered can be used."""
        await self._go_on(session, who, "pic", self._picture)

    async def _go_on(
        self, session: aiohttp.ClientSession, who: int, mark: str, send: Callable[..., Awaitable[str | None]]
    ) -> None:
        rng = random.Random(f"{self._seed}-{mark}{who}")
        while not self.stop.is_set():
            n = next(self._numbers)
            text, key = rng.choice(ORDINARY).format(n=n), f"{mark}-{n}"
            if mark == "o":
                key = token_of("test\0", f"o-{n}")
            await self._until_acknowledged(key, lambda key, n=n, text=text: send(session, key, n, text), rng)

    async def _number(self, sending: object) -> str | None:
        async with sending as answer:  # type: ignore[attr-defined]
            if answer.status not in (200, 201):
                return None
            told = await answer.json(content_type=None)
            return str(told[0]["service_request_id"] if isinstance(told, list) else told["number"])

    async def _form(self, session: aiohttp.ClientSession, key: str, n: int, text: str) -> str | None:
        headers = {"Idempotency-Key": key}
        return await self._number(
            session.post(f"{self._house.url}/api/v1/appeals", data={"text": text}, headers=headers))

    async def _civic(self, session: aiohttp.ClientSession, key: str, n: int, text: str) -> str | None:
        form = {"service_code": "0307", "api_key": TOKEN, "description": text, "address_string": f"体育路{n}号"}
        headers = {"Idempotency-Key": f"o-{n}"}
        return await self._number(
            session.post(f"{self._house.url}/open311/v2/requests.json", data=form, headers=headers))

    async def _transfer(self, session: aiohttp.ClientSession, key: str, n: int, text: str) -> str | None:
        body = msgspec.json.encode({"text": text, "matter": "路灯"})
        headers = signed_headers(POLICE_SECRET, body, now=datetime.now(UTC)) | {"Idempotency-Key": key}
        return await self._number(
            session.post(f"{self._house.url}/api/v1/police/transfers", data=body, headers=headers))

    async def _picture(self, session: aiohttp.ClientSession, key: str, n: int, text: str) -> str | None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        picture = PNG + key.encode()  # the same again when it is repeated: a key stands for one content
        async with session.post(f"{self._house.url}/api/v1/attachments", data=picture, headers=headers) as answer:
            if answer.status != 201:
                self.refused += 1
                return None
            kept = (await answer.json())["key"]
        appeal = {"text": text, "attachments": [{"key": kept}]}
        return await self._number(session.post(
            f"{self._house.url}/api/v1/appeals", json=appeal, headers=headers | {"Idempotency-Key": key}))


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


async def faults(
    *, minutes: float, citizens: int = 3, consoles: int = 3, seed: int = 1, only: Sequence[str] = (),
    quiet: bool = False,
) -> dict[str, int]:
    """Run it, all faults or `only` some, and return what is wrong, by kind."""
    rng, ledger = random.Random(seed), Ledger()
    timeout = aiohttp.ClientTimeout(total=10)
    async with Stage() as stage, aiohttp.ClientSession(timeout=timeout) as session:
        house, load = stage.house, MoreCitizens(stage.house, ledger, seed=seed)
        watchers = [Watcher(house) for _ in range(consoles)]
        watching = [asyncio.create_task(watcher.run(session)) for watcher in watchers]
        while not all(watcher.start is not None for watcher in watchers):
            await asyncio.sleep(0.05)
        channels = (load.app, load.wechat, load.web, load.open311, load.police, load.pictures)
        sending = [asyncio.create_task(way(session, n)) for n in range(citizens) for way in channels]
        breaking = Faults(house, stage.proxies, stage.unit_port, rng=rng)
        await breaking.go(time.monotonic() + 60 * minutes, only=only, quiet=quiet)
        load.stop.set()
        _, unheard = await asyncio.wait(sending, timeout=120)  # each ends with an appeal that was acknowledged
        house.dsn = stage.direct
        await settled(house, watchers, patience=150)
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        found = await counted(house, ledger, watchers)
        found["citizens never answered"] = len(unheard)
        found["webhooks taken twice"] = await webhooks_twice(stage.unit_port)
        found["audit chain broken"] = await asyncio.to_thread(audited, stage)
        if not quiet:
            print(f"{len(ledger.acknowledged)} appeals acknowledged on {len(channels)} channels, "
                  f"{len(house.incidents())} incidents at the desk, {load.refused} uploads refused and repeated; "
                  f"faults: {dict(breaking.done)}" + ("" if stage.mounted else "; no disk could be mounted to fill"))
        return found


def main() -> int:
    """Run from the command line; exit status 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--citizens", type=int, default=3, help="on each channel")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = asyncio.run(faults(minutes=given.minutes, citizens=given.citizens, seed=given.seed))
    for kind, count in found.items():
        print(f"{count:6}  {kind}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
