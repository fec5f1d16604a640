"""Which ticket what a citizen says in a conversation belongs to, when we have written to them meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from channels.message import Receipt
from hotline import commands as c
from hotline.events import SYSTEM
from hotline.intake import Intake
from hotline.service import Service
from hotline.store.database import open_pool
from hotline.store.tickets import TicketStore
from hotline.terms import RejectReason, State
from hotline.ticket import Ticket
from tests.cities import NOW, RULES
from tests.hotline.test_intake import intake_over, said


class Talk:
    """A citizen of WeChat and the hotline; hours count from the first moment."""

    def __init__(self, intake: Intake, store: TicketStore, dsn: str) -> None:
        self.intake, self.store, self.dsn, self.now = intake, store, dsn, NOW

    async def says(self, text: str, *, hours: float = 0) -> Receipt:
        return await self.intake.submit(said(text, at=NOW + timedelta(hours=hours)))

    async def hears(self, of: Receipt, command: c.Command, *, hours: float) -> Ticket:
        moment = NOW + timedelta(hours=hours)
        service = Service(store=self.store, intake=self.intake, rules=lambda: RULES, clock=lambda: moment)
        return await service.act(of.number, command, actor=SYSTEM)


@pytest.fixture
async def talk(database: str) -> AsyncIterator[Talk]:
    async with intake_over(database) as intake, await open_pool(database) as pool:
        yield Talk(intake, TicketStore(pool, prefix="DG"), database)


ASK = c.AskInfo(question="请问在哪条路?")
WORD = c.AddMessage(text="请问现在好了吗?", inbound=False)


async def test_the_answer_to_a_question_finds_its_ticket_whenever_it_comes(talk: Talk) -> None:
    first = await talk.says("树倒了")
    await talk.hears(first, ASK, hours=30)
    answer = await talk.says("在体育路", hours=80)
    assert (answer.number, answer.status, answer.continued) == (first.number, State.RECEIVED, True)


async def test_a_question_turns_the_conversation_to_its_ticket(talk: Talk) -> None:
    asked = await talk.says("树倒了")
    other = await talk.says("新诉求:楼下烧烤油烟大", hours=1)
    await talk.hears(asked, ASK, hours=1.5)
    answer = await talk.says("在体育路", hours=1.6)
    assert other.number != asked.number
    assert (answer.number, answer.status) == (asked.number, State.RECEIVED)


async def test_what_follows_an_agents_words_belongs_to_their_ticket(talk: Talk) -> None:
    first = await talk.says("树倒了")
    await talk.hears(first, WORD, hours=30)
    assert (await talk.says("好了,谢谢", hours=31)).number == first.number
    assert (await talk.says("别处的树又倒了", hours=34)).number != first.number, "after two hours it is another matter"


async def test_news_keeps_the_conversation_but_takes_none_away(talk: Talk) -> None:
    """A step that is told by itself goes on with its own ticket, or with one that nobody speaks of any more."""
    lamp = await talk.says("路灯不亮")
    tree = await talk.says("新诉求:树倒了", hours=1)
    await talk.hears(lamp, c.Sign(), hours=1.5)
    assert (await talk.says("在体育路", hours=1.6)).number == tree.number
    await talk.hears(lamp, c.TakeBack(reason="派错"), hours=30)
    await talk.hears(lamp, c.Dispatch(lead=lamp.department), hours=30)
    assert (await talk.says("谢谢", hours=31)).number == lamp.number


async def test_news_of_another_ticket_does_not_hide_a_question(talk: Talk) -> None:
    lamp = await talk.says("路灯不亮")
    tree = await talk.says("新诉求:树倒了", hours=1)
    await talk.hears(tree, ASK, hours=2)
    await talk.hears(lamp, c.Sign(), hours=30)
    assert (await talk.says("在体育路", hours=31)).number == tree.number


async def test_the_end_of_an_asked_ticket_ends_its_conversation(talk: Talk) -> None:
    first = await talk.says("树倒了")
    await talk.hears(first, ASK, hours=1)
    await talk.hears(first, c.Reject(reason=RejectReason.NO_REPLY), hours=200)
    assert (await talk.says("在体育路", hours=201)).number != first.number


async def test_writing_never_waits_for_who_is_speaking(talk: Talk) -> None:
    """A message holds its conversation and waits for the ticket, we hold the ticket: neither may wait for the other."""
    first = await talk.says("树倒了")
    async with await open_pool(talk.dsn) as pool, pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM conversations FOR UPDATE")
        async with asyncio.timeout(20):
            assert (await talk.hears(first, ASK, hours=1)).state is State.NEED_INFO
