"""Proposals to merge and hot spots: made behind the log, once, whoever runs it; told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.events import SYSTEM, Actor, Role
from hotline.hotspots import ALARM, HotSpots
from hotline.keyring import Damaged
from hotline.service import Service
from hotline.store.database import open_pool
from hotline.store.likeness import LikenessStore, compare_all, compare_once
from hotline.store.tickets import TicketStore
from hotline.terms import Kind
from tests.cities import RULES
from tests.hotline.test_intake import NOW, all_rows, inbound, intake_over
from tests.triage.test_cluster import clusterer

AGENT = Actor(Role.AGENT, "zhang")
TOLD = (
    "大朗镇巷头社区从昨晚九点停水到现在,没有任何通知",
    "请问大朗巷头几时来水?停咗成晚,打水务电话冇人听",
    "巷头这边自来水一滴都没有,大朗,开早餐店的生意都做不了",
)
OTHER = ("大朗镇巷头毛织市场门口占道停车堵人行道", "长安镇霄边社区从昨晚停水到现在", "南城鸿福路工地半夜打桩")


@asynccontextmanager
async def house(dsn: str) -> AsyncIterator[tuple[asyncpg.Pool, LikenessStore, Service]]:
    async with intake_over(dsn) as intake, await open_pool(dsn) as pool:
        service = Service(store=TicketStore(pool, prefix="DG"), intake=intake, rules=lambda: RULES, clock=lambda: NOW)
        yield pool, LikenessStore(pool), service


async def submit(dsn: str, *texts: str) -> list[str]:
    async with intake_over(dsn) as intake:
        return [(await intake.submit(inbound(text))).number for text in texts]


async def test_a_repeat_by_another_citizen_is_proposed_with_reasons(database: str) -> None:
    numbers = await submit(database, *TOLD, *OTHER)
    async with house(database) as (pool, store, _):
        await compare_all(pool, clusterer().tell)
        found = await store.similar(numbers[0])
        assert {one.number for one in found} == set(numbers[1:3])
        for one in found:
            assert any(reason.startswith("同一地点:") and "大朗" in reason for reason in one.reasons)
            assert "同一事项:停水" in one.reasons
            assert any(reason.startswith("相隔") for reason in one.reasons)
        for number in numbers[3:]:
            assert await store.similar(number) == []
        assert {one.number for one in await store.similar(numbers[2])} == {numbers[0], numbers[1]}


@pytest.mark.parametrize("text", ["[语音]", "你好", "[图片] https://example.com/a.jpg", "在吗?"])
async def test_what_says_nothing_is_like_nothing(database: str, text: str) -> None:
    numbers = await submit(database, text, text, *TOLD[:2])
    async with house(database) as (pool, store, _):
        await compare_all(pool, clusterer().tell)
        assert [await store.similar(number) for number in numbers[:2]] == [[], []]
        assert [one.number for one in await store.similar(numbers[2])] == [numbers[3]]


@pytest.mark.parametrize("discreet", [{"kind": Kind.REPORT}, {"confidential": True}])
async def test_a_discreet_ticket_is_proposed_with_its_own_citizens_only(
    database: str, discreet: dict[str, Any]
) -> None:
    mine, other = Citizen(phone="+8613800000001"), Citizen(phone="+8613800000002")
    appeals = [
        Appeal(text=text, citizen=citizen, **more)
        for text, citizen, more in zip(TOLD, (mine, mine, other), (discreet, discreet, {}), strict=True)
    ]
    async with intake_over(database) as intake:
        numbers = [(await intake.submit(inbound(appeal=appeal))).number for appeal in appeals]
    async with house(database) as (pool, store, _):
        await compare_all(pool, clusterer().tell)
        assert [one.number for one in await store.similar(numbers[0])] == [numbers[1]]
        assert await store.similar(numbers[2]) == []


async def test_what_is_done_is_proposed_no_more(database: str) -> None:
    numbers = await submit(database, *TOLD)
    async with house(database) as (pool, store, service):
        await compare_all(pool, clusterer().tell)
        await service.act(numbers[1], c.Withdraw(), actor=AGENT)
        assert [one.number for one in await store.similar(numbers[0])] == [numbers[2]]


async def test_an_agent_dismisses_a_proposal_for_good(database: str) -> None:
    numbers = await submit(database, *TOLD[:2])
    async with house(database) as (pool, store, _):
        await compare_all(pool, clusterer().tell)
        assert await store.dismiss(numbers[0], numbers[1], by="zhang", now=NOW)
        assert not await store.dismiss(numbers[1], numbers[0], by="zhang", now=NOW)
        assert await store.similar(numbers[0]) == await store.similar(numbers[1]) == []
        assert not await store.dismiss(numbers[0], "DG000", by="zhang", now=NOW)


async def test_several_processes_and_a_kill_change_nothing(database: str) -> None:
    await submit(database, *TOLD, *OTHER)
    async with house(database) as (pool, _, _), await open_pool(database) as other:
        await asyncio.gather(*(compare_once(one, clusterer().tell) for one in (pool, other, pool)))
        # As if killed before the cursor moved.
        await pool.execute("UPDATE readers SET position = 0 WHERE name = 'likeness'")
        before = await all_rows(database, "SELECT ticket_id, other_id FROM merge_proposals ORDER BY 1, 2")
        await compare_all(pool, clusterer().tell)
    assert before == await all_rows(database, "SELECT ticket_id, other_id FROM merge_proposals ORDER BY 1, 2")
    assert len(before) == 3
    assert len(await all_rows(database, "SELECT 1 FROM ticket_traits")) == len(TOLD) + len(OTHER)


@pytest.mark.parametrize("text", ["。。。", "12345", "a", "😀" * 50, "停水" * 800])
async def test_odd_texts_hold_nothing_up(database: str, text: str) -> None:
    await submit(database, text, text)
    async with house(database) as (pool, _, _):
        await compare_all(pool, clusterer().tell)
        assert await compare_once(pool, clusterer().tell) == 0


async def test_a_receipt_that_cannot_be_opened_holds_nothing_up(database: str) -> None:
    numbers = await submit(database, *TOLD)
    async with house(database) as (pool, store, _):
        await pool.execute(
            "UPDATE ticket_events SET sealed = 'changed' FROM tickets t WHERE t.id = ticket_id AND number = $1",
            numbers[0],
        )
        await compare_all(pool, clusterer().tell)
        assert numbers[1] in {one.number for one in await store.similar(numbers[2])}
        assert len(await all_rows(database, "SELECT 1 FROM ticket_traits")) == len(TOLD)


async def add_reports(pool: asyncpg.Pool, count: int, at: datetime, *, citizens: int = 10_000) -> None:
    """Add traits as if so many had told of the water in the last minutes before `at`; no tickets stand behind them."""
    first = 1000 + (await pool.fetchval("SELECT coalesce(max(ticket_id), 0) FROM ticket_traits") or 0)
    rows = [(first + n, at - timedelta(minutes=n), "大朗", "巷头", "停水", f"c{n % citizens}") for n in range(count)]
    await pool.executemany("INSERT INTO ticket_traits VALUES ($1, $2, $3, $4, $5, $6)", rows)


async def settled(pool: asyncpg.Pool) -> None:
    """Make the log old enough to know what is usual: nothing was, in the weeks before."""
    await pool.execute("INSERT INTO ticket_traits VALUES (-1, $1, '', '', '', '')", NOW - timedelta(days=60))


async def alarms(dsn: str) -> list[str]:
    rows = await all_rows(dsn, "SELECT doc FROM ticket_events WHERE type = 'raise_alarm'")
    return [row["doc"] for row in rows]


async def test_a_hot_spot_is_found_kept_and_alarmed_once(database: str) -> None:
    [number] = await submit(database, TOLD[0])
    async with house(database) as (pool, store, service):
        await compare_all(pool, clusterer().tell)
        await pool.execute("UPDATE ticket_traits SET at = $1", NOW - timedelta(hours=1))
        await add_reports(pool, 9, NOW)
        await settled(pool)
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
        await compare_all(pool, clusterer().tell)
        await pool.execute("UPDATE ticket_traits SET at = $1", NOW - timedelta(hours=1))
        await add_reports(pool, 9, NOW)
        await settled(pool)
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


async def test_old_keys_are_forgotten(database: str) -> None:
    await submit(database, *TOLD)
    async with house(database) as (pool, store, _):
        await compare_all(pool, clusterer().tell)
        assert await all_rows(database, "SELECT 1 FROM ticket_keys")
        await store.forget(NOW + timedelta(days=100))
        assert await all_rows(database, "SELECT 1 FROM ticket_keys") == []


def test_the_system_raises_the_alarm() -> None:
    assert SYSTEM.role is Role.SYSTEM
