"""回拨 over a database: each missed call is owed once, held by one, told to all, and lost with no process."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
from structlog.testing import capture_logs

from agent_ui.callback_requests import answer_callback
from agent_ui.protocol import GiveBackCallback, RecordCallback, TakeCallback, TakeSnapshot
from agent_ui.staff import Staff, StaffRole
from hotline.callbacks import Callbacks
from hotline.errors import Forbidden, InvalidInput, NotFound, Unavailable
from hotline.store.callbacks import CallbackStore
from hotline.store.console import ConsoleStore
from hotline.store.database import open_pool
from hotline.store.sealing import open_document
from hotline.store.tail import Tail
from hotline.terms import TryResult
from routing import callbacks as rules_of
from routing.callbacks import (
    Callback,
    CallbackState,
    CallResult,
    MissedCall,
    MissedReason,
    Outcome,
)
from tests.cities import RULES
from tests.hotline.test_intake import all_rows

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # Friday 10:00
MINUTE = timedelta(minutes=1)


class Desk:
    """The ledger over a database, with a clock that can be moved."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool, self.moment, self._ids = pool, NOW, itertools.count(1)
        self.callbacks = Callbacks(ledger=CallbackStore(pool), rules=lambda: RULES, clock=lambda: self.moment)

    async def miss(self, phone: str = "13800138000", call: str = "") -> Callback:
        missed = MissedCall(call=call or f"c{next(self._ids)}", phone=phone, at=self.moment)
        found = await self.callbacks.owe(missed)
        assert found is not None
        return found


@asynccontextmanager
async def desk(dsn: str) -> AsyncIterator[Desk]:
    async with await open_pool(dsn, size=20) as pool:
        yield Desk(pool)


async def test_a_call_told_many_times_is_owed_once(database: str) -> None:
    async with desk(database) as d:
        found = await asyncio.gather(*(d.miss(call="same") for _ in range(10)))
        assert len({one.id for one in found}) == 1
        assert [r[0] for r in await all_rows(database, "SELECT count(*) FROM callbacks")] == [1]
        assert await d.callbacks.owe(MissedCall(call="x", phone="", at=NOW, reason=MissedReason.LOST)) is None
        assert await d.callbacks.owe(MissedCall(call="y", phone="not a number", at=NOW)) is None
        assert await d.callbacks.answered("not a number", NOW) == 0


async def test_many_agents_take_each_another_one(database: str) -> None:
    async with desk(database) as d:
        for n in range(8):
            await d.miss(f"1380013800{n}")
        taken = await asyncio.gather(*(d.callbacks.take(f"a{n}", by=f"agent:a{n}") for n in range(12)))
        ids = [one.id for one in taken if one is not None]
        assert len(ids) == len(set(ids)) == 8
        assert await d.callbacks.take("a99", by="agent:a99") is None


async def test_the_longest_waiting_is_taken_first(database: str) -> None:
    async with desk(database) as d:
        first = await d.miss("13800138001")
        d.moment += MINUTE
        await d.miss("13800138002")
        taken = await d.callbacks.take("li", by="agent:li")
        assert taken is not None
        assert taken.id == first.id


async def test_reaching_somebody_answers_every_call_they_missed(database: str) -> None:
    async with desk(database) as d:
        one, other = await d.miss(), await d.miss()
        stranger = await d.miss("13900139000")
        await d.callbacks.take("li", by="agent:li", id_=one.id)
        await d.callbacks.reached(one.id, "li", by="agent:li", note="已解答")
        states = dict(await all_rows(database, "SELECT id, state FROM callbacks"))
        assert states == {one.id: "done", other.id: "done", stranger.id: "owed"}
        assert await d.callbacks.answered("139-0013-9000", NOW) == 1
        assert await d.callbacks.answered("139-0013-9000", NOW) == 0
        assert await d.callbacks.answered("", NOW) == 0


async def test_an_entry_that_cannot_be_read_stands_in_nobodys_way(database: str) -> None:
    async with desk(database) as d:
        broken, legible, other = await d.miss(), await d.miss("13900139001"), await d.miss()
        await d.pool.execute("UPDATE callbacks SET doc = 'x' WHERE id = $1", broken.id)
        page = await ConsoleStore(d.pool).snapshot(TakeSnapshot(topic="callbacks", limit=1))
        assert (page.rows, bool(page.next)) == ((), True), "the page after it can be asked for"
        assert [one.id for one in await waiting_rows(d)] == [legible.id, other.id]
        with capture_logs() as told:
            taken = await d.callbacks.take("li", by="agent:li")
        assert taken is not None
        assert taken.id == legible.id
        assert [(line["event"], line["id"]) for line in told] == [("callback_unreadable", broken.id)]
        assert await d.callbacks.answered("13800138000", d.moment) == 1
        d.moment += timedelta(hours=2)
        for changed in (1, 0):
            lapse = CallbackStore(d.pool).lapse
            assert await lapse(lambda one: rules_of.lapsed(one, now=d.moment), now=d.moment, limit=1) == changed
        [state] = await all_rows(database, f"SELECT state, doc, next_at FROM callbacks WHERE id = {broken.id}")
        assert tuple(state) == ("owed", "x", d.moment + timedelta(hours=1)), "put off, and kept for whoever mends it"


