"""From a figure to its tickets: for every figure, part and side of random lives, the list adds up to the figure."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from hotline.drill import LEADS, Drill, Place, Side, place_of
from hotline.errors import InvalidInput
from hotline.metric_views import NOWHERE, By, Question, local_day
from hotline.metrics import FROM_TICKETS, Metric, Volume
from hotline.store import drill as walk
from hotline.store.database import open_pool
from hotline.store.drill import DrillStore
from hotline.store.metrics import MetricStore
from hotline.store.rows import event_from, to_json
from hotline.store.tally import catch_up
from hotline.summary import summarize, topics
from hotline.terms import State
from hotline.ticket import Ticket, evolve
from tests.cities import NOW
from tests.conftest import _admin, _named, copied
from tests.figures.city import City


async def finish(pool: asyncpg.Pool) -> None:
    """Write what the store writes beside the events: topics, and the tickets' rows."""
    before: dict[int, Ticket] = {}
    await pool.execute("ALTER TABLE ticket_events DISABLE TRIGGER ticket_events_append_only")
    for row in await pool.fetch("SELECT position, ticket_id, doc FROM ticket_events ORDER BY ticket_id, version"):
        event, old = event_from(row["doc"]), before.get(row["ticket_id"])
        new = before[row["ticket_id"]] = evolve(old, event)
        told = sorted(topics(new) | (topics(old) if old is not None else set()))
        await pool.execute("UPDATE ticket_events SET topics = $2 WHERE position = $1", row["position"], told)
    for id_, one in before.items():
        l1, l2 = (one.category.l1, one.category.l2) if one.category else ("", "")
        row = summarize(one, one.created_at)
        await pool.execute(
            "UPDATE tickets SET town = $2, kind = $3, l1 = $4, l2 = $5, lead = $6, summary = $7, state = $8, "
            "due_at = $9 WHERE id = $1", id_, one.town, one.kind, l1, l2, one.lead, to_json(row), one.state, row.due,
        )


async def lived(dsn: str) -> City:
    """A city in which twelve hundred things have happened."""
    async with await open_pool(dsn) as pool:
        made = City(pool, 11, NOW)
        await made.happen(1200)
        await finish(pool)
        made.now += timedelta(days=3)
        await catch_up(pool, lambda: made.now)
    return made


