"""Telephone figures: each metric counted from calls by hand, and occupancy from changes of presence."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.duty import Change, Duty, hours
from hotline.metric_views import By, Question, by_part, local_day
from hotline.metrics import DEFINITIONS, TELEPHONE, Metric
from hotline.store.calls import telephone
from hotline.store.database import open_pool
from hotline.store.metrics import MetricStore
from hotline.store.tally import catch_up
from hotline.store.tally_rebuild import check, rebuild

START = datetime(2026, 10, 1, 1, 0, tzinfo=UTC)
END = START + timedelta(days=2)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with await open_pool(database) as opened:
        yield opened


async def call(pool: asyncpg.Pool, id_: str, **columns: object) -> None:
    given_ = {"id": id_, "direction": "in", "started_at": START, "asked_at": START} | columns
    names = ", ".join(given_)
    places = ", ".join(f"${n}" for n in range(1, len(given_) + 1))
    await pool.execute(f"INSERT INTO calls ({names}) VALUES ({places})", *given_.values())


async def ledger(pool: asyncpg.Pool, call_id: str, state: str) -> None:
    await pool.execute(
        "INSERT INTO callbacks (call, phone, missed_at, state, due_at, doc) "
        "VALUES ($1, '+8613800000000', $2, $3, $2, '{}')", call_id, START, state,
    )


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


async def figures(pool: asyncpg.Pool) -> dict[str, tuple[float, float]]:
    found = await telephone(pool, START, END, now=END)
    return {figure.figure: (figure.numerator, figure.denominator) for figure in found}


async def test_each_metric_by_hand(pool: asyncpg.Pool) -> None:
    await call(pool, "quick", answered_at=at(15), ended_at=at(115), wrap_up_seconds=20, hold_seconds=30, agent="a1")
    await call(pool, "slow", answered_at=at(15.5), ended_at=at(45.5), wrap_up_seconds=10, agent="a2")
    await call(pool, "talking", answered_at=at(5), agent="a2")
    await call(pool, "gave up", abandoned_at=at(40), ended_at=at(40))
    await call(pool, "gave up too", abandoned_at=at(1), ended_at=at(1))
    await call(pool, "queue was full", ended_at=at(2))
    await call(pool, "waits still")
    await call(pool, "only the menu", asked_at=None, ended_at=at(9))
    await call(pool, "outgoing", direction="out", answered_at=at(3), ended_at=at(9), wrap_up_seconds=1)
    await call(pool, "before", asked_at=START - timedelta(seconds=1), answered_at=START)
    await ledger(pool, "gave up", "done")
    await ledger(pool, "gave up too", "assigned")
    assert await figures(pool) == {
        "connected": (3, 6), "service_level": (2, 6), "service_level_stayed": (2, 4), "asa": (35.5, 3),
        "abandoned": (2, 6), "called_back": (1, 3), "aht": (120 + 40, 2),
    }


async def test_splits_add_up_and_agents_stand_apart(pool: asyncpg.Pool) -> None:
    chance = random.Random(5)
    for n in range(200):
        asked = at(chance.random() * 86_400 * 2)
        answered = asked + timedelta(seconds=chance.random() * 40) if chance.random() < 0.8 else None
        over = (answered or asked) + timedelta(seconds=60)
        await call(
            pool, str(n), asked_at=asked, answered_at=answered, ended_at=over, wrap_up_seconds=5,
            abandoned_at=None if answered else over, agent=f"a{n % 3}" if answered else "",
        )
    whole = await figures(pool)
    for by in (By.DAY, By.HOUR, By.MONTH, By.AGENT):
        found: Counter[tuple[str, int]] = Counter()
        for figure in await telephone(pool, START, END, now=END, by=by):
            found[figure.figure, 0] += figure.numerator  # type: ignore[assignment]
            found[figure.figure, 1] += figure.denominator  # type: ignore[assignment]
        assert {name: pytest.approx(pair) for name, pair in whole.items()} == {
            name: (found[name, 0], found[name, 1]) for name in whole}
    one = await telephone(pool, START, END, now=END, by=By.TOTAL, agent="a1")
    parts = by_part(await telephone(pool, START, END, now=END, by=By.AGENT))
    assert {f.figure: f.numerator for f in one} == {f.figure: f.numerator for f in parts["a1"].values()}


async def test_no_calls_no_figures(pool: asyncpg.Pool) -> None:
    assert await telephone(pool, START, END, now=END) == ()


async def test_what_calls_cannot_be_split_by_is_left_out(pool: asyncpg.Pool) -> None:
    await call(pool, "1", answered_at=at(3))
    store, day = MetricStore(pool), local_day(START)
    assert await store.telephone(Question(first=day, last=day, by=By.CATEGORY), END) == ()
    assert await store.telephone(Question(first=day, last=day, department="城管局"), END) == ()
    assert await store.telephone(Question(first=day, last=day), END)


def test_every_telephone_metric_is_defined() -> None:
    assert set(TELEPHONE) <= set(DEFINITIONS)
    assert set(DEFINITIONS) == set(Metric)


@pytest.mark.parametrize("columns", [
    {"answered_at": at(5), "abandoned_at": at(5)}, {"answered_at": START - timedelta(seconds=1)},
    {"hold_seconds": -1}, {"wrap_up_seconds": -1}, {"direction": "sideways"},
])
async def test_calls_that_cannot_be_are_refused(pool: asyncpg.Pool, columns: dict[str, object]) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await call(pool, "x", **columns)


# ── occupancy ────────────────────────────────────────────────────────────────────────────────────
async def presence(pool: asyncpg.Pool, staff: str, state: str, seconds: float) -> None:
    await pool.execute(
        "INSERT INTO presence_events (position, at, doc) VALUES (event_position(0), $1, jsonb_build_object("
        "'staff', $2::text, 'state', $3::text, 'actor', 'staff:x'))", at(seconds), staff, state,
    )


async def test_occupancy_is_time_with_callers_of_time_there(pool: asyncpg.Pool) -> None:
    for state, seconds in (
        ("available", 0), ("ringing", 600), ("busy", 610), ("wrap_up", 4210), ("not_ready", 4300), ("available", 9000),
        ("busy", 9100), ("offline", 9200),
    ):
        await presence(pool, "a1", state, seconds)
    await presence(pool, "a2", "available", 100)
    await catch_up(pool, lambda: END)
    [total] = [f for f in await telephone(pool, START, END, now=at(10_000)) if f.figure == "occupancy"]
    busy, there = 3600 + 90 + 100, 4300 + 200
    assert (total.numerator, total.denominator) == (busy, there + 9900)
    parts = by_part(await telephone(pool, START, END, now=at(10_000), by=By.AGENT))
    assert (parts["a1"]["occupancy"].numerator, parts["a1"]["occupancy"].denominator) == (busy, there)
    assert (await check(pool)).differences == ()
    await rebuild(pool, lambda: END)
    assert (await check(pool)).differences == ()
    await presence(pool, "a2", "offline", 10_000)
    await catch_up(pool, lambda: END)
    [again] = [f for f in await telephone(pool, START, END, now=END) if f.figure == "occupancy"]
    assert (again.numerator, again.denominator) == (busy, there + 9900)
    assert (await check(pool)).differences == ()


@given(start=st.integers(0, 10**10), lasts=st.integers(0, 10**11))
def test_hours_of_a_span_add_up_to_it(start: int, lasts: int) -> None:
    since = START + timedelta(microseconds=start)
    until = since + timedelta(microseconds=lasts)
    found = list(hours(since, until))
    assert sum(n for _, n in found) == lasts
    assert all(0 < n <= 3_600_000_000 for _, n in found)
    assert all((hour.minute, hour.second, hour.microsecond) == (0, 0, 0) for hour, _ in found)


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    duty = Duty({})
    duty.follow([(at(100), Change("a", "busy")), (at(50), Change("a", "available")), (at(80), Change("a", "offline"))])
    assert sum(duty.there.values()) == 30_000_000
    assert sum(duty.busy.values()) == 0