async def test_who_was_reached_is_owed_either_everything_as_before_or_nothing(database: str) -> None:
    """Killed between one entry and the next, the citizen would be rung again though they were spoken with."""
    async with desk(database) as d:
        one, other = await d.miss(), await d.miss()
        await d.callbacks.take("li", by="agent:li", id_=one.id)
        await d.pool.execute(f"ALTER TABLE callbacks ADD CONSTRAINT broken CHECK (id <> {other.id} OR state <> 'done')")
        with pytest.raises(asyncpg.CheckViolationError):
            await d.callbacks.reached(one.id, "li", by="agent:li")
        states = dict(await all_rows(database, "SELECT id, state FROM callbacks"))
        assert states == {one.id: "assigned", other.id: "owed"}


async def test_after_the_last_try_one_sms_goes_out(database: str) -> None:
    async with desk(database) as d:
        one = await d.miss()
        for _ in range(3):
            d.moment += timedelta(hours=12)
            assert await d.callbacks.take("li", by="agent:li") is not None
            one = await d.callbacks.tried(one.id, "li", TryResult.NO_ANSWER, by="agent:li")
        assert one.outcome is Outcome.UNREACHABLE
        [(key, sealed)] = await all_rows(database, "SELECT key, message FROM outbox")
        text = msgspec.json.decode(open_document(sealed, context=f"message {key}"))["text"]
        assert key == "callback-c1"
        assert "多次回拨" in text
        assert "138" not in text


async def test_what_is_held_too_long_goes_back_and_what_nobody_tries_is_shown_late(database: str) -> None:
    async with desk(database) as d:
        held, forgotten = await d.miss("13800138001"), await d.miss("13800138002")
        await d.callbacks.take("li", by="agent:li", id_=held.id)
        d.moment += timedelta(hours=1)
        await asyncio.gather(*(d.callbacks.sweep() for _ in range(4)))
        await d.callbacks.sweep()
        found = {one.id: one for one in await waiting_rows(d)}
        assert found[held.id].state is CallbackState.OWED
        assert found[held.id].late
        assert found[forgotten.id].late
        told = await all_rows(database, "SELECT doc ->> 'id' FROM presence_events WHERE type = 'callback'")
        assert len(told) == 2 + 1 + 2, "owed, taken, and each lapsed once"


async def test_what_was_tried_in_time_takes_no_place_from_what_lapses(database: str) -> None:
    async with desk(database) as d:
        rules = RULES.policy.callbacks
        for n in range(4):
            one = await d.miss(f"1380013800{n}")
            await d.callbacks.take("li", by="agent:li", id_=one.id)
            await d.callbacks.tried(one.id, "li", TryResult.NO_ANSWER, by="agent:li")
        held, forgotten = await d.miss("13900139001"), await d.miss("13900139002")
        await d.callbacks.take("chen", by="agent:chen", id_=held.id)
        d.moment += timedelta(minutes=max(rules.hold_minutes, 31))
        await CallbackStore(d.pool).lapse(lambda one: rules_of.lapsed(one, now=d.moment), now=d.moment, limit=2)
        found = {one.id: one for one in await waiting_rows(d)}
        assert (found[held.id].state, found[held.id].late) == (CallbackState.OWED, True)
        assert [one.id for one in found.values() if one.late] == [held.id, forgotten.id]


async def test_what_an_older_process_tried_stands_in_nobodys_way_for_long(database: str) -> None:
    async with desk(database) as d:
        for n in range(2):
            one = await d.miss(f"1380013800{n}")
            await d.callbacks.take("li", by="agent:li", id_=one.id)
            await d.callbacks.tried(one.id, "li", TryResult.NO_ANSWER, by="agent:li")
        await d.pool.execute("UPDATE callbacks SET tried = false")  # it does not know the column
        forgotten = await d.miss("13900139001")
        d.moment += timedelta(minutes=31)
        for changed in (0, 1):
            lapse = CallbackStore(d.pool).lapse
            assert await lapse(lambda one: rules_of.lapsed(one, now=d.moment), now=d.moment, limit=2) == changed
        assert [one.id for one in await waiting_rows(d) if one.late] == [forgotten.id]


