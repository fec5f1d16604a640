"""Several people, processes and sweeps act on the same tickets at once: every history keeps every invariant."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from channels.message import Receipt
from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.effects import effects_of
from hotline.errors import HotlineError, IllegalTransition, Unavailable
from hotline.events import SYSTEM, Actor, Role
from hotline.store.erasing import erase_tickets
from hotline.terms import Rating, RejectReason, Service, State, TryResult, Verdict
from hotline.ticket import Ticket, evolve
from tests.cities import NOW
from tests.hotline.test_intake import inbound, said
from tests.hotline.test_sweep import House, house
from tests.year.invariants import check

UNITS = ("城管局", "水务局")
COMMANDS: tuple[c.Command, ...] = (
    c.Accept(), *(c.Dispatch(lead=unit, assisting=UNITS) for unit in UNITS), c.Sign(), c.RecordContact(),
    c.RequestReturn(legal_basis="目录", suggested="水务局"), c.ApproveReturn(), c.RefuseReturn(reason="应办"),
    c.Arbitrate(), c.Rule(lead="城管局"), c.Reply(internal="修", public="已修好"), c.AcceptReply(),
    c.RejectReply(reason="不详"),
    c.RecordTry(result=TryResult.NO_ANSWER), c.SettleFollowUp(rating=Rating.SATISFIED, solved=True),
    c.Redispatch(lead="水务局"), c.SettleFollowUp(solved=None, unreachable=True),
    c.DisputeFollowUp(rating=Rating.DISSATISFIED, solved=False),
    c.AskInfo(question="哪里?"), c.SupplyInfo(text="路口"), c.Resume(text="路口"),
    c.RequestExtension(days=2, reason="开挖"),
    c.GrantExtension(), c.Supervise(reason="超期"), c.Urge(), c.HandOff(services=(Service.POLICE,)),
    c.PoliceReturn(reason="非警情"), c.Close(), c.Reopen(reason="复发"), c.Answer(text="好"), c.Archive(),
    c.Reject(reason=RejectReason.PRIVACY), c.Withdraw(), c.Reassess(verdict=Verdict.UNCLEAR, reason="疑"),
    c.ClearAlarm(alarm="dissatisfied"),
)
SELDOM = (c.Archive, c.Withdraw, c.Reject, c.HandOff)


async def person(w: House, numbers: list[str], seed: int, steps: int) -> None:
    """Give random commands without looking; move the clock now and then."""
    r = random.Random(seed)
    for _ in range(steps):
        command = r.choice(COMMANDS)
        if isinstance(command, SELDOM) and r.random() < 0.9:
            continue
        w.moment += timedelta(minutes=r.choice([0, 0, 1, 15, 200]))
        actor = SYSTEM if r.random() < 0.8 else Actor(Role.CITIZEN)
        try:
            await w.service.act(r.choice(numbers), command, actor=actor)
        except HotlineError:
            continue


async def sweeper(w: House, rounds: int) -> None:
    for _ in range(rounds):
        await w.sweep(batch=5).run()
        await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(3))
async def test_whoever_acts_at_once_no_history_breaks_an_invariant(database: str, seed: int) -> None:
    async with house(database) as w:
        citizen = Citizen(phone="+8613800138000", key="+8613800138000")
        numbers = await w.open(5, appeal=Appeal(text="路灯不亮", citizen=citizen))
        people = [person(w, numbers, seed * 100 + n, 120) for n in range(6)]
        await asyncio.gather(*people, sweeper(w, 40), sweeper(w, 40))
        events = 0
        for number in numbers:
            stored = await w.store.read(number)
            before: Ticket | None = None
            for event in await w.store.history(stored.id):
                after = evolve(before, event)
                told = effects_of(after, event, signature="东莞12345").messages
                check(before, after, event, told, 0)
                before, events = after, events + 1
            assert before == stored.ticket
        assert events > 80


async def test_two_processes_that_decide_on_one_ticket_are_one_after_the_other(database: str) -> None:
    """Of many that settle the same follow-up exactly one does; the others are told that it was done."""
    async with house(database) as w:
        [number] = await w.open(1)
        for command in (c.Sign(), c.Reply(internal="x", public="好"), c.AcceptReply()):
            await w.service.act(number, command, actor=SYSTEM)
        settle = c.SettleFollowUp(rating=Rating.SATISFIED, solved=True)
        results = await asyncio.gather(
            *(w.service.act(number, settle, actor=SYSTEM) for _ in range(8)),
            *(w.service.rate_linked(number, Rating.DISSATISFIED, False, "") for _ in range(8)),  # type: ignore[arg-type]
            return_exceptions=True,
        )
        assert not [one for one in results if isinstance(one, Exception) and not isinstance(one, HotlineError)]
        types = await w.types(number)
        assert types.count("settle_follow_up") + types.count("dispute_follow_up") == 1
        assert (await w.store.read(number)).ticket.state in (State.CLOSED, State.REDO)


# ── a ticket ends while a message of its citizen is on the way ───────────────────────────────────
async def behind(w: House, number: str, *queue: Coroutine[Any, Any, object]) -> list[object]:
    """Let each wait for the ticket's lock, one behind the other, then let them go; return what became of them."""
    async with w.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM tickets WHERE number = $1 FOR UPDATE", number)
            tasks: list[asyncio.Task[object]] = []
            for one in queue:
                tasks.append(asyncio.create_task(one))
                while not tasks[-1].done() and await w.pool.fetchval(_WAITING) < len(tasks):
                    await asyncio.sleep(0.01)
        return await asyncio.gather(*tasks, return_exceptions=True)


