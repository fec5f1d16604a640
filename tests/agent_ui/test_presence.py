"""Presence over a real socket: chosen, told, and ended with the last console."""

from __future__ import annotations

import msgspec

from agent_ui import protocol as p
from agent_ui.limits import Limits
from agent_ui.presence import NEVER_LOOKED, NotReadyReason, PresenceState, looked, may_judge
from hotline.store.console import ConsoleStore
from tests.agent_ui.stack import QUICK, Stack


async def test_presence_is_chosen_told_and_listed(stack: Stack) -> None:
    async with stack.gateway():
        agent, supervisor = await stack.desk("zhang"), await stack.desk("li", "presence")
        assert (await agent.ask(p.SetPresence, state=PresenceState.AVAILABLE)).presence.state == "available"
        meal = await agent.ask(p.SetPresence, state=PresenceState.NOT_READY, reason=NotReadyReason.MEAL)
        assert (meal.presence.state, meal.presence.reason) == ("not_ready", "meal")
        again = await agent.ask(p.SetPresence, state=PresenceState.NOT_READY, reason=NotReadyReason.MEAL)
        assert again.presence == meal.presence
        assert (await agent.ask(p.SetPresence, state=PresenceState.TALKING)).error_id == "illegal_transition"
        await supervisor.until(lambda _: len(supervisor.events) == 2)
        told = [msgspec.json.decode(e.data, type=p.Presence) for e in supervisor.events]
        assert [(one.staff, one.state) for one in told] == [("zhang", "available"), ("zhang", "not_ready")]
        listed = await supervisor.ask(p.TakeSnapshot, topic="presence")
        assert [msgspec.json.decode(row, type=p.Presence) for row in listed.rows] == [meal.presence]


async def test_a_dead_console_frees_its_agent(stack: Stack) -> None:
    async with stack.gateway(limits=QUICK):
        supervisor = await stack.desk("li", "presence")
        agent = await stack.desk("zhang")
        await agent.ask(p.SetPresence, state=PresenceState.AVAILABLE)
        await agent.cut()
        await supervisor.until(lambda _: len(supervisor.events) == 2)
        last = msgspec.json.decode(supervisor.events[-1].data, type=p.Presence)
        assert (last.staff, last.state, last.reason) == ("zhang", "offline", "lease")


async def test_a_hidden_page_that_sends_no_ping_keeps_its_agent(stack: Stack) -> None:
    """Browsers slow down the timers of hidden tabs; the sign of life below the page is enough."""
    async with stack.gateway(limits=QUICK):
        supervisor, agent = await stack.desk("li", "presence"), await stack.desk("zhang")
        await agent.ask(p.SetPresence, state=PresenceState.AVAILABLE)
        other = await stack.desk("zhao")
        await other.ask(p.SetPresence, state=PresenceState.AVAILABLE)
        await other.cut()
        await supervisor.until(lambda _: len(supervisor.events) == 3)
        freed = msgspec.json.decode(supervisor.events[-1].data, type=p.Presence)
        assert (freed.staff, freed.state) == ("zhao", "offline")
        listed = await supervisor.ask(p.TakeSnapshot, topic="presence")
        assert [msgspec.json.decode(row, type=p.Presence).staff for row in listed.rows] == ["zhang"]


async def test_one_console_of_two_is_enough_to_stay(stack: Stack) -> None:
    async with stack.gateway(limits=QUICK):
        supervisor = await stack.desk("li", "presence")
        first, second = await stack.desk("zhang"), await stack.desk("zhang")
        await first.ask(p.SetPresence, state=PresenceState.AVAILABLE)
        await first.cut()
        other = await stack.desk("zhao")
        await other.ask(p.SetPresence, state=PresenceState.AVAILABLE)
        await other.cut()
        await supervisor.until(lambda _: len(supervisor.events) == 3)
        await second.settle()
        listed = await supervisor.ask(p.TakeSnapshot, topic="presence")
        assert [msgspec.json.decode(row, type=p.Presence).staff for row in listed.rows] == ["zhang"]


def test_a_lease_is_judged_by_who_has_seen_for_a_whole_one_that_others_could_renew() -> None:
    sight, judged = NEVER_LOOKED, list[float]()
    for moment in (*range(0, 31, 2), *range(90, 113, 2)):  # an outage of a minute
        sight = looked(sight, now=moment, lease=10)
        judged += [moment] if may_judge(sight, lease=10) else []
    assert judged == [*range(10, 31, 2), *range(100, 113, 2)]


async def test_who_comes_back_first_after_an_outage_ends_no_lease_of_others(stack: Stack) -> None:
    """They could not be renewed either; their gateway comes back a moment later."""
    async with stack.gateway(limits=Limits(housekeeping=3600)):
        agent = await stack.desk("zhang")
        await agent.ask(p.SetPresence, state=PresenceState.AVAILABLE)
        await stack.pool.execute("UPDATE presence SET lease_until = now() - interval '50 seconds'")
        first = ConsoleStore(stack.pool)
        await first.keep_leases({}, lease=3600)
        assert await stack.pool.fetchval("SELECT state FROM presence") == "available"
        await first.keep_leases({}, lease=0)
        assert await stack.pool.fetchval("SELECT state FROM presence") == "offline", "nobody came back"