@pytest.fixture(scope="module")
def life(postgres: str, template: str) -> Iterator[tuple[str, City]]:
    """A database that is lived in once, and what it was lived by; each test has a copy."""
    name = f"hotline_drill_{os.getpid()}"
    asyncio.run(_admin(postgres, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
    yield name, asyncio.run(lived(_named(postgres, name)))
    asyncio.run(_admin(postgres, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def pool(postgres: str, life: tuple[str, City]) -> AsyncIterator[asyncpg.Pool]:
    async with copied(postgres, life[0]) as dsn, await open_pool(dsn) as opened:
        yield opened


@pytest.fixture
def city(life: tuple[str, City]) -> City:
    return life[1]


def span(city: City) -> dict[str, object]:
    return {"first": local_day(NOW), "last": local_day(city.now)}


async def listed(store: DrillStore, drill: Drill, limit: int) -> tuple[int, list[str]]:
    """Return what all pages add up to, and the tickets in order."""
    found, numbers, cursor = 0, [], ""
    while True:
        page = await store.tickets(drill, cursor=cursor, limit=limit)
        found += sum(one.times for one in page.tickets)
        numbers += [msgspec.json.decode(one.row)["number"] for one in page.tickets]
        assert page.listed == found
        assert len(page.tickets) <= limit
        if not (cursor := page.next):
            return found, numbers


@pytest.mark.parametrize("by", By)
async def test_the_tickets_behind_a_figure_add_up_to_it(pool: asyncpg.Pool, city: City, by: By) -> None:
    asked = Question(**span(city), by=by)  # type: ignore[arg-type]
    store, looked_at = DrillStore(pool), 0
    for figure in await MetricStore(pool).figures(asked):
        sides = {Side.NUMERATOR: figure.numerator}
        if figure.figure in FROM_TICKETS:
            sides |= {Side.DENOMINATOR: figure.denominator, Side.EXCLUDED: figure.excluded,
                      Side.MISSING: figure.denominator - figure.numerator}
        if figure.figure == Metric.DURATION:
            del sides[Side.MISSING]
        for side, value in sides.items():
            drill = Drill(asked=asked, figure=figure.figure, part=figure.part, side=side)
            page = await store.tickets(drill, limit=200)
            assert (page.total, page.next) == (value, ""), (drill, page.next)
            if side is not Side.MISSING:
                assert page.listed == value, drill
            looked_at += len(page.tickets)
    assert looked_at > 300


async def test_pages_neither_skip_nor_repeat(pool: asyncpg.Pool, city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    store, asked = DrillStore(pool), Question(**span(city))  # type: ignore[arg-type]
    for figure in (Volume.DISPATCHED, Metric.COMPLETION, Metric.SATISFIED):
        side = Side.NUMERATOR if figure is Volume.DISPATCHED else Side.DENOMINATOR
        drill = Drill(asked=asked, figure=figure, side=side)
        whole = await listed(store, drill, 200)
        monkeypatch.setattr(walk, "CHUNK", 3)
        monkeypatch.setattr(walk, "MOST", 7)
        pieces = await listed(store, drill, 4)
        monkeypatch.undo()
        assert len(set(whole[1])) == len(whole[1]) > 10
        assert (pieces[0], sorted(pieces[1])) == (whole[0], sorted(whole[1]))


async def test_narrowed_figures_lead_to_their_tickets_too(pool: asyncpg.Pool, city: City) -> None:
    store, seen = DrillStore(pool), 0
    for narrowed in (
        {"department": "城管局"}, {"town": "南城", "kind": "report"}, {"town": NOWHERE}, {"channel": "web"},
        {"agent": "a1"},
    ):
        asked = Question(**span(city), **narrowed)  # type: ignore[arg-type]
        for figure in await MetricStore(pool).figures(asked):
            page = await store.tickets(Drill(asked=asked, figure=figure.figure, side=Side.NUMERATOR), limit=200)
            assert page.listed == page.total == figure.numerator, (narrowed, figure)
            seen += len(page.tickets)
    assert seen > 50


async def test_each_appeal_is_of_one_town_or_of_none(pool: asyncpg.Pool, city: City) -> None:
    figures, asked = MetricStore(pool), Question(**span(city), by=By.L1)  # type: ignore[arg-type]
    towns = {one.part for one in await figures.figures(msgspec.structs.replace(asked, by=By.TOWN))}
    assert "" in towns

    async def received(question: Question) -> dict[str, float]:
        found = await figures.figures(question)
        return {one.part: one.numerator for one in found if one.figure == Volume.RECEIVED and one.numerator}

    parts: Counter[str] = Counter()
    for town in towns:
        parts.update(await received(msgspec.structs.replace(asked, town=town or NOWHERE)))
    assert parts == await received(asked)


async def test_what_is_missed_are_those_in_the_denominator_only(pool: asyncpg.Pool, city: City) -> None:
    store, asked = DrillStore(pool), Question(**span(city))  # type: ignore[arg-type]
    sides = {
        side: (await listed(store, Drill(asked=asked, figure=Metric.SIGN, side=side), 200))[1]
        for side in (Side.NUMERATOR, Side.DENOMINATOR, Side.MISSING)
    }
    assert set(sides[Side.MISSING]) <= set(sides[Side.DENOMINATOR])
    assert set(sides[Side.MISSING]) | set(sides[Side.NUMERATOR]) == set(sides[Side.DENOMINATOR])


async def test_the_list_of_a_state_is_what_stands_there(pool: asyncpg.Pool, city: City) -> None:
    store, live = DrillStore(pool), await MetricStore(pool).live(city.now)
    assert live.standing
    for one in live.standing:
        numbers: dict[bool | None, int] = {}
        for late in (None, True, False):
            count, cursor = 0, ""
            while True:
                page = await store.standing(State(one.state), late=late, now=city.now, cursor=cursor, limit=7)
                count += len(page.rows)
                if not (cursor := page.next):
                    break
            numbers[late] = count
        assert numbers[None] == one.tickets == numbers[True] + numbers[False]


def test_every_figure_of_tickets_has_its_leads() -> None:
    assert {*LEADS} == {*Volume, *FROM_TICKETS}
    asked = Question(first=local_day(NOW), last=local_day(NOW))
    for wrong in (
        Drill(asked=asked, figure="asa"), Drill(asked=asked, figure="moon"),
        Drill(asked=asked, figure="sign", part="x"), Drill(asked=asked, figure="closed", side=Side.MISSING),
    ):
        with pytest.raises(InvalidInput):
            wrong.checked()


@pytest.mark.parametrize("cursor", ["x", "2026-11-20", "2026-11-20.a.1", "1.2.3", "2026-13-01.1.1"])
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        place_of(cursor)
    place = Place(local_day(NOW), 7, 3)
    assert place_of(str(place)) == place
