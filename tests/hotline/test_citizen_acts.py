"""What a citizen is told they may do is what the service lets them do, at every step of a ticket's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from channels.message import Receipt
from channels.views import CitizenAct, Progress
from hotline import commands as c
from hotline.errors import IllegalTransition
from hotline.events import SYSTEM, Actor, Role
from hotline.service import Service
from hotline.store.database import open_pool
from hotline.store.tickets import TicketStore
from hotline.terms import Rating, State
from tests.cities import NOW, RULES
from tests.hotline.test_intake import inbound, intake_over

AGENT, UNIT = Actor(Role.AGENT, "zhang"), Actor(Role.DEPARTMENT, "城管局")
WAY: list[tuple[c.Command | None, State, set[str]]] = [
    (None, State.PENDING_SIGN, {"supplement", "urge", "withdraw"}),
    (c.Sign(), State.HANDLING, {"supplement", "urge", "withdraw"}),
    (c.Reply(internal="换灯泡", public="路灯已修复"), State.PENDING_REVIEW, {"supplement", "urge"}),
    (c.AcceptReply(), State.PENDING_FOLLOW_UP, {"supplement", "urge", "rate"}),
]


@asynccontextmanager
async def served(dsn: str) -> AsyncIterator[tuple[Service, Receipt]]:
    async with intake_over(dsn) as intake, await open_pool(dsn) as pool:
        service = Service(store=TicketStore(pool, prefix="DG"), intake=intake, rules=lambda: RULES, clock=lambda: NOW)
        yield service, await intake.submit(inbound())


async def walk(service: Service, receipt: Receipt, steps: int) -> Progress:
    for command, _, _ in WAY[1:steps]:
        assert command is not None
        actor = AGENT if isinstance(command, c.AcceptReply) else UNIT
        await service.act(receipt.number, command, actor=actor)
    return await service.progress(receipt.number, receipt.code)


@pytest.mark.parametrize("steps", range(1, len(WAY) + 1))
async def test_what_is_told_is_what_is_allowed(database: str, steps: int) -> None:
    async with served(database) as (service, receipt):
        shown = await walk(service, receipt, steps)
        _, state, acts = WAY[steps - 1]
        assert (shown.status, set(shown.may)) == (state, acts)
        number, code = receipt.number, receipt.code
        if CitizenAct.RATE not in shown.may:
            with pytest.raises(IllegalTransition):
                await service.rate(number, code, Rating.SATISFIED, None, "")
        if CitizenAct.WITHDRAW not in shown.may:
            with pytest.raises(IllegalTransition):
                await service.withdraw(number, code, "")
        if CitizenAct.SUPPLEMENT in shown.may:
            await service.supplement(number, code, "还有一盏", (), "k1")
        if CitizenAct.URGE in shown.may:
            await service.urge(number, code, "")
        if CitizenAct.RATE in shown.may:
            await service.rate(number, code, Rating.SATISFIED, True, "")
            assert (await service.progress(number, code)).rating is Rating.SATISFIED
        elif CitizenAct.WITHDRAW in shown.may:
            await service.withdraw(number, code, "")
            assert (await service.progress(number, code)).may == ()


async def test_who_was_merged_may_do_what_the_parent_allows(database: str) -> None:
    async with served(database) as (service, parent), intake_over(database) as intake:
        child = await intake.submit(inbound("体育路的路灯又坏了"))
        stored = await service.progress(parent.number, parent.code)
        assert CitizenAct.SUPPLEMENT in stored.may
        async with await open_pool(database) as pool:
            id_ = await pool.fetchval("SELECT id FROM tickets WHERE number = $1", parent.number)
        await service.act(child.number, c.Merge(parent=id_), actor=SYSTEM)
        shown = await service.progress(child.number, child.code)
        assert (shown.status, set(shown.may)) == (State.MERGED, {"supplement", "urge", "withdraw"})
        await walk(service, parent, len(WAY))
        assert set((await service.progress(child.number, child.code)).may) == {
            "supplement", "urge", "withdraw", "rate"}


async def test_steps_name_the_event_they_come_from(database: str) -> None:
    async with served(database) as (service, receipt):
        shown = await walk(service, receipt, 2)
    assert [(step.kind, step.title) for step in shown.steps] == [
        ("receive", "已收到"), ("accept", "已受理"), ("dispatch", "已派单"), ("sign", "已签收"),
    ]
