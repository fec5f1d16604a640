"""What a console asks of likeness: proposals with reasons, dismissing one, hot spots; not for departments."""

from __future__ import annotations

from agent_ui import protocol as p
from hotline.store.likeness import compare_all
from tests.agent_ui.stack import Stack
from tests.triage.test_cluster import clusterer

SAME = ("大朗镇巷头社区从昨晚停水到现在,没有通知", "大朗巷头这边自来水一滴都没有")


async def test_an_agent_sees_proposals_with_reasons_and_dismisses_one(stack: Stack) -> None:
    async with stack.gateway():
        agent = await stack.desk("zhang")
        first, second = [(await stack.appeal(text)).number for text in SAME]
        await compare_all(stack.pool, clusterer().tell)
        [found] = (await agent.ask(p.FindSimilar, number=second)).similar
        assert found.number == first
        assert any("停水" in reason for reason in found.reasons)
        assert b'"number"' in bytes(found.summary)
        assert (await agent.ask(p.DismissSimilar, number=first, other=second)).number == first
        assert (await agent.ask(p.FindSimilar, number=second)).similar == ()
        again = await agent.ask(p.DismissSimilar, number=first, other=second)
        assert again.error_id == "not_found"


async def test_hot_spots_are_listed(stack: Stack) -> None:
    async with stack.gateway():
        agent = await stack.desk("li")
        assert (await agent.ask(p.ListHotSpots)).hotspots == ()


async def test_departments_ask_nothing_of_it(stack: Stack) -> None:
    async with stack.gateway():
        department = await stack.desk("wang")
        for ask, given in ((p.FindSimilar, {"number": "DG1"}), (p.ListHotSpots, {})):
            assert (await department.ask(ask, **given)).error_id == "forbidden"
