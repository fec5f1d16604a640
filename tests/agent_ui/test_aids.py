"""What helps an agent to judge: terms, proposals by the directory, words that led to a category, who else looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from agent_ui import protocol as p
from agent_ui.aids import Looking, present, proposal_of
from hotline.errors import InvalidInput
from hotline.terms import Kind
from tests.agent_ui.stack import Desk, Stack
from tests.cities import RULES

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


def looks(desk: Desk) -> list[Looking]:
    """Return who the console was told to look, in order."""
    return [
        msgspec.convert(msgspec.json.decode(bytes(event.data)), Looking)  # type: ignore[arg-type]
        for frame in desk.frames if isinstance(frame, p.Events) for event in frame.events if event.type == "look"
    ]


async def test_two_agents_on_one_ticket_see_each_other(stack: Stack) -> None:
    async with stack.gateway():
        number = (await stack.appeal("路灯不亮")).number
        zhang, zhao = await stack.desk("zhang"), await stack.desk("zhao")
        await zhang.follow(f"ticket:{number}")
        assert (await zhang.ask(p.Look, number=number)).looking == ()
        [other] = (await zhao.ask(p.Look, number=number)).looking
        assert (other.staff, other.number) == ("zhang", number)
        await zhang.until(lambda _: any(look.staff == "zhao" for look in looks(zhang)))
        assert (await zhao.ask(p.Look, number=number, away=True)).number == number
        await zhang.until(lambda _: any(look.away for look in looks(zhang)))
        assert (await zhang.ask(p.Look, number=number)).looking == ()
        stack.clock.ahead += timedelta(minutes=2)
        assert (await zhao.ask(p.Look, number=number)).looking == (), "who is not heard for long has gone"
        stack.clock.ahead += timedelta(hours=1)
        await zhao.ask(p.Look, number=number)
        kept = await stack.pool.fetchval("SELECT count(*) FROM presence_events WHERE type = 'look'")
        assert kept == 1, "what nobody needs any more is deleted"


async def test_terms_proposals_and_words(stack: Stack) -> None:
    async with stack.gateway():
        agent = await stack.desk("zhang")
        number = (await stack.appeal("路灯不亮")).number
        assert "城管局" in (await agent.ask(p.ReadTerms)).terms.units
        proposal = (await agent.ask(p.Propose, l1="03", l2="路灯")).proposal
        assert (proposal.lead, proposal.sure) == ("城管局", True)
        assert proposal.reasons
        [word] = (await agent.ask(p.Explain, number=number, l1="03", l2="路灯")).evidence
        assert (word.text, word.rule) == ("路灯", "category:03路灯")
        assert (await agent.ask(p.Explain, number="DG0", l1="03", l2="路灯")).error_id == "not_found"


async def test_departments_may_read_terms_only(stack: Stack) -> None:
    async with stack.gateway():
        unit = await stack.desk("wang")
        assert (await unit.ask(p.ReadTerms)).terms.city == "东莞"
        for ask, given in (
            (p.Propose, {"l1": "03", "l2": "路灯"}), (p.Look, {"number": "DG1"}),
            (p.Explain, {"number": "DG1", "l1": "03", "l2": "路灯"}),
        ):
            assert (await unit.ask(ask, **given)).error_id == "forbidden"


def test_a_category_that_the_directory_does_not_know_is_for_a_person() -> None:
    proposal = proposal_of(RULES.directory, "99", "没有", Kind.OTHER, ())
    assert (proposal.lead, proposal.sure) == ("", False)
    assert proposal.reasons
    with pytest.raises(InvalidInput, match="火星"):
        proposal_of(RULES.directory, "03", "路灯", Kind.OTHER, ("火星",))


def test_the_last_word_on_each_counts() -> None:
    said = [
        Looking(staff="a", number="1", at=NOON, away=True), Looking(staff="a", number="1", at=NOON + timedelta(1)),
        Looking(staff="b", number="1", at=NOON + timedelta(2), away=True), Looking(staff="b", number="1", at=NOON),
        Looking(staff="me", number="1", at=NOON),
    ]
    assert [look.staff for look in present(said, but="me")] == ["a"]
    assert {look.staff for look in present(said, but="")} == {"a", "me"}
