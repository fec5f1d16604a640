"""Who learns what of a call: its agent, and the colleague who is asked, from the first ring to the end of it."""

from __future__ import annotations

from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.errors import IllegalTransition
from routing import call_words as m
from routing.call_news import CallNews, news_of
from routing.call_telling import Telling, tellings
from routing.callflow import step
from routing.calls import Call, Phase, Role
from tests.routing.test_callflow import ON_A_LEG, ORDERS, Story

CONSULT = m.Consult("li", "PJSIP/li", "available")
TRANSFER = m.Transfer("li", "PJSIP/li", "available")
CONFERENCE = m.Conference("li", "PJSIP/li", "available")


class Told(Story):
    """A story, and what everybody has been told of it."""

    def __init__(self, menu: dict[str, str] | None = None) -> None:
        super().__init__(menu)
        self.heard: list[Telling] = []

    def tell(self, *events: m.Happening) -> Self:
        for event in events:
            before: Call = self.call
            super().tell(event)
            self.heard += tellings(before, self.call)
        return self

    def to(self, name: str) -> list[Telling]:
        """What somebody was told, as their topic carries it."""
        return [one for one in self.heard if (one.colleague or one.call.agent) == name]


def told() -> Told:
    return Told().talking()


@pytest.mark.parametrize("order", [CONSULT, TRANSFER, CONFERENCE])
def test_who_is_asked_learns_who_calls_and_who_asks_as_soon_as_they_are_rung(order: m.Order) -> None:
    story = told().tell(order)
    [one] = story.to("li")
    assert (one.card, one.colleague) == (True, "li")
    news = news_of(one.call, colleague=one.colleague)
    assert (news.agent, news.colleague, news.phase) == ("wang", "li", Phase.TALKING)
    assert news.transferring is (order is TRANSFER)
    assert (news.held_since is not None) is (order is CONSULT)
    assert [(one.role, one.name, one.up) for one in news.parties if one.name == "li"] == [(Role.PARTY, "li", False)]
    assert "+8613800000000" not in str(news)


@pytest.mark.parametrize("order", [CONSULT, TRANSFER, CONFERENCE])
@pytest.mark.parametrize("end", ["returned", "rung out", "vanishes", "agent vanishes", "call over"])
def test_it_is_over_for_them_however_it_ends_before_they_answer(order: m.Order, end: str) -> None:
    story = told().tell(order)
    rung = story.channel(Role.PARTY)
    match end:
        case "returned":
            story.tell(m.DropParty())
        case "rung out":
            story.tell(m.RungOut(rung))
        case "vanishes":
            story.tell(m.Gone(rung))
        case "agent vanishes":
            story.gone(Role.AGENT)
        case _:
            story.tell(m.HangUp())
    if order is TRANSFER and end in ("agent vanishes", "call over"):  # it rings on for the citizen
        story.gone(Role.CITIZEN)
    *_, last = story.to("li")
    assert (last.call.phase, last.call.legs, last.call.agent, last.card) == (Phase.OVER, (), "wang", False)
    if story.call.legs:
        assert len(story.tell(m.Hold(), m.Resume()).to("li")) == 2, "they learn no more of it"


def test_a_consultation_that_is_answered_and_given_up_is_told_and_over() -> None:
    story = told().tell(CONSULT).up(Role.PARTY).tell(m.DropParty())
    first, up, over = story.to("li")
    assert [(one.card, one.colleague) for one in (first, up, over)] == [(True, "li"), (False, "li"), (False, "li")]
    assert next(leg.up for leg in up.call.legs if leg.role is Role.PARTY)
    assert over.call.phase is Phase.OVER
    again = story.tell(CONSULT)
    assert again.to("li")[-1].card, "asked once more, they learn once more who calls"


@pytest.mark.parametrize("way", ["transfer", "one touch", "leave", "phone lost"])
def test_who_takes_over_has_a_call_of_their_own_and_it_is_over_for_who_handed_it_on(way: str) -> None:
    story = told()
    match way:
        case "transfer":
            story.tell(CONSULT).up(Role.PARTY).tell(m.Transfer())
        case "one touch":
            story.tell(TRANSFER).up(Role.PARTY)
        case "leave":
            story.tell(CONFERENCE).up(Role.PARTY).tell(m.Leave())
        case _:
            story.tell(CONSULT).up(Role.PARTY).gone(Role.AGENT)
    assert story.to("wang")[-1].call.phase is Phase.OVER
    last = story.to("li")[-1]
    assert (last.colleague, last.call.agent, last.call.phase, last.card) == ("", "li", Phase.TALKING, True)


def test_an_outside_line_and_who_is_offline_are_told_nothing() -> None:
    for order in (m.Consult("110", "outside:110"), m.Consult("li", "PJSIP/li")):
        story = told().tell(order)
        assert {one.call.agent for one in story.heard} == {"wang"}
        assert not any(one.colleague for one in story.heard)


@settings(max_examples=300)
@given(st.lists(ORDERS | ON_A_LEG, max_size=30))
def test_whatever_happens_all_see_what_is(events: list[m.Happening | tuple[type, int]]) -> None:
    """Whoever follows what they are told knows their part in the call, and has been told who calls."""
    story, seen, carded = told(), dict[str, CallNews](), set[str]()
    for event in events:
        channels = ["c1", *(one.channel for one in story.of(m.Dial) if isinstance(one, m.Dial))]
        if isinstance(event, tuple):
            kind, which = event
            event = kind(channels[which % len(channels)])
        if isinstance(event, m.Brings) and event.name == story.call.agent:
            continue  # who is on a call is not claimed for it
        try:
            story.tell(event)
        except IllegalTransition:
            continue
        for one in story.heard:
            to = one.colleague or one.call.agent
            seen[to] = news_of(one.call, colleague=one.colleague)
            if one.card:
                carded.add(to)
        story.heard.clear()
        _agrees(story.call, seen, carded)


def _agrees(call: Call, seen: dict[str, CallNews], carded: set[str]) -> None:
    for name, news in seen.items():
        asked = news.phase is not Phase.OVER and bool(news.colleague)
        assert asked is (call.colleague == name)
        has = any(one.role is Role.AGENT and one.name == name for one in news.parties) and news.phase is not Phase.OVER
        assert has is any(leg.role is Role.AGENT and leg.name == name for leg in call.legs)
        assert name in carded
    assert not call.colleague or call.colleague in seen


def test_what_changes_nothing_that_is_seen_is_not_told() -> None:
    story = told()
    same, _ = step(story.call, m.Played("c1"), now=story.now)
    assert tellings(story.call, same) == ()


def test_those_who_see_to_alarms_learn_each_time_that_an_emergency_desk_does_not_pick_up() -> None:
    story = told().tell(m.Conference("110", "outside:110"))
    for silent in (("110",), ("110", "110")):
        story.tell(m.RungOut(story.channel(Role.PARTY)))
        alarms = [one for one in story.heard if one.topic == "alarms"]
        assert news_of(alarms[-1].call).unanswered == silent
        assert len(alarms) == len(silent)
    assert news_of(story.to("wang")[-1].call).unanswered == ("110", "110")
