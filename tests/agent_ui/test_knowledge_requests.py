"""What consoles get of the knowledge base: suggestions, a search, an article; for everybody who works on tickets."""

from __future__ import annotations

import pytest

from agent_ui import protocol as p
from tests.agent_ui.stack import Stack
from tests.hotline.test_knowledge import SEEDS, WANG, plant


@pytest.mark.parametrize("name", ["zhang", "li", "wang"])
async def test_articles_that_fit(stack: Stack, name: str) -> None:
    await plant(stack.library, WANG, SEEDS[:15])
    async with stack.gateway():
        agent = await stack.desk(name)
        hits = (await agent.ask(p.Consult, text="南城鸿福路的路灯坏了三天", l1="03")).hits
        assert hits[0].title == "路灯不亮怎么报修"
        assert [hit.id for hit in (await agent.ask(p.Consult, text="路灯", words=True)).hits][:1] == [hits[0].id]
        article = (await agent.ask(p.ReadArticle, article=hits[0].id)).article
        assert (article.version, [act.act for act in article.acts]) == (1, ["written", "published"])
        assert (await agent.ask(p.ReadArticle, article=10**9)).error_id == "not_found"


async def test_administrators_do_not_work_on_tickets(stack: Stack) -> None:
    async with stack.gateway():
        admin = await stack.desk("root")
        assert (await admin.ask(p.Consult, text="路灯")).error_id == "forbidden"
