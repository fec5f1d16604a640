"""回访: agents take the next follow-up that is due, each their own, however many ask at once."""

from __future__ import annotations

import asyncio

from agent_ui import protocol as p
from hotline import commands as c
from hotline.events import Actor, Role
from hotline.terms import Rating, TryResult
from tests.agent_ui.stack import Stack

UNIT, CENTRE = Actor(Role.DEPARTMENT, "城管局"), Actor(Role.AGENT, "zhang")


async def replied(stack: Stack) -> str:
    number = (await stack.appeal()).number
    reply = c.Reply(internal="换灯", public="已修好")
    for command, actor in ((c.Sign(), UNIT), (reply, UNIT), (c.AcceptReply(), CENTRE)):
        await stack.service.act(number, command, actor=actor)
    await due(stack, number)
    return number


async def due(stack: Stack, number: str) -> None:
    """Whatever the hour is: a try is made in the waking hours only."""
    await stack.pool.execute(
        "UPDATE tickets SET summary = jsonb_set(summary::jsonb, '{try_at}', to_jsonb(now()))::text WHERE number = $1",
        number,
    )


async def test_each_agent_gets_another_ticket_and_keeps_it(stack: Stack) -> None:
    async with stack.gateway():
        one, other, unit = await stack.desk("zhang"), await stack.desk("zhao"), await stack.desk("wang")
        assert await one.ask(p.NextFollowUp) == p.Ok(id=1)
        numbers = {await replied(stack) for _ in range(3)}
        taken = await asyncio.gather(*(desk.ask(p.NextFollowUp) for desk in (one, other)))
        assert all(isinstance(answer, p.Ok) and answer.state == "pending_follow_up" for answer in taken)
        assert len({answer.number for answer in taken} & numbers) == 2
        await due(stack, taken[0].number)
        again = await one.ask(p.NextFollowUp)
        assert (again.number, again.version) == (taken[0].number, taken[0].version), "it is finished first"
        refused = await unit.ask(p.NextFollowUp)
        assert isinstance(refused, p.Error)
        assert refused.error_id == "forbidden"


async def test_a_console_that_leaves_out_whether_it_is_solved_settles_nothing(stack: Stack) -> None:
    async with stack.gateway():
        desk = await stack.desk("zhang")
        number = await replied(stack)
        left_out = c.SettleFollowUp(rating=Rating.VERY_DISSATISFIED)
        refused = await desk.ask(p.RunCommand, number=number, command=left_out)
        assert (refused.error_id, "solved" in refused.detail) == ("rule_violation", True)
        unsaid = c.SettleFollowUp(rating=Rating.VERY_DISSATISFIED, solved=None)
        refused = await desk.ask(p.RunCommand, number=number, command=unsaid)
        assert "redone" in refused.detail, "nobody is satisfied with it and nobody calls it solved"
        ended = await desk.ask(p.RunCommand, number=number, command=c.SettleFollowUp(solved=True))
        assert ended.state == "closed"


async def test_a_try_in_vain_puts_it_off_and_an_answer_ends_it(stack: Stack) -> None:
    async with stack.gateway():
        desk = await stack.desk("zhang")
        numbers = {await replied(stack) for _ in range(2)}
        first = (await desk.ask(p.NextFollowUp)).number
        await desk.ask(p.RunCommand, number=first, command=c.RecordTry(result=TryResult.NO_ANSWER))
        second = (await desk.ask(p.NextFollowUp)).number
        assert {first, second} == numbers
        await desk.ask(p.RunCommand, number=second, command=c.SettleFollowUp(solved=True))
        assert (await desk.ask(p.NextFollowUp)).number == ""
