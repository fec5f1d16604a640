"""A run of faults under load, and what its ledger says at the end."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

import aiohttp

from tests.chaos import Watcher, counted, ended, settled
from tests.faults.breaking import Faults
from tests.faults.citizens import MoreCitizens
from tests.faults.stage import Stage, audited, webhooks_twice
from tests.load import Ledger
from tests.talkers import TYPIST


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
        await asyncio.to_thread(house.add_staff, TYPIST, "agent")
        channels = (
            load.app, load.wechat, load.web, load.open311, load.police, load.pictures, load.chat, load.typed,
        )
        sending = [asyncio.create_task(way(session, n)) for n in range(citizens) for way in channels]
        breaking = Faults(house, stage.proxies, stage.unit_port, rng=rng)
        await breaking.go(time.monotonic() + 60 * minutes, only=only, quiet=quiet)
        load.stop.set()
        _, unheard = await asyncio.wait(sending, timeout=120)  # each ends with an appeal that was acknowledged
        house.dsn = stage.direct
        await settled(house, watchers, patience=150)
        await ended(watching)
        found = await counted(house, ledger, watchers)
        found["citizens never answered"] = len(unheard)
        found["chats with a line lost or doubled"] = load.broken_chats
        found["ways in without an answer"] = ledger.silent("key", "web", "p", "pic", "chat", "call")
        found["webhooks taken twice"] = await webhooks_twice(stage.unit_port)
        found["audit chain broken"] = await asyncio.to_thread(audited, stage)
        if not quiet:
            print(f"{len(ledger.acknowledged)} appeals acknowledged on {len(channels)} channels, "
                  f"{len(house.incidents())} incidents at the desk, {load.refused} uploads refused and repeated; "
                  f"faults: {dict(breaking.done)}" + ("" if stage.mounted else "; no disk could be mounted to fill"))
        return found
