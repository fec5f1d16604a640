"""Chats are given to agents by the rules of calls: skills, free longest, room; and claimed in the database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from channels.chat_codec import Say, inbound_of
from hotline import commands as c
from hotline.chat_queue import Chats
from hotline.events import Actor, Role
from hotline.intake import Intake
from hotline.service import Service
from hotline.store.chats import ChatStore
from hotline.store.database import open_pool
from hotline.store.telephone import TelephoneStore
from hotline.store.tickets import TicketStore
from hotline.telephone_ports import Times
from hotline.telephone_queue import Queues
from routing import call_words as m
from routing.calls import Call, Phase
from routing.queue_plan import Centre, Queue
from routing.queueing import Rung
from tests.cities import NOW, RULES
from tests.hotline.test_intake import intake_over

PLAN = Centre(queues={"general": Queue(steps=(Rung(0, "general", 3),)), "web": Queue(steps=(Rung(0, "web"),))})


class House:
    """A centre with chats and agents over a real database; `desk` gives the chats, `tick` lets it look.

    It is a minute ago here: leases end by the database's clock, which is to be after what is given.
    """

    def __init__(self, pool: asyncpg.Pool, intake: Intake) -> None:
        self.pool, self.intake, self.plan, self.began, self.later = pool, intake, PLAN, datetime.now(UTC), -60.0
        self.service = Service(
            store=TicketStore(pool, prefix="DG"), intake=intake, rules=lambda: RULES, clock=self.now
        )
        self.happened: list[tuple[str, m.Happening]] = []
        self.calls: dict[str, Call] = {}
        self.desk = self.another()

    def another(self) -> Queues:
        return Queues(
            store=TelephoneStore(self.pool), centre=lambda: self.plan, clock=self.now, times=Times(),
            calls=self.calls, happen=self._happen, chats=Chats(store=ChatStore(self.pool), act=self.service.act),
        )

    async def _happen(self, call_id: str, event: m.Happening) -> None:
        self.happened.append((call_id, event))

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.later)

    async def tick(self) -> dict[str, list[str]]:
        """Let a second pass twice; return the chats of each agent, "" for those nobody has."""
        for _ in range(2):
            self.later += 1
            await self.desk.tick(self.now())
        return await self.held()

    async def held(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in await self.pool.fetch("SELECT agent, number FROM tickets ORDER BY id"):
            found.setdefault(row["agent"], []).append(row["number"])
        return found

    async def agent(self, name: str, skills: str = "", *, state: str = "available", free_for: int = 100) -> None:
        await self.pool.execute(
            "INSERT INTO staff (name, display_name, role, password_hash, created_at) "
            "VALUES ($1, $1, 'agent', '', now())", name,
        )
        await self.pool.execute(
            "INSERT INTO presence (staff, state, since, lease_until) "
            "VALUES ($1, $2, now() - make_interval(secs => $3), now() + '1 hour')", name, state, free_for,
        )
        if skills:
            await self.pool.execute(
                "INSERT INTO agent_phones (staff, endpoint, skills) VALUES ($1, 'PJSIP/x', $2)", name, skills
            )

    async def chats(self, *names: str) -> list[str]:
        numbers = []
        for name in names:
            said = Say(id="m1", text="想问一下社保卡", person=True)
            numbers.append((await self.intake.submit(inbound_of(f"{name:x<40}", said, (), now=NOW))).number)
        return [number for number in numbers if number]

    async def act(self, number: str, command: Any, agent: str = "wang") -> None:
        await self.service.act(number, command, actor=Actor(Role.AGENT, agent))


@asynccontextmanager
async def house_of(database: str) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        intake = await stack.enter_async_context(intake_over(database))
        pool = await stack.enter_async_context(await open_pool(database, size=8))
        yield House(pool, intake)


async def test_chats_are_given_in_their_order_as_far_as_there_is_room(database: str) -> None:
    async with house_of(database) as house:
        numbers = await house.chats("a", "b", "c", "d", "e")
        await house.agent("wang")
        assert await house.tick() == {"wang": numbers[:3], "": numbers[3:]}
        topics = await house.pool.fetch("SELECT topics FROM ticket_events WHERE type = 'claim'")
        assert all("agent:wang" in row["topics"] for row in topics)  # so their console learns of it
        await house.act(numbers[1], c.Answer(text="请到窗口办理"))
        assert (await house.tick())[""] == numbers[4:]
        await house.act(numbers[0], c.AskInfo(question="哪个镇？"))  # the citizen has the word
        assert "" not in await house.tick()


async def test_who_comes_when_many_wait_gets_as_many_as_there_is_room_for(database: str) -> None:
    async with house_of(database) as house:
        numbers = await house.chats("a", "b", "c", "d", "e", "f", "g")
        assert await house.tick() == {"": numbers}
        await house.agent("wang")
        assert await house.tick() == {"wang": numbers[:3], "": numbers[3:]}
        await house.act(numbers[0], c.Answer(text="请到窗口办理"))
        assert (await house.tick())[""] == numbers[4:]


async def test_a_chat_that_somebody_takes_at_that_moment_holds_up_nobody(database: str) -> None:
    async with house_of(database) as house:
        first, second = await house.chats("a", "b")
        await house.tick()
        await house.act(first, c.Claim(agent="li"), "li")
        await house.agent("wang")
        await house.agent("zhao")
        held = await house.tick()
        assert (held.pop("li"), [number for numbers in held.values() for number in numbers]) == ([first], [second])
        assert "" not in held


async def test_who_has_been_free_longest_is_first_and_chats_go_round(database: str) -> None:
    async with house_of(database) as house:
        await house.agent("wang", free_for=100)
        await house.agent("li", free_for=200)
        await house.tick()
        got = []
        for name in "abcd":
            [number] = await house.chats(name)
            got.append(next(agent for agent, held in (await house.tick()).items() if number in held))
        assert got == ["li", "wang", "li", "wang"]


async def test_skills_and_presence_decide_who_may_have_a_chat(database: str) -> None:
    async with house_of(database) as house:
        house.plan = Centre(queues=PLAN.queues, chat_queue="web")
        await house.agent("meal", '{"web": 1}', state="not_ready")
        await house.agent("call", '{"web": 1}', state="talking", free_for=50)
        await house.agent("other", '{"general": 1}')
        [number] = await house.chats("a")
        assert await house.tick() == {"": [number]}
        await house.agent("web", '{"web": 5}')
        assert await house.tick() == {"web": [number]}


async def test_one_capacity_holds_for_calls_and_chats(database: str) -> None:
    """Who has a chat gets no call, and nobody without a telephone; who has room again gets the one that waits."""
    async with house_of(database) as house:
        await house.agent("wang", '{"general": 1}')
        await house.agent("chats only")
        [number] = await house.chats("a")
        assert await house.tick() == {"wang": [number]}
        call = Call(id="c1", caller="13800138000", called="12345", queue="general", arrived=NOW, phase=Phase.WAITING)
        house.calls["c1"] = call
        await house.desk.enqueue(call)
        await house.tick()
        assert house.happened == []
        await house.act(number, c.Answer(text="请到窗口办理"))
        await house.tick()
        assert house.happened == [("c1", m.Assigned("wang", "PJSIP/x"))]
        assert await house.pool.fetchval("SELECT state FROM presence WHERE staff = 'wang'") == "ringing"


async def test_chats_of_a_lost_console_wait_again_and_go_to_the_next(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hotline.store.telephone.LEASE_SECONDS", 0.0)  # judged at once
    async with house_of(database) as house:
        await house.agent("gone")
        numbers = await house.chats("a", "b")
        assert await house.tick() == {"gone": numbers}
        await house.pool.execute("UPDATE presence SET lease_until = now() - interval '1 second'")
        await house.agent("wang")
        assert await house.tick() | await house.tick() == {"wang": numbers}
        assert await house.pool.fetchval("SELECT count(*) FROM ticket_events WHERE type = 'release'") == 2


async def test_what_an_agent_took_without_telling_their_presence_stays_theirs(database: str) -> None:
    async with house_of(database) as house:
        await house.agent("quiet", state="offline")
        [number] = await house.chats("a")
        await house.act(number, c.Claim(agent="quiet"), "quiet")
        assert await house.tick() == {"quiet": [number]}


async def test_what_was_taken_by_hand_takes_room_too(database: str) -> None:
    async with house_of(database) as house:
        numbers = await house.chats("a", "b", "c", "d")
        for number in numbers[1:]:
            await house.act(number, c.Claim(agent="wang"))
        await house.agent("wang")
        assert await house.tick() == {"": numbers[:1], "wang": numbers[1:]}


async def test_a_plan_may_leave_chats_to_be_taken_by_hand_and_another_give_them(database: str) -> None:
    async with house_of(database) as house:
        house.plan = Centre(queues=PLAN.queues, chat_cost=0)
        await house.agent("wang")
        numbers = await house.chats("a", "b", "c")
        assert await house.tick() == {"": numbers}
        house.plan = Centre(queues=PLAN.queues, chat_cost=3)
        assert await house.tick() == {"wang": numbers[:2], "": numbers[2:]}


async def test_of_several_processes_that_give_at_once_one_gives_each_chat(database: str) -> None:
    """Even where two believe that they alone give: the version of the ticket decides."""
    async with house_of(database) as house:
        desks = [house.another() for _ in range(4)]
        for n in range(12):
            await house.agent(f"agent{n}", free_for=100 + n)
        numbers = await house.chats(*(f"chat{n}" for n in range(12)))
        for _ in range(4):
            house.later += 1
            await asyncio.gather(*(desk.tick(house.now()) for desk in desks))
        rows = await house.pool.fetch("SELECT ticket_id FROM ticket_events WHERE type = 'claim'")
        assert set(Counter(row["ticket_id"] for row in rows).values()) == {1}
        assert sorted(number for held in (await house.held()).values() for number in held) == numbers
        assert "" not in await house.held()
