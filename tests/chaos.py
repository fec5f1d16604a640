"""Kill the service at random moments under load and count: `python -m tests.chaos --kills 20`.

Citizens (app and WeChat) repeat each delivery under its key until it is acknowledged, as real ones do. A ledger of what
was acknowledged is kept outside the service. At the end: every acknowledged appeal is there once, none twice, each
emergency is at the desk exactly once, and every console got each event once, in order, without a gap.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import itertools
import json
import random
import sys
import time
from collections import Counter
from typing import Any

import aiohttp
import asyncpg
import msgspec
from tqdm import tqdm
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.processes import TOKEN, WECHAT_TOKEN, House, console_ticket

ORDINARY = [
    "体育路第{n}盏路灯不亮", "小区{n}栋物业不清理垃圾", "公交{n}路等了很久", "工厂{n}号晚上排放刺鼻气味",
    "停车场{n}号乱收费",
]
URGENT = "厂房{n}楼着火了,有人被困在里面,快来救人"
_GONE = (aiohttp.ClientError, OSError, TimeoutError)


class Ledger:
    """What citizens know: key → number, and which keys were ever sent."""

    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.acknowledged: dict[str, str] = {}
        self.contradictions: list[str] = []

    def acknowledge(self, key: str, number: str) -> None:
        """Note an answer; another number for the same key is a contradiction."""
        if self.acknowledged.setdefault(key, number) != number:
            self.contradictions.append(key)


class Citizens:
    """Load: each citizen sends one appeal after another, repeating each until it is acknowledged."""

    def __init__(self, house: House, ledger: Ledger, *, seed: int) -> None:
        self._house, self._ledger, self._seed = house, ledger, seed
        self._numbers = itertools.count()
        self.stop = asyncio.Event()

    async def app(self, session: aiohttp.ClientSession, who: int) -> None:
        """A citizen with the app."""
        rng = random.Random(f"{self._seed}-{who}")
        while not self.stop.is_set():
            n = next(self._numbers)
            text = (URGENT if rng.random() < 0.05 else rng.choice(ORDINARY)).format(n=n)
            await self._until_acknowledged(f"key-{n}", lambda key, text=text: self._post(session, key, text), rng)

    async def wechat(self, session: aiohttp.ClientSession, who: int) -> None:
        """A citizen on WeChat, each message from another open id."""
        rng = random.Random(f"{self._seed}-w{who}")
        while not self.stop.is_set():
            n = next(self._numbers)
            text = rng.choice(ORDINARY).format(n=n)
            key = str(10**15 + n)
            await self._until_acknowledged(key, lambda key, text=text: self._message(session, key, text), rng)

    async def _until_acknowledged(self, key: str, send: Any, rng: random.Random) -> None:
        self._ledger.sent.add(key)
        while True:
            with contextlib.suppress(*_GONE):
                number = await send(key)
                if number:
                    self._ledger.acknowledge(key, number)
                    if rng.random() > 0.1:  # now and then an acknowledged delivery is repeated all the same
                        return
            await asyncio.sleep(rng.uniform(0.01, 0.1))

    async def _post(self, session: aiohttp.ClientSession, key: str, text: str) -> str | None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
        async with session.post(f"{self._house.url}/api/v1/appeals", json={"text": text}, headers=headers) as answer:
            return str((await answer.json())["number"]) if answer.status in (200, 201) else None

    async def _message(self, session: aiohttp.ClientSession, key: str, text: str) -> str | None:
        now = str(int(time.time()))
        signature = hashlib.sha1("".join(sorted([WECHAT_TOKEN, now, "n"])).encode(), usedforsecurity=False).hexdigest()
        body = (
            f"<xml><ToUserName>gh</ToUserName><FromUserName>open-{key}</FromUserName><CreateTime>{now}</CreateTime>"
            f"<MsgType>text</MsgType><Content>{text}</Content><MsgId>{key}</MsgId></xml>"
        )
        query = {"signature": signature, "timestamp": now, "nonce": "n"}
        async with session.post(f"{self._house.url}/wechat", params=query, data=body.encode()) as answer:
            words = await answer.text()
        return words.split("工单号:")[1][:19].split("\n")[0].strip() if "工单号:" in words else None


class Watcher:
    """A supervisor's console that comes back with its `last_seq` whenever it is cut."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.seqs: list[int] = []
        self.start: int | None = None
        self.resumed = 0
        self.too_old = 0

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Watch until cancelled."""
        while True:
            with contextlib.suppress(ConnectionClosed, InvalidHandshake, aiohttp.ClientResponseError, *_GONE):
                await self._watch(session)
            await asyncio.sleep(0.05)

    async def _watch(self, session: aiohttp.ClientSession) -> None:
        ticket = await console_ticket(session, self._house, "watcher")
        last = self.seqs[-1] if self.seqs else self.start
        async with connect(self._house.ws_url, max_size=None, open_timeout=5) as socket:
            hello = {"type": "hello", "ticket": ticket} | ({} if last is None else {"last_seq": last})
            await socket.send(json.dumps(hello))
            await socket.send(json.dumps({"type": "follow", "topics": ["tickets"]}))
            self.resumed += last is not None
            async for data in socket:
                self._take(msgspec.json.decode(data))

    def _take(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "welcome" if self.start is None:
                self.start = frame["seq"]
            case "events":
                self.seqs += [event["seq"] for event in frame["events"]]
            case "event":
                self.seqs.append(frame["seq"])
            case "too_old":
                self.too_old += 1
            case "error" if frame["error_id"] == "unauthenticated":
                raise OSError("the one-time ticket grew too old on a busy machine: come back with another")
            case "error":
                raise RuntimeError(str(frame))


async def counted(house: House, ledger: Ledger, watchers: list[Watcher]) -> dict[str, int]:
    """Return what is wrong, by kind; all zeros is the promise kept."""
    connection = await asyncpg.connect(house.dsn)
    inbox = {
        row["external_id"].rpartition(":")[2]: row["number"] for row in await connection.fetch(
            "SELECT external_id, number FROM inbox JOIN tickets ON tickets.id = ticket_id"
        )
    }
    tickets = [row["number"] for row in await connection.fetch("SELECT number FROM tickets")]
    incidents = [row["key"] for row in await connection.fetch("SELECT key FROM incidents")]
    unsettled = await connection.fetchval("SELECT count(*) FROM incidents WHERE state = 'pending'")
    log = [row["position"] for row in await connection.fetch("SELECT position FROM ticket_events ORDER BY position")]
    await connection.close()
    at_desk = Counter(str(incident["key"]) for incident in house.incidents())
    wrong_events = 0
    for watcher in watchers:
        expected = [position for position in log if watcher.start is not None and position > watcher.start]
        if watcher.seqs != expected:
            wrong_events += 1
            tell_difference(watcher.seqs, expected)
    return {
        "acknowledged but not there": sum(inbox.get(key) != number for key, number in ledger.acknowledged.items()),
        "answered with two numbers": len(ledger.contradictions),
        "tickets without a delivery": len(set(tickets) - set(inbox.values())),
        "deliveries with two tickets": len(tickets) - len(inbox),
        "never sent": len(set(inbox) - ledger.sent),
        "emergencies missing at the desk": len(set(incidents) - set(at_desk)),
        "emergencies twice at the desk": sum(count > 1 for count in at_desk.values()),
        "unknown at the hotline": len(set(at_desk) - set(incidents)),
        "incidents unsettled": unsettled,
        "consoles with a gap, a repeat or disorder": wrong_events,
        "consoles told too_old": sum(watcher.too_old for watcher in watchers),
    }


def tell_difference(seen: list[int], expected: list[int]) -> None:
    """Say where what a console saw differs from the log."""
    at = next((n for n, (one, other) in enumerate(zip(seen, expected, strict=False)) if one != other), -1)
    twice = [seq for seq, count in Counter(seen).items() if count > 1]
    print(f"a console saw {len(seen)} events of {len(expected)}: missed {sorted(set(expected) - set(seen))[:5]}, "
          f"unknown {sorted(set(seen) - set(expected))[:5]}, twice {twice[:5]}, first difference at {at}")


async def settled(house: House, watchers: list[Watcher], *, patience: float = 60) -> None:
    """Wait until nothing is left to push and every console has the last event (at most `patience` seconds)."""
    connection = await asyncpg.connect(house.dsn)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience):
            while True:
                pending = await connection.fetchval("SELECT count(*) FROM incidents WHERE state = 'pending'")
                last = await connection.fetchval("SELECT max(position) FROM ticket_events")
                if not pending and all(watcher.seqs and watcher.seqs[-1] == last for watcher in watchers):
                    break
                await asyncio.sleep(0.1)
    await connection.close()


async def chaos(
    *, kills: int, citizens: int = 24, consoles: int = 3, seed: int = 1, quiet: bool = False
) -> dict[str, int]:
    """Run it and return what is wrong, by kind."""
    rng, ledger = random.Random(seed), Ledger()
    async with House() as house, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as session:
        house.add_staff("watcher", "supervisor")
        house.start_desk("--fault", "twice")
        await house.serve()
        load, watchers = Citizens(house, ledger, seed=seed), [Watcher(house) for _ in range(consoles)]
        watching = [asyncio.create_task(watcher.run(session)) for watcher in watchers]
        while not all(watcher.start is not None for watcher in watchers):
            await asyncio.sleep(0.05)
        sending = [asyncio.create_task((load.wechat if n % 4 == 0 else load.app)(session, n)) for n in range(citizens)]
        for _ in tqdm(range(kills), desc="kill -9", disable=quiet, file=sys.stdout):
            await asyncio.sleep(rng.uniform(0.3, 3.0))
            house.kill("service")
            await house.serve()
        await asyncio.sleep(1)
        load.stop.set()
        await asyncio.gather(*sending)
        await settled(house, watchers)
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        found = await counted(house, ledger, watchers)
        if not quiet:
            resumed = sum(watcher.resumed for watcher in watchers)
            print(f"{len(ledger.acknowledged)} appeals acknowledged, {len(house.incidents())} incidents at the desk, "
                  f"{kills} kills, {resumed} console resumes, {sum(len(w.seqs) for w in watchers)} events watched")
        return found


def main() -> int:
    """Run from the command line; exit status 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--citizens", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = asyncio.run(chaos(kills=given.kills, citizens=given.citizens, seed=given.seed))
    for kind, count in found.items():
        print(f"{count:6}  {kind}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
