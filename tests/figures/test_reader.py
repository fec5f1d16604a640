"""The reader of the log keeps the figures exactly: after every step, with several processes, killed, and made anew."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta

import asyncpg
import pytest

from hotline.errors import NotFound, RuleViolation, Unavailable
from hotline.events import Actor, Role
from hotline.metric_views import By, Question
from hotline.metrics import FROM_TICKETS, Metric, Reason
from hotline.store import tally as reader
from hotline.store import tally_rebuild
from hotline.store.database import open_pool
from hotline.store.metrics import MetricStore
from hotline.store.rows import event_from
from hotline.store.tally import catch_up, step
from hotline.store.tally_rebuild import check, rebuild
from tests.cities import NOW
from tests.figures.city import City
from tests.figures.recount import recount

SUPERVISOR = Actor(Role.SUPERVISOR, "s1")
YEAR = Question(first=date(2026, 1, 1), last=date(2029, 12, 31))


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with await open_pool(database) as opened:
        yield opened


async def agrees(pool: asyncpg.Pool) -> None:
    verdict = await check(pool)
    assert verdict.differences == ()


async def totals(pool: asyncpg.Pool) -> dict[str, tuple[float, float]]:
    figures = await MetricStore(pool).figures(YEAR)
    return {figure.figure: (figure.numerator, figure.denominator) for figure in figures}


async def recounted(pool: asyncpg.Pool, city: City) -> dict[str, tuple[float, float]]:
    lives: dict[int, list[object]] = {}
    for row in await pool.fetch("SELECT ticket_id, doc FROM ticket_events ORDER BY ticket_id, version"):
        lives.setdefault(row["ticket_id"], []).append(event_from(row["doc"]))
    found: Counter[tuple[str, str]] = Counter()
    for (figure, part, _, _), n in recount(lives.values(), city.now).items():  # type: ignore[arg-type]
        found[figure, part] += n
    return {name: (found[name, "num"], found[name, "den"]) for name, _ in found}


async def test_after_every_step_the_figures_are_those_of_its_cut(pool: asyncpg.Pool) -> None:
    city = City(pool, 1, NOW)
    for _ in range(25):
        await city.happen(40)
        while await step(pool, city.now, limit=city.random.choice([1, 7, 500])):
            if city.random.random() < 0.1:
                await agrees(pool)
        await agrees(pool)


async def test_the_figures_are_what_a_plain_recount_finds(pool: asyncpg.Pool) -> None:
    city = City(pool, 2, NOW)
    async with asyncio.TaskGroup() as group:  # both at once
        group.create_task(city.happen(1500))
        for _ in range(30):
            await catch_up(pool, lambda: city.now)
            await asyncio.sleep(0.01)
    await catch_up(pool, lambda: city.now)
    city.now += timedelta(days=30)
    await catch_up(pool, lambda: city.now)
    kept = {name: pair for name, pair in (await totals(pool)).items() if pair != (0, 0)}
    out = dict.fromkeys(FROM_TICKETS, 0)
    for figure in await MetricStore(pool).figures(YEAR):
        if figure.excluded:
            out[Metric(figure.figure)] = figure.excluded
    expected = await recounted(pool, city)
    for name, (numerator, denominator) in expected.items():
        left_out = out.get(name, 0)  # type: ignore[call-overload]
        if left_out:
            assert kept.get(name, (0, 0))[1] == denominator - left_out
        else:
            assert kept[name] == (numerator, denominator), name


async def test_several_processes_count_everything_once(database: str, pool: asyncpg.Pool) -> None:
    city = City(pool, 3, NOW)
    await city.happen(600)
    async with await open_pool(database) as other, await open_pool(database) as third:
        await asyncio.gather(*(catch_up(one, lambda: city.now) for one in (pool, other, third, other)))
        await city.happen(200)
        await asyncio.gather(*(catch_up(one, lambda: city.now) for one in (third, other, pool)))
    await catch_up(pool, lambda: city.now)
    await agrees(pool)


async def test_a_step_that_dies_leaves_neither_figures_nor_cursor_behind(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = City(pool, 4, NOW)
    await city.happen(300)
    await step(pool, city.now, limit=100)
    before = await pool.fetchrow("SELECT * FROM tally_readers")

    async def dies(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(reader, "_watch", dies)  # the last thing that is written before the cursor
        with pytest.raises(ConnectionError):
            await step(pool, city.now, limit=100)
    assert await pool.fetchrow("SELECT * FROM tally_readers") == before
    await agrees(pool)
    await catch_up(pool, lambda: city.now)
    await agrees(pool)


async def test_a_step_holds_back_no_reader_before_it_writes(pool: asyncpg.Pool) -> None:
    city = City(pool, 5, NOW)
    await city.happen(50)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = off")
        assert await connection.fetchval("SELECT pg_try_advisory_xact_lock(12345, 4)")
        await reader.read_histories(connection, list(city.tickets), 2**62)
        assert await connection.fetchval("SELECT pg_current_xact_id_if_assigned()") is None
        assert await step(pool, city.now) == 0  # another holds it: left to that one


async def test_time_alone_makes_a_clock_late(pool: asyncpg.Pool) -> None:
    city = City(pool, 6, NOW)
    await city.happen(400)
    await catch_up(pool, lambda: city.now)
    before = await totals(pool)
    city.now += timedelta(days=400)
    await catch_up(pool, lambda: city.now)
    after = await totals(pool)
    assert after["completion"][1] > before["completion"][1]
    assert await pool.fetchval("SELECT count(*) FROM tally_watch") == 0
    await agrees(pool)


async def test_what_many_clocks_do_at_once_is_taken_in_piece_by_piece(pool: asyncpg.Pool) -> None:
    city = City(pool, 7, NOW)
    await city.happen(900)
    await catch_up(pool, lambda: city.now)
    watched = await pool.fetchval("SELECT count(*) FROM tally_watch")
    later = city.now + timedelta(days=400)
    steps = 0
    while await step(pool, later, limit=5):
        steps += 1
    assert watched > 5
    assert steps >= watched // 50
    await agrees(pool)
    assert await pool.fetchval("SELECT as_of FROM tally_readers WHERE active") == later


async def test_made_anew_they_are_the_same(pool: asyncpg.Pool) -> None:
    city = City(pool, 8, NOW)
    await city.happen(700)
    await catch_up(pool, lambda: city.now)
    before, seen = await totals(pool), []
    await pool.execute("UPDATE tally_rollup SET received = received + 1 WHERE grain = 'hour'")
    assert (await check(pool)).differences
    tickets = await rebuild(pool, lambda: city.now, progress=lambda done, total: seen.append((done, total)))
    assert tickets == len(city.tickets)
    assert seen[-1] == (tickets, tickets)
    await agrees(pool)
    assert await totals(pool) == before
    assert await pool.fetchval("SELECT count(DISTINCT generation) FROM tally_rollup") == 1


async def test_made_anew_from_as_many_tickets_as_there_are(pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers in the database have gaps: whatever was not committed took one too."""
    monkeypatch.setattr("tests.figures.city.TicketId", lambda n: 10 * n)
    city = City(pool, 4, NOW)
    await city.happen(40)
    assert await rebuild(pool, lambda: city.now) == len(city.tickets) > 1
    await agrees(pool)


