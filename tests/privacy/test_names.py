"""A name that was put right is hidden like the right one: texts were written while it was the citizen's."""

from __future__ import annotations

import asyncpg
import msgspec
import pytest

from agent_ui.protocol import Open
from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.decide import decide, receive
from hotline.events import Actor, Role
from hotline.family_news import news_of
from hotline.ids import TicketNumber
from hotline.neighbours import NeighbourKind, hand_over_of
from hotline.personal import personal_data
from hotline.privacy import hidden
from hotline.progress import shown_reply
from hotline.terms import Channel, State
from hotline.ticket import Ticket, replay
from tests.cities import NOW, STREET_LIGHT
from tests.hotline.test_intake import inbound
from tests.hotline.test_timers import POLICY
from tests.privacy.house import intake
from tests.privacy.test_learnt import AGENT, act
from tests.privacy.test_looks import LI, UNIT, Desk

NAMES = ("张三", "李四", "张三丰")
TEXT = "我是张三,户主李四,后来叫张三丰"
RIGHT = [c.Correct(citizen=Citizen(name=name)) for name in NAMES[1:]]


def named(text: str) -> list[str]:
    return [name for name in NAMES if name in text]


def a_ticket(**changes: object) -> Ticket:
    """Return a ticket whose citizen's name was put right twice."""
    first = receive(
        number="DG20260309200000015", channel=Channel.WEB, now=NOW, policy=POLICY, triage=STREET_LIGHT,
        appeal=Appeal(text=TEXT, citizen=Citizen(name=NAMES[0])),
    )
    events = [first.event]
    for one in RIGHT:
        events.append(decide(replay(events), one, now=NOW, policy=POLICY, actor=AGENT).event)
    return replay(events)


@pytest.mark.parametrize("confidential", [False, True])
async def test_no_name_that_was_ever_told_stands_in_rows_events_or_what_is_shown(
    pool: asyncpg.Pool, confidential: bool
) -> None:
    appeal = Appeal(text=TEXT, title=TEXT, citizen=Citizen(name=NAMES[0]), confidential=confidential)
    async with intake(pool) as taking:
        number = (await taking.submit(inbound(key="a", appeal=appeal))).number
    await act(pool, number, *RIGHT, c.AddNote(text=TEXT), c.Accept(), c.Dispatch(lead="城管局"))
    rows = await pool.fetch(
        "SELECT summary FROM tickets UNION ALL "
        "SELECT summary || doc FROM ticket_events WHERE type IN ('add_note', 'dispatch')"
    )
    assert [named(row["summary"]) for row in rows] == [[], [], []]
    for staff in (LI, UNIT):
        shown = (await Desk(pool).ask(staff, Open(id=1, number=number))).opened
        text = b"".join(map(bytes, (shown.ticket, *shown.events))).decode()
        assert named(text) == []
        assert '"names"' not in text


def test_nor_in_what_citizens_and_neighbours_are_told() -> None:
    ticket = msgspec.structs.replace(a_ticket(), children=(TicketNumber("DG2"),))
    event = decide(ticket, c.Answer(text=TEXT), now=NOW, policy=POLICY, actor=Actor(Role.AGENT, "li"))
    told = [
        shown_reply(event.ticket), news_of(event.ticket, event.event, TEXT)[0].text,
        hand_over_of(ticket, [event.event], "k", NeighbourKind.GRID).text,
    ]
    assert event.ticket.state is State.ANSWERED
    assert [named(text) for text in told] == [[]] * len(told)
    assert personal_data("已回复张三", *ticket.names).certain == ("诉求人姓名张*",)


def test_a_longer_name_is_hidden_before_one_that_stands_in_it() -> None:
    assert hidden("张三丰、张三", "张三", "张三丰") == "张**、张*"


def test_whoever_was_told_twice_is_kept_once() -> None:
    assert a_ticket().names == NAMES