async def waiting_rows(d: Desk, **asked: object) -> list[Callback]:
    page = await ConsoleStore(d.pool).snapshot(TakeSnapshot(topic="callbacks", **asked))  # type: ignore[arg-type]
    return [msgspec.json.decode(row, type=Callback) for row in page.rows]


async def test_consoles_are_shown_everything_that_is_not_done_page_by_page(database: str) -> None:
    async with desk(database) as d:
        entries = [await d.miss(f"138001380{n:02d}") for n in range(7)]
        store, seen, cursor = ConsoleStore(d.pool), list[int](), ""
        while True:
            page = await store.snapshot(TakeSnapshot(topic="callbacks", limit=3, cursor=cursor))
            rows = [msgspec.json.decode(row, type=Callback) for row in page.rows]
            seen += [row.id for row in rows]
            assert all("****" in row.phone for row in rows)
            cursor = page.next
            if not cursor:
                break
        assert seen == [one.id for one in entries]


async def test_consoles_hear_of_each_change_in_order(database: str) -> None:
    async with desk(database) as d, Tail(database) as tail:
        one = await d.miss()
        await d.callbacks.take("li", by="agent:li")
        await d.callbacks.reached(one.id, "li", by="agent:li")
        events = []
        while len(events) < 3:
            events += await asyncio.wait_for(tail.next(), 20)
        docs = [msgspec.json.decode(event.doc) for event in events]
        assert [(e.type, e.topics, e.actor) for e in events] == [
            ("callback", ("callbacks",), actor) for actor in ("system:", "agent:li", "agent:li")
        ]
        assert [doc.get("state", "owed") for doc in docs] == ["owed", "assigned", "done"]
        assert all("13800138000" not in event.doc for event in events)
        missed = await ConsoleStore(d.pool).replay(0, ["callbacks"], limit=10)
        assert [event.seq for event in missed.events] == [event.seq for event in events]


AGENT = Staff(name="li", display_name="李", role=StaffRole.AGENT)
OTHER = Staff(name="chen", display_name="陈", role=StaffRole.AGENT)
SUPERVISOR = Staff(name="wang", display_name="王", role=StaffRole.SUPERVISOR)


async def test_what_a_console_asks(database: str) -> None:
    async with desk(database) as d:
        one = await d.miss()
        taken = await answer_callback(d.callbacks, AGENT, TakeCallback(id=1))
        assert taken.callback is not None
        assert taken.callback.phone == "+8613800138000", "who rings back sees whom"
        with pytest.raises(Forbidden):
            await answer_callback(d.callbacks, OTHER, GiveBackCallback(id=2, callback=one.id))
        with pytest.raises(Forbidden):
            await answer_callback(d.callbacks, OTHER, TakeCallback(id=2, agent="li"))
        await answer_callback(d.callbacks, SUPERVISOR, GiveBackCallback(id=3, callback=one.id))
        given = await answer_callback(d.callbacks, SUPERVISOR, TakeCallback(id=4, callback=one.id, agent="chen"))
        assert given.callback is not None
        assert given.callback.agent == "chen"
        ask = RecordCallback(id=5, callback=one.id, result=CallResult.NO_ANSWER)
        with pytest.raises(Forbidden):
            await answer_callback(d.callbacks, AGENT, ask)
        told = await answer_callback(d.callbacks, OTHER, ask)
        assert told.callback is not None
        assert (told.callback.state, len(told.callback.tries)) == (CallbackState.OWED, 1)
        assert (await answer_callback(d.callbacks, AGENT, TakeCallback(id=6))).callback is None, "not due yet"
        with pytest.raises(NotFound):
            await answer_callback(d.callbacks, AGENT, GiveBackCallback(id=7, callback=999))
        wrong = RecordCallback(id=8, callback=one.id, result=CallResult.REACHED, number="DG1")
        with pytest.raises(InvalidInput):
            await answer_callback(d.callbacks, AGENT, wrong)
        with pytest.raises(Unavailable):
            await answer_callback(None, AGENT, TakeCallback(id=9))


async def test_who_got_through_is_still_owed_what_they_missed_afterwards(database: str) -> None:
    """That they got through may be told late, when the database is there again."""
    async with desk(database) as d:
        before = await d.miss()
        d.moment += MINUTE
        through = d.moment
        d.moment += MINUTE
        after = await d.miss()
        assert await d.callbacks.answered("13800138000", through) == 1
        states = dict(await all_rows(database, "SELECT id, state FROM callbacks"))
        assert states == {before.id: "done", after.id: "owed"}