async def test_events_that_come_while_they_are_made_anew_are_in_them(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally_rebuild, "CHUNK", 5)
    city = City(pool, 9, NOW)
    await city.happen(500)
    await catch_up(pool, lambda: city.now)
    async with asyncio.TaskGroup() as group:
        group.create_task(rebuild(pool, lambda: city.now))
        group.create_task(city.happen(300))
        for _ in range(20):
            await catch_up(pool, lambda: city.now)
            await asyncio.sleep(0.01)
    await catch_up(pool, lambda: city.now)
    await agrees(pool)


async def test_a_killed_rebuild_leaves_what_was_and_is_cleared_away(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = City(pool, 10, NOW)
    await city.happen(200)
    await catch_up(pool, lambda: city.now)

    async def dies(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(tally_rebuild, "_activate", dies)
        with pytest.raises(ConnectionError):
            await rebuild(pool, lambda: city.now)
    assert await pool.fetchval("SELECT count(*) FROM tally_readers") == 2
    await agrees(pool)
    await rebuild(pool, lambda: city.now)
    assert await pool.fetchval("SELECT count(*) FROM tally_readers") == 1
    await agrees(pool)


async def test_one_rebuild_at_a_time(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock(12345, 5)")
        with pytest.raises(Unavailable, match="another process"):
            await rebuild(pool, lambda: NOW)
        await connection.execute("SELECT pg_advisory_unlock(12345, 5)")


# ── exclusions ───────────────────────────────────────────────────────────────────────────────────
async def test_an_exclusion_moves_the_figure_and_can_be_taken_back(pool: asyncpg.Pool) -> None:
    city, store = City(pool, 11, NOW), MetricStore(pool)
    await city.happen(400)
    await catch_up(pool, lambda: city.now)
    before = await totals(pool)
    moved = 0
    for ticket in city.tickets.values():
        state: dict[str, object] = {"reason": Reason.BEYOND_DUTY, "note": "不属本单位职责", "actor": SUPERVISOR}
        for excluded in (True, False):
            try:
                await store.exclude(ticket.number, Metric.DIRECT, excluded=excluded, now=city.now, **state)  # type: ignore[arg-type]
            except RuleViolation:
                break  # the city has left it out before
            await catch_up(pool, lambda: city.now)
            moved += excluded and (await totals(pool))["direct"] != before["direct"]
    await catch_up(pool, lambda: city.now)
    assert moved > 5
    assert (await totals(pool))["direct"] == before["direct"], "all that was excluded was taken back"
    await agrees(pool)


async def test_every_exclusion_is_kept_and_nothing_of_it_can_be_changed(pool: asyncpg.Pool) -> None:
    city, store = City(pool, 12, NOW), MetricStore(pool)
    await city.happen(3)
    number = city.tickets[1].number
    for excluded, note in ((True, "确属不合理"), (False, "复核后恢复")):
        await store.exclude(
            number, Metric.SATISFIED, excluded=excluded, reason=Reason.UNREASONABLE, note=note, actor=SUPERVISOR,
            now=NOW,
        )
    kept = await store.exclusions(number=number)
    assert [(entry.excluded, entry.note, entry.actor) for entry in kept] == [
        (False, "复核后恢复", "supervisor:s1"), (True, "确属不合理", "supervisor:s1")]
    assert await store.exclusions(number=number, before=kept[0].position, limit=1) == (kept[1],)
    assert await store.exclusion_reasons(NOW - timedelta(days=1), NOW + timedelta(days=1)) == []
    for change in ("UPDATE metric_exclusions SET note = ''", "DELETE FROM metric_exclusions"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await pool.execute(change)


async def test_an_exclusion_needs_a_ticket_and_a_change(pool: asyncpg.Pool) -> None:
    city, store = City(pool, 13, NOW), MetricStore(pool)
    await city.happen(1)

    async def exclude(number: str, *, excluded: bool) -> None:
        await store.exclude(
            number, Metric.SIGN, excluded=excluded, reason=Reason.OTHER, note="x", actor=SUPERVISOR, now=NOW)

    with pytest.raises(NotFound):
        await exclude("DG20261120300000099", excluded=True)
    with pytest.raises(RuleViolation, match="counted in sign already"):
        await exclude(city.tickets[1].number, excluded=False)
    await exclude(city.tickets[1].number, excluded=True)
    with pytest.raises(RuleViolation, match="left out of sign already"):
        await exclude(city.tickets[1].number, excluded=True)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────
async def test_every_split_adds_up_to_the_whole(pool: asyncpg.Pool) -> None:
    city, store = City(pool, 14, NOW), MetricStore(pool)
    await city.happen(900)
    await catch_up(pool, lambda: city.now)
    whole = await totals(pool)
    for by in By:
        if by is By.AGENT:
            continue  # what no agent did is on no agent's line
        found: dict[str, list[float]] = {}
        for figure in await store.figures(Question(first=YEAR.first, last=YEAR.last, by=by)):
            pair = found.setdefault(figure.figure, [0, 0])
            pair[0] += figure.numerator
            pair[1] += figure.denominator
        assert {name: tuple(pair) for name, pair in found.items()} == whole, by


async def test_what_is_live_is_of_today_and_of_the_cut(pool: asyncpg.Pool) -> None:
    city, store = City(pool, 15, NOW), MetricStore(pool)
    await city.happen(500)
    await catch_up(pool, lambda: city.now)
    live = await store.live(city.now)
    assert live.as_of == city.now
    assert sum(one.tickets for one in live.standing) == len(city.tickets)
    states = Counter(ticket.state.value for ticket in city.tickets.values())
    assert {one.state: one.tickets for one in live.standing} == dict(states)
    today = await store.figures(Question(first=live.day, last=live.day))
    assert live.today == today
    part = await store.live(city.now, town="南城")
    towns = Counter(ticket.state.value for ticket in city.tickets.values() if ticket.town == "南城")
    assert {one.state: one.tickets for one in part.standing} == dict(towns)
