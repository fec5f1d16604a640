"""The sweep over a real database: several processes, an outage, a ticket that cannot be helped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from unittest.mock import Mock

import asyncpg
import msgspec
import pytest

from hotline import commands as c
from hotline import sweep as sweeping
from hotline.appeal import Appeal, Citizen
from hotline.deadlines import ZONE
from hotline.errors import RuleViolation, Unavailable
from hotline.events import SYSTEM
from hotline.intake import Intake
from hotline.service import Service
from hotline.store.database import open_pool
from hotline.store.sweep import SweepStore
from hotline.store.tickets import TicketStore
from hotline.sweep import Sweep
from hotline.terms import Channel, Rating, State
from tests.cities import NOW
from tests.hotline.test_intake import all_rows, inbound, triage
from tests.hotline.test_timers import RULES


class House:
    """Intake, service and sweeps over one database, with a clock that can be moved."""

    def __init__(self, pool: asyncpg.Pool, intake: Intake, store: TicketStore) -> None:
        self.pool, self.intake, self.store, self.moment = pool, intake, store, NOW
        self.service = Service(store=store, intake=intake, rules=lambda: RULES, clock=self.now)

    def now(self) -> datetime:
        return self.moment

    def sweep(self, *, batch: int = 200) -> Sweep:
        return Sweep(rows=SweepStore(self.pool), rules=lambda: RULES, clock=self.now, batch=batch)

    async def open(self, count: int, **more: object) -> list[str]:
        return [(await self.intake.submit(inbound(received_at=self.moment, **more))).number for _ in range(count)]

    async def types(self, number: str) -> list[str]:
        return [event.type for event in await self.store.history((await self.store.read(number)).id)]


@asynccontextmanager
async def house(dsn: str) -> AsyncIterator[House]:
    async with await open_pool(dsn, size=20) as pool:
        store = TicketStore(pool, prefix="DG")
        async with Intake(
            store=store, triage=triage, rules=lambda: RULES, clock=lambda: NOW, new_code=lambda: "123456"  # type: ignore[arg-type]
        ) as intake:
            yield House(pool, intake, store)


async def test_many_processes_show_each_light_once(database: str) -> None:
    async with house(database) as w:
        numbers = await w.open(12)
        w.moment += timedelta(hours=5)
        await asyncio.gather(*(w.sweep().run() for _ in range(6)))
        for number in numbers:
            assert (await w.types(number)).count("show_light") == 3  # sign yellow and red, contact yellow
        before = await all_rows(database, "SELECT count(*) FROM ticket_events")
        await asyncio.gather(*(w.sweep().run() for _ in range(6)))
        assert await all_rows(database, "SELECT count(*) FROM ticket_events") == before


async def test_after_a_day_without_a_sweep_all_is_caught_up_at_a_pace(database: str) -> None:
    async with house(database) as w:
        numbers = await w.open(25)
        w.moment += timedelta(days=1)
        rounds = []
        for _ in range(10):
            await w.sweep(batch=10).run()
            late = await all_rows(database, "SELECT count(*) FROM tickets WHERE attention_at <= $1", w.moment)
            rounds.append(late[0][0])
        assert rounds[:4] == [15, 5, 0, 0]
        for number in numbers:
            stored = await w.store.read(number)
            facts = [event.fact for event in await w.store.history(stored.id)]
            lights = [fact for fact in facts if isinstance(fact, c.ShowLight)]
            assert len(lights) == 4
            assert [light.quiet for light in lights] == [True, True, True, False]
            assert stored.ticket.lights == {"sign_yellow", "sign_red", "contact_yellow", "contact_red"}


@pytest.mark.parametrize("fault", [
    RuleViolation("this one cannot be decided"), KeyError("a fault of ours"),
    msgspec.ValidationError("of newer software"), asyncpg.CheckViolationError("refused"),
], ids=lambda fault: type(fault).__name__)
async def test_a_ticket_that_cannot_be_helped_stands_in_nobodys_way(
    database: str, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    async with house(database) as w:
        bad, good = await w.open(2)
        w.moment += timedelta(hours=5)
        real = sweeping.caught_up

        def failing(ticket: object, **given: object) -> object:
            if ticket.number == bad:  # type: ignore[attr-defined]
                raise fault
            return real(ticket, **given)  # type: ignore[arg-type]

        monkeypatch.setattr(sweeping, "caught_up", failing)
        for _ in range(3):
            await w.sweep(batch=1).run()
        assert (await w.types(good)).count("show_light") == 3
        monkeypatch.setattr(sweeping, "caught_up", real)
        w.moment += timedelta(hours=2)
        await w.sweep().run()
        assert (await w.types(bad)).count("show_light") >= 3


@pytest.mark.parametrize("loss", [asyncpg.AdminShutdownError("failing over"), asyncpg.DeadlockDetectedError("both")])
async def test_what_the_database_cannot_do_now_puts_no_ticket_off(
    database: str, monkeypatch: pytest.MonkeyPatch, loss: Exception
) -> None:
    async with house(database) as w:
        [number] = await w.open(1)
        w.moment += timedelta(hours=5)
        with monkeypatch.context() as patched:
            patched.setattr(sweeping, "caught_up", Mock(side_effect=loss))
            with pytest.raises(Unavailable):
                await w.sweep().run()
        await w.sweep().run()
        assert (await w.types(number)).count("show_light") == 3


async def test_a_ticket_that_is_changed_as_it_is_put_off_keeps_its_own_moment(database: str) -> None:
    async with house(database) as w:
        [number] = await w.open(1)
        late = w.moment + timedelta(hours=5)
        store = SweepStore(w.pool)
        assert await store.due(late, limit=10) == [number]
        await w.service.act(number, c.Sign(), actor=SYSTEM)  # meanwhile, with clocks of its own
        [[at]] = await all_rows(database, "SELECT attention_at FROM tickets")
        await store.put_off(number, at - timedelta(seconds=1), late + timedelta(hours=1))
        assert await all_rows(database, "SELECT attention_at FROM tickets") == [(at,)]


async def test_a_look_for_nothing_sets_the_next_one_right(database: str) -> None:
    async with house(database) as w:
        [number] = await w.open(1)
        await w.pool.execute("UPDATE tickets SET attention_at = $1", w.moment)  # as the migration leaves old tickets
        await w.sweep().run()
        [[at]] = await all_rows(database, "SELECT attention_at FROM tickets")
        assert at == (await w.store.read(number)).ticket.clocks.sign_yellow


async def test_after_an_outage_links_wait_for_the_day_and_are_not_asked_for_again_until_then(database: str) -> None:
    async with house(database) as w:
        appeal = Appeal(text="路灯不亮", citizen=Citizen(key="openid"))
        [number] = await w.open(1, channel=Channel.WECHAT, appeal=appeal)
        for command in (c.Sign(), c.RecordContact(), c.Reply(internal="x", public="已修好"), c.AcceptReply()):
            await w.service.act(number, command, actor=SYSTEM)
        [[planned]] = await all_rows(database, "SELECT attention_at FROM tickets")
        w.moment = planned + timedelta(days=1, hours=14)  # about midnight
        await w.sweep().run()
        [[at]] = await all_rows(database, "SELECT attention_at FROM tickets")
        assert at.astimezone(ZONE).time() == time(9)
        assert at > w.moment
        assert "record_try" not in await w.types(number)
        w.moment = at
        await w.sweep().run()
        assert (await w.types(number)).count("record_try") == 1


async def test_a_merged_ticket_waits_for_its_parent_and_its_citizen_hears_how_that_ends(database: str) -> None:
    async with house(database) as w:
        parent, child, other = await w.open(3, appeal=Appeal(text="路灯不亮", citizen=Citizen(phone="13800138000")))
        await w.service.act(child, c.Merge(parent=(await w.store.read(parent)).id), actor=SYSTEM)
        await w.service.act(other, c.Withdraw(reason="x"), actor=SYSTEM)
        w.moment += timedelta(days=150)
        await w.sweep().run()
        states = {number: (await w.store.read(number)).ticket.state for number in (parent, child, other)}
        assert states == {parent: State.PENDING_SIGN, child: State.MERGED, other: State.ARCHIVED}
        assert await SweepStore(w.pool).due(w.moment + timedelta(hours=1), limit=10) == [], "nor at every round"
        for command in (c.Sign(), c.RecordContact(), c.Reply(internal="x", public="已修好"), c.AcceptReply()):
            await w.service.act(parent, command, actor=SYSTEM)
        heard = "SELECT count(*) FROM outbox WHERE key LIKE 'family-' || $1 || '-%'"
        assert await all_rows(database, heard, child) == [(2,)], "signed for, and answered"
        await w.service.act(parent, c.SettleFollowUp(rating=Rating.SATISFIED, solved=True), actor=SYSTEM)
        for days in (10, 90, 2):
            assert (await w.store.read(child)).ticket.state is State.MERGED
            w.moment += timedelta(days=days)
            await w.sweep().run()
        assert {(await w.store.read(number)).ticket.state for number in (parent, child)} == {State.ARCHIVED}


async def test_a_person_and_the_sweep_at_once(database: str) -> None:
    """Whoever is second decides on what the first has left: no light for what was signed in time."""
    async with house(database) as w:
        numbers = await w.open(10)
        w.moment += timedelta(hours=1, minutes=40)
        await asyncio.gather(
            *(w.service.act(number, c.Sign(), actor=SYSTEM) for number in numbers), w.sweep().run(), w.sweep().run()
        )
        for number in numbers:
            types = await w.types(number)
            assert types.count("sign") == 1
            assert types.count("show_light") <= 1


async def test_a_citizen_who_rates_by_link_ends_the_follow_up(database: str) -> None:
    async with house(database) as w:
        good, bad = await w.open(2)
        for number in (good, bad):
            for command in (c.Sign(), c.Reply(internal="x", public="已修好"), c.AcceptReply()):
                await w.service.act(number, command, actor=SYSTEM)
        shown = await w.service.rate_linked(good, Rating.SATISFIED, True, "")  # type: ignore[arg-type]
        assert shown.status is State.CLOSED
        assert (await w.service.rate_linked(good, Rating.SATISFIED, True, "")).status is State.CLOSED  # type: ignore[arg-type]
        assert (await w.types(good)).count("rate") == 0
        assert (await w.service.rate_linked(bad, Rating.DISSATISFIED, False, "还是坏的")).status is State.REDO  # type: ignore[arg-type]
        event = (await w.store.history((await w.store.read(bad)).id))[-1]
        assert (event.type, event.actor.role) == ("dispute_follow_up", "citizen")
