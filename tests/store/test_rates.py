"""Rate limits shared among processes: every process learns of the others, and no request waits for them."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.limits import RateLimit
from hotline.errors import RateLimited
from hotline.store import sealing
from hotline.store.database import open_pool
from hotline.store.rates import Exchange

BURST, PERIOD = 10, 60.0


class House:
    """So many processes over one database, and a clock."""

    def __init__(self, pool: asyncpg.Pool, processes: int) -> None:
        self.at = 1000.0
        self.limits = [RateLimit(BURST, PERIOD, name="web", of=sealing.blind) for _ in range(processes)]
        self.exchanges = [Exchange(pool, [limit], now=lambda: self.at) for limit in self.limits]

    def flood(self, process: int, key: str = "198.51.100.7", requests: int = 100) -> int:
        """Return how many of so many requests a process lets in."""
        passed = 0
        for _ in range(requests):
            try:
                self.limits[process].take(key, self.at)
            except RateLimited:
                break
            passed += 1
        return passed

    async def round(self) -> None:
        """Every process tells, and then every one knows."""
        for _ in range(2):
            for exchange in self.exchanges:
                await exchange.step()


async def test_a_flood_over_all_processes_gets_one_rate(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        house = House(pool, 4)
        await house.round()
        passed = sum(house.flood(n) for n in range(4))
        assert passed == 4 * BURST  # before they know of each other
        await house.round()
        assert sum(house.flood(n) for n in range(4)) == 0
        minutes = 20
        later = 0
        for _ in range(minutes * 60):
            house.at += 1.0
            later += sum(house.flood(n) for n in range(4))
            await house.round()
        assert later <= minutes * BURST + BURST  # as if one process counted
        assert later >= minutes * BURST * 0.5


async def test_who_stays_below_is_never_refused(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        house = House(pool, 3)
        for step in range(300):
            house.at += 7.0  # less than ten a minute, over all processes
            assert house.flood(step % 3, requests=1) == 1
            await house.exchanges[step % 3].step()


async def test_keys_do_not_hurt_each_other_and_are_not_readable(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        house = House(pool, 2)
        await house.round()
        house.flood(0)
        await house.round()
        assert house.flood(1, "203.0.113.9", 3) == 3
        rows = await pool.fetch("SELECT * FROM rate_counts")
        assert b"198.51.100.7" not in b"".join(row["key"] for row in rows)


async def test_a_process_that_comes_later_does_not_punish_for_the_past(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        house = House(pool, 1)
        for _ in range(100):
            house.at += 10
            assert house.flood(0, requests=1) == 1
            await house.exchanges[0].step()
        new = House(pool, 1)
        new.at = house.at
        await new.round()
        assert new.flood(0, requests=3) == 3


async def test_what_could_not_be_told_is_told_later(database: str) -> None:
    async with await open_pool(database, size=4) as pool:
        house = House(pool, 2)
        await house.round()
        house.flood(0, requests=6)
        broken = Exchange(await closed_pool(database), [house.limits[0]], now=lambda: house.at)
        with pytest.raises(asyncpg.InterfaceError):
            await broken.step()
        await house.round()
        assert await pool.fetchval("SELECT sum(taken) FROM rate_counts") == 6


async def closed_pool(database: str) -> asyncpg.Pool:
    pool = await open_pool(database, size=1)
    await pool.close()
    return pool


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 5)), max_size=60))
def test_news_are_told_once_and_levels_stay_within_bounds(steps: Sequence[tuple[str, int]]) -> None:
    limit, told, passed = RateLimit(BURST, PERIOD, name="x"), 0, 0
    for at, (key, count) in enumerate(steps):
        limit.others({key: count}, float(at))
        try:
            limit.take(key, float(at))
            passed += 1
        except RateLimited:
            pass
        told += sum(limit.news().values())
    assert told == passed
    assert limit.news() == {}
