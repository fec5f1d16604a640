"""Hot spots: found behind the log, told once, and cleared when they are over."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import asyncpg
import pytest

from hotline import commands as c
from hotline.events import SYSTEM, Actor, Role
from hotline.hotspots import ALARM, HotSpots
from hotline.keyring import Damaged
from hotline.store.database import open_pool
from hotline.store.likeness import LikenessStore, compare_all
from tests.hotline.test_intake import NOW, all_rows
from tests.store.water import TOLD, house, submit
from tests.triage.test_cluster import clusterer


async def add_reports(pool: asyncpg.Pool, count: int, at: datetime, *, citizens: int = 10_000) -> None:
    """Add traits as if so many had told of the water in the last minutes before `at`; no tickets stand behind them."""
    first = 1000 + (await pool.fetchval("SELECT coalesce(max(ticket_id), 0) FROM ticket_traits") or 0)
    rows = [(first + n, at - timedelta(minutes=n), "大朗", "巷头", "停水", f"c{n % citizens}") for n in range(count)]
    await pool.executemany("INSERT INTO ticket_traits VALUES ($1, $2, $3, $4, $5, $6)", rows)


async def settled(pool: asyncpg.Pool) -> None:
    """Make the log old enough to know what is usual: nothing was, in the weeks before."""
    await pool.execute("INSERT INTO ticket_traits VALUES (-1, $1, '', '', '', '')", NOW - timedelta(days=60))


async def flared_up(pool: asyncpg.Pool) -> None:
    """Let the one ticket there is be known for an hour, and nine more citizens tell of the same."""
    await compare_all(pool, clusterer().tell)
    await pool.execute("UPDATE ticket_traits SET at = $1", NOW - timedelta(hours=1))
    await add_reports(pool, 9, NOW)
    await settled(pool)


async def alarms(dsn: str) -> list[str]:
    rows = await all_rows(dsn, "SELECT doc FROM ticket_events WHERE type = 'raise_alarm'")
    return [row["doc"] for row in rows]


async def test_a_hot_spot_is_found_kept_and_alarmed_once(database: str) -> None:
    [number] = await submit(database, TOLD[0])
    async with house(database) as (pool, store, service):
        await flared_up(pool)
        spots = HotSpots(rows=store, service=service, clock=lambda: NOW)
        await asyncio.gather(*(spots.sweep() for _ in range(4)))
        await spots.sweep()
        found = await store.hotspots(NOW)
        assert [(one.town, one.spot, one.matter, one.hours, one.count) for one in found] == [
            ("大朗", "巷头", "停水", 6, 10)
        ]
        assert len(await alarms(database)) == 1
        [event] = await alarms(database)
        assert ALARM in event
        assert "大朗" in event
        assert number in found[0].tickets
        assert len(await all_rows(database, "SELECT 1 FROM tickets WHERE alarmed")) == 1
        [raised] = await all_rows(database, "SELECT actor FROM ticket_events WHERE type = 'raise_alarm'")
        assert raised["actor"] == f"{SYSTEM.role}:{SYSTEM.name}"


async def test_what_is_usual_there_is_no_hot_spot(database: str) -> None:
    await submit(database, TOLD[0])
    async with house(database) as (pool, store, _):
        await compare_all(pool, clusterer().tell)
        for day in range(8, 36):
            await add_reports(pool, 8, NOW - timedelta(days=day))
        await add_reports(pool, 9, NOW)
        assert await store.find_hotspots(NOW) == []


@pytest.mark.parametrize("weeks", [1, 2, 3])
@pytest.mark.parametrize("daily", [3, 20])
async def test_what_goes_on_as_ever_is_no_hot_spot_in_a_young_log(database: str, daily: int, weeks: int) -> None:
    async with await open_pool(database) as pool:
        for day in range(7 * weeks):
            await add_reports(pool, daily, NOW - timedelta(days=day))
        assert await LikenessStore(pool).find_hotspots(NOW) == []


async def test_what_would_be_much_anywhere_is_told_in_a_young_log_too(database: str) -> None:
    async with await open_pool(database) as pool:
        await add_reports(pool, 40, NOW)
        assert {one.matter for one in await LikenessStore(pool).find_hotspots(NOW)} == {"停水"}


async def test_one_citizen_alone_makes_no_hot_spot(database: str) -> None:
    await submit(database, TOLD[0])
    async with house(database) as (pool, store, _):
        await add_reports(pool, 60, NOW, citizens=2)
        await settled(pool)
        assert await store.find_hotspots(NOW) == []


async def test_a_hot_spot_ends_and_may_come_again(database: str) -> None:
    await submit(database, TOLD[0])
    async with house(database) as (pool, store, _):
        await add_reports(pool, 9, NOW)
        await settled(pool)
        await store.find_hotspots(NOW)
        later = NOW + timedelta(days=9)
        await store.find_hotspots(later)
        assert all(one.ended_at is not None for one in await store.hotspots(later))
        await add_reports(pool, 30, later + timedelta(hours=1))
        await store.find_hotspots(later + timedelta(hours=2))
        assert any(one.ended_at is None for one in await store.hotspots(later))
        assert await store.hotspots(later + timedelta(days=40)) != []


async def test_a_hot_spot_that_flares_up_again_is_told_again(database: str) -> None:
    """Its alarm ends with it; seen by a supervisor and left on the same ticket, it would swallow the next."""
    [number] = await submit(database, TOLD[0])
    async with house(database) as (pool, store, service):
        await flared_up(pool)
        moment = NOW
        spots = HotSpots(rows=store, service=service, clock=lambda: moment)
        await spots.sweep()
        [carrier] = await alarmed(pool)
        await service.act(carrier, c.AcknowledgeAlarm(alarm=ALARM), actor=Actor(Role.SUPERVISOR, "s1"))
        await add_reports(pool, 60, NOW)
        await spots.sweep()
        assert (await store.hotspots(moment))[0].tickets[-1] == carrier, "however many tell of it later"
        moment += timedelta(days=9)
        for _ in range(2):
            await spots.sweep()
        assert await alarmed(pool) == []
        await pool.execute("DELETE FROM ticket_traits WHERE ticket_id > 1900")  # so the same ticket is the first again
        await pool.execute("UPDATE ticket_traits SET at = at + interval '9 days'")
        await spots.sweep()
        assert await alarmed(pool) == [number]
        assert len(await alarms(database)) == 2
        cleared = await all_rows(database, "SELECT 1 FROM ticket_events WHERE type = 'clear_alarm'")
        assert len(cleared) == 1


async def alarmed(pool: asyncpg.Pool) -> list[str]:
    return [row["number"] for row in await pool.fetch("SELECT number FROM tickets WHERE alarmed ORDER BY id")]


async def test_an_alarm_that_is_another_hot_spots_too_stands_as_long_as_that_lasts(database: str) -> None:
    [number] = await submit(database, TOLD[0])
    async with house(database) as (pool, store, service):
        spots = HotSpots(rows=store, service=service, clock=lambda: NOW)
        await service.act(number, c.RaiseAlarm(alarm=ALARM), actor=SYSTEM)
        await pool.execute(
            """INSERT INTO hotspots (town, spot, matter, hours, count, expected, began_at, last_at, found_at, ended_at,
                                     alarmed_at, tickets)
               SELECT '大朗', spot, '停水', 6, 9, 1, n, n, n, CASE spot WHEN '' THEN NULL ELSE n END, n, ARRAY[t.id]
               FROM tickets t, unnest(ARRAY['', '巷头']) AS spot, CAST($1 AS timestamptz) AS n""", NOW,
        )
        await spots.sweep()
        assert await alarmed(pool) == [number], "the town's goes on"
        await pool.execute("UPDATE hotspots SET ended_at = $1", NOW)
        await spots.sweep()
        assert await alarmed(pool) == []


async def test_a_ticket_that_cannot_be_read_keeps_no_other_hot_spot_back(database: str) -> None:
    bad, good = await submit(database, *TOLD[:2])
    async with house(database) as (pool, store, service):
        await pool.execute(
            """INSERT INTO hotspots (town, spot, matter, hours, count, expected, began_at, last_at, found_at, tickets)
               SELECT '大朗', t.number, '停水', 6, 9, 1, $1, $1, $1, ARRAY[t.id] FROM tickets t ORDER BY t.id""", NOW,
        )
        await pool.execute(
            "UPDATE ticket_events SET sealed = 'changed' FROM tickets t WHERE t.id = ticket_id AND number = $1", bad
        )
        with pytest.raises(Damaged):  # told, and tried again
            await HotSpots(rows=store, service=service, clock=lambda: NOW).sweep()
        assert await alarmed(pool) == [good]