_WAITING = """SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
              WHERE NOT granted AND datname = current_database()"""


async def test_a_message_behind_the_end_of_its_ticket_is_refused_and_nothing_is_added(database: str) -> None:
    async with house(database) as w:
        [number] = await w.open(1)
        ended = w.service.act(number, c.Withdraw(), actor=SYSTEM)
        _, told = await behind(w, number, ended, w.intake.submit(inbound("还没修", key="k", continues=number)))
        assert isinstance(told, IllegalTransition)
        assert "finished" in told.detail
        assert (await w.types(number))[-1] == "withdraw"


async def test_a_conversation_behind_the_end_of_its_ticket_opens_another(database: str) -> None:
    async with house(database) as w:
        number = (await w.intake.submit(said("路灯不亮"))).number
        ended = w.service.act(number, c.Withdraw(), actor=SYSTEM)
        _, told = await behind(w, number, ended, w.intake.submit(said("还没修", key="MsgId-2")))
        assert isinstance(told, Receipt)
        assert (told.number != number, told.continued) == (True, False)
        assert (await w.types(number))[-1] == "withdraw"
        again = await w.intake.submit(said("还没修", key="MsgId-2"))
        assert (again.number, again.repeat) == (told.number, True)


async def test_a_message_behind_the_merge_of_its_ticket_is_repeated_and_comes_to_the_parent(database: str) -> None:
    async with house(database) as w:
        parent, child = await w.open(2)
        id_ = (await w.store.read(parent)).id
        merged = w.service.act(child, c.Merge(parent=id_), actor=SYSTEM)
        message = inbound("还没修", key="k", continues=child)
        _, told = await behind(w, child, merged, w.intake.submit(message))
        assert isinstance(told, Unavailable)
        assert (await w.types(child))[-1] == "merge"
        assert (await w.intake.submit(message)).number == child
        assert (await w.types(parent))[-1] == "add_message"


async def test_a_conversation_and_the_erasure_of_its_ticket_do_not_wait_for_each_other(database: str) -> None:
    async with house(database) as w:
        number = (await w.intake.submit(said("路灯不亮"))).number
        await w.service.act(number, c.Withdraw(), actor=SYSTEM)
        async with w.pool.acquire() as connection, connection.transaction():
            id_ = await connection.fetchval("SELECT id FROM tickets WHERE number = $1 FOR UPDATE", number)
            talking = asyncio.create_task(w.intake.submit(said("还没修", key="MsgId-2")))
            while not talking.done() and not await w.pool.fetchval(_WAITING):
                await asyncio.sleep(0.01)
            async with asyncio.timeout(20):
                await erase_tickets(connection, [id_], NOW)
        assert (await talking).number != number
        [(pointed,)] = await w.pool.fetch("SELECT ticket_id FROM conversations")
        assert pointed not in (None, id_), "nothing leads to the erased ticket, and the talk goes on in the new one"
