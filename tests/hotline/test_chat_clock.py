"""Who writes on WeChat or in a chat is answered by a person within three minutes, or it shows and counts."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import product

import msgspec
import pytest

from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.decide import decide, receive
from hotline.events import SYSTEM, Actor, Role, TicketEvent
from hotline.ids import TicketId
from hotline.metrics import Metric
from hotline.summary import summarize
from hotline.sweep import caught_up
from hotline.tally import Tally
from hotline.terms import Channel, ClockName, Light, RejectReason, Service
from hotline.ticket import Ticket, replay
from tests.cities import STREET_LIGHT
from tests.hotline.test_timers import MONDAY, POLICY, RULES

AGENT, CITIZEN = Actor(Role.AGENT, "wang"), Actor(Role.CITIZEN)
CHAT, SECOND = Citizen(key="chat:ab12"), timedelta(seconds=1)
LIMIT, NIGHT = timedelta(minutes=3), MONDAY.replace(hour=2)
SAYS = c.AddMessage(text="在吗?")
ANSWERS: tuple[tuple[c.Command, ...], ...] = (
    (c.AddMessage(text="请稍候", inbound=False),), (c.AskInfo(question="在哪条路?"),), (c.Answer(text="已通知"),),
)
WORDLESS: tuple[tuple[c.Command, ...], ...] = (
    (c.Accept(), c.Dispatch(lead="城管局")), (c.Reject(reason=RejectReason.PRIVACY),),
    (c.HandOff(services=(Service.POLICE,)),), (c.Merge(parent=TicketId(7)),),
)
SILENCE = (c.Claim(agent="wang"), c.Accept(), c.AddNote(text="记"), SAYS, c.Correct(title="路灯"))


class Talk:
    """A conversation from its first message on."""

    def __init__(self, channel: Channel = Channel.WEB, citizen: Citizen = CHAT) -> None:
        first = receive(
            number="DG20260309200000015", channel=channel, appeal=Appeal(text="路灯不亮", citizen=citizen),
            triage=STREET_LIGHT, now=NIGHT, policy=POLICY,
        )
        self.events = [first.event]

    @property
    def ticket(self) -> Ticket:
        return replay(self.events)

    def happens(self, after: timedelta, *commands: c.Command, actor: Actor = AGENT) -> Talk:
        for command in commands:
            self.events.append(decide(self.ticket, command, now=NIGHT + after, policy=POLICY, actor=actor).event)
        return self

    def counted(self, after: timedelta) -> tuple[int, int]:
        """Return numerator and denominator as they stand then."""
        return counted(self.events, after)


def counted(events: list[TicketEvent], after: timedelta) -> tuple[int, int]:
    tally, found = Tally(), Counter[str]()
    for event in events:
        tally.apply(event)
    for (key, column), n in tally.share(NIGHT + after).counts.items():
        found[column] += n * (key.grain == "day")
    return found[f"{Metric.CHAT_ANSWERED}_num"], found[f"{Metric.CHAT_ANSWERED}_den"]


@pytest.mark.parametrize(("channel", "citizen", "talks"), [
    (Channel.WEB, CHAT, True), (Channel.WECHAT, Citizen(key="open-id"), True), (Channel.WEB, Citizen(), False),
    (Channel.CALL, Citizen(key="+8613800138000"), False), (Channel.APP, Citizen(key="device"), False),
])
def test_who_sits_in_a_conversation_is_answered_in_three_minutes_day_and_night(
    channel: Channel, citizen: Citizen, talks: bool
) -> None:
    clocks = Talk(channel, citizen).ticket.clocks
    assert clocks.chat_due == (NIGHT + LIMIT if talks else None)
    assert clocks.chat_yellow == (NIGHT + timedelta(seconds=144) if talks else None)


@pytest.mark.parametrize("after", [SECOND, LIMIT, LIMIT + SECOND])
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer[-1]).__name__)
def test_a_word_of_a_person_ends_it_and_counts_in_time_up_to_its_end(
    answer: tuple[c.Command, ...], after: timedelta
) -> None:
    talk = Talk().happens(after, *answer)
    assert talk.ticket.clocks.chat_due is None
    assert talk.counted(timedelta(days=1)) == (int(after <= LIMIT), 1)


@pytest.mark.parametrize(("what", "actor", "after"), [
    *product(WORDLESS, [SYSTEM, AGENT], [SECOND, LIMIT + SECOND]), *product(ANSWERS[:1], [SYSTEM], [SECOND]),
], ids=repr)
def test_what_is_done_without_a_word_of_a_person_is_no_answer(
    what: tuple[c.Command, ...], actor: Actor, after: timedelta
) -> None:
    talk = Talk().happens(after, *what, actor=actor)
    assert talk.ticket.clocks.chat_due is None
    assert talk.counted(timedelta(days=1)) == (0, int(after > LIMIT)), "who was kept waiting stays so"


@pytest.mark.parametrize("what", SILENCE, ids=lambda what: type(what).__name__)
def test_what_tells_the_citizen_nothing_does_not_end_it_and_more_words_start_none_anew(what: c.Command) -> None:
    talk = Talk().happens(2 * SECOND, what, actor=CITIZEN if what is SAYS else AGENT)
    assert talk.ticket.clocks.chat_due == NIGHT + LIMIT
    assert talk.counted(LIMIT) == (0, 0)
    assert talk.counted(LIMIT + SECOND) == (0, 1)


def test_each_message_after_an_answer_waits_anew() -> None:
    answer = ANSWERS[0][0]
    talk = Talk().happens(SECOND, answer).happens(timedelta(hours=1), SAYS, actor=CITIZEN)
    assert talk.ticket.clocks.chat_due == NIGHT + timedelta(hours=1) + LIMIT
    talk.happens(timedelta(hours=2), answer)
    assert talk.counted(timedelta(days=1)) == (1, 2)


def test_what_is_said_when_a_department_has_the_matter_starts_no_clock() -> None:
    talk = Talk().happens(SECOND, *WORDLESS[0]).happens(timedelta(hours=1), SAYS, actor=CITIZEN)
    assert talk.ticket.clocks.chat_due is None


def test_the_row_turns_yellow_then_red_and_goes_out_with_the_answer() -> None:
    ticket = Talk().ticket
    change = caught_up(ticket, rules=RULES, now=NIGHT + LIMIT)
    assert change is not None
    shown = [(f.clock, f.light) for d in change.decisions if isinstance(f := d.event.fact, c.ShowLight)]
    assert shown == [(ClockName.CHAT, Light.YELLOW), (ClockName.CHAT, Light.RED)]
    row = summarize(change.ticket, NIGHT)
    assert (row.due, row.lights) == (NIGHT + LIMIT, ("chat_red", "chat_yellow"))
    told = decide(change.ticket, ANSWERS[0][0], now=NIGHT + 2 * LIMIT, policy=POLICY, actor=AGENT).ticket
    assert summarize(told, NIGHT).lights == ()


def test_a_city_that_tells_no_time_has_no_such_clock() -> None:
    ticket = Talk().ticket
    slow = msgspec.structs.replace(POLICY, chat_answer=None)
    told = decide(ticket, ANSWERS[0][0], now=NIGHT, policy=slow, actor=AGENT).ticket
    assert decide(told, SAYS, now=NIGHT, policy=slow, actor=CITIZEN).ticket.clocks.chat_due is None
