"""催办 by citizens: once in 24 hours for a matter, a merged ticket's for its parent, while it is open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from channels.message import Receipt
from channels.views import CitizenAct, Progress
from hotline import commands as c
from hotline.errors import IllegalTransition, NotFound, RateLimited
from hotline.events import SYSTEM, Actor, Role, TicketEvent
from hotline.service import Service
from hotline.store.database import open_pool
from hotline.store.tickets import TicketStore
from tests.cities import NOW, RULES
from tests.hotline.test_intake import inbound, intake_over

AGENT, HOUR = Actor(Role.AGENT, "zhang"), timedelta(hours=1)


class House:
    """A ticket of the city, the service over it, and a clock to be moved."""

    def __init__(self, service: Service, store: TicketStore, receipt: Receipt) -> None:
        self.service, self.store, self.receipt = service, store, receipt

    async def urge(self, receipt: Receipt | None = None, note: str = "") -> None:
        of = receipt or self.receipt
        await self.service.urge(of.number, of.code, note)

    async def urges(self, receipt: Receipt | None = None) -> list[tuple[Role, str]]:
        stored = await self.store.read((receipt or self.receipt).number)
        events: list[TicketEvent] = await self.store.history(stored.id)
        return [(event.actor.role, event.fact.note) for event in events if isinstance(event.fact, c.Urge)]

    async def shown(self, receipt: Receipt | None = None) -> Progress:
        of = receipt or self.receipt
        return await self.service.progress(of.number, of.code)

    async def may(self, receipt: Receipt | None = None) -> bool:
        shown = await self.shown(receipt)
        assert (CitizenAct.URGE in shown.may) is (shown.urge_from is None), "who may not is told from when"
        return CitizenAct.URGE in shown.may


@asynccontextmanager
async def opened(dsn: str, passed: list[timedelta]) -> AsyncIterator[House]:
    async with intake_over(dsn) as intake, await open_pool(dsn) as pool:
        store = TicketStore(pool, prefix="DG")
        service = Service(
            store=store, intake=intake, rules=lambda: RULES, clock=lambda: NOW + sum(passed, timedelta())
        )
        yield House(service, store, await intake.submit(inbound()))


async def test_a_citizen_urges_once_in_a_day_and_staff_as_they_see_fit(database: str) -> None:
    passed: list[timedelta] = []
    async with opened(database, passed) as house:
        await house.service.act(house.receipt.number, c.Urge(), actor=AGENT)
        await house.urge(note="三天了")
        passed.append(23 * HOUR)
        with pytest.raises(RateLimited, match="again from 2026-11-21T") as refused:
            await house.urge()
        assert refused.value.retry_after == 3601
        assert not await house.may()
        assert (await house.shown()).urge_from == NOW + 24 * HOUR
        await house.service.act(house.receipt.number, c.Urge(), actor=AGENT)
        passed.append(HOUR)
        assert await house.may()
        await house.urge()
        assert await house.urges() == [
            (Role.AGENT, ""), (Role.CITIZEN, "三天了"), (Role.AGENT, ""), (Role.CITIZEN, "")]


async def test_of_many_at_once_one_counts(database: str) -> None:
    async with opened(database, []) as house:
        told = await asyncio.gather(*(house.urge() for _ in range(5)), return_exceptions=True)
        assert [type(one) for one in told if one is not None] == [RateLimited] * 4
        assert len(await house.urges()) == 1


async def test_a_merged_tickets_urge_goes_to_its_parent(database: str) -> None:
    async with opened(database, []) as house, intake_over(database) as intake:
        child = await intake.submit(inbound("体育路的路灯又坏了"))
        parent = (await house.store.read(house.receipt.number)).id
        await house.service.act(child.number, c.Merge(parent=parent), actor=SYSTEM)
        await house.urge(child, "还是黑的")
        assert (await house.urges(), await house.urges(child)) == ([(Role.CITIZEN, "还是黑的")], [])
        shown = await house.shown(child)
        assert "已催办" in {step.title for step in shown.steps}
        assert shown.urge_from == NOW + 24 * HOUR
        assert not await house.may()
        with pytest.raises(RateLimited):
            await house.urge()


async def test_what_is_over_and_what_is_not_theirs_is_not_urged(database: str) -> None:
    async with opened(database, []) as house:
        wrong = "000000" if house.receipt.code != "000000" else "111111"
        with pytest.raises(NotFound):
            await house.service.urge(house.receipt.number, wrong, "")
        await house.service.withdraw(house.receipt.number, house.receipt.code, "")
        with pytest.raises(IllegalTransition, match="finished"):
            await house.urge()
        assert await house.urges() == []


async def test_what_was_urged_and_is_over_promises_no_other_urge(database: str) -> None:
    async with opened(database, []) as house:
        await house.urge()
        await house.service.withdraw(house.receipt.number, house.receipt.code, "")
        assert (await house.shown()).urge_from is None
