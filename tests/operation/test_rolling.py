"""Two instances are restarted one after the other under load, as docs/operations.md does: nobody notices."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence

import aiohttp
import pytest

from tests.chaos import counted, settled
from tests.load import GONE, Citizens, Ledger
from tests.operation.test_failover import more
from tests.processes import House

CITIZENS = 6
Send = Callable[[Citizens], Awaitable[str | None]]


class Roaming(Citizens):
    """Citizens before several doors: whoever finds one shut goes to the next, as nginx sends them.

    Nginx sends no POST twice, so whoever was let in and got no receipt was refused.
    """

    def __init__(self, doors: Sequence[House], ledger: Ledger, *, seed: int) -> None:
        super().__init__(doors[0], ledger, seed=seed)
        self._doors = [Citizens(door, ledger, seed=seed) for door in doors]
        self._rng = random.Random(seed)
        self.refused: list[str] = []
        self.went_on = 0

    async def _post(self, session: aiohttp.ClientSession, key: str, text: str) -> str | None:
        return await self._at_any(lambda door: door._post(session, key, text))

    async def _message(self, session: aiohttp.ClientSession, key: str, text: str) -> str | None:
        return await self._at_any(lambda door: door._message(session, key, text))

    async def _at_any(self, send: Send) -> str | None:
        for door in self._rng.sample(self._doors, len(self._doors)):
            try:
                number = await send(door)
            except aiohttp.ClientConnectorError:
                self.went_on += 1
                continue
            except GONE as error:
                self.refused.append(f"cut: {error!r}")
                raise
            if number is None:
                self.refused.append("no receipt")
            return number
        self.refused.append("every door was shut")
        return None


@pytest.fixture
def one(database: str) -> Iterator[House]:
    """An instance over a database of its own; it and those beside it are gone afterwards."""
    house = House(durable=False)
    house.dsn = database
    yield house
    house.end()
    shutil.rmtree(house.home, ignore_errors=True)


async def test_a_rolling_restart_loses_doubles_and_refuses_nothing(one: House) -> None:
    two, ledger = one.beside(), Ledger()
    # a connection for each request, so that none is left over from an instance that has gone
    connector, timeout = aiohttp.TCPConnector(force_close=True), aiohttp.ClientTimeout(total=25)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        one.start_desk("--fault", "twice")
        await asyncio.gather(one.serve(name="one"), two.serve(name="two"))
        load = Roaming((one, two), ledger, seed=3)
        ways = (load.wechat, load.app, load.app)
        sending = [asyncio.create_task(ways[n % len(ways)](session, n)) for n in range(CITIZENS)]
        await more(ledger, 5 * CITIZENS)
        for name, door in (("one", one), ("two", two)):
            one.process(name).terminate()
            assert await asyncio.to_thread(one.process(name).wait, 30) == 0
            await more(ledger, 5 * CITIZENS)  # the other serves
            await door.serve(name=name)
            await more(ledger, 5 * CITIZENS)  # whoever has just found this one shut has gone on
        load.stop.set()
        async with asyncio.timeout(60):
            await asyncio.gather(*sending)
        await settled(one, [])
        found = await counted(one, ledger, [])
        assert {kind: count for kind, count in found.items() if count} == {}
        assert load.refused == []
        assert load.went_on > 0
        assert ledger.silent("key") == 0
        assert not any("Traceback" in one.log_of(name) for name in ("one", "two"))
