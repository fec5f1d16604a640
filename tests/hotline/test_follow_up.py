"""回访: tries in different periods of the day, the last link, the unreachable rule, and where each answer leads."""

from __future__ import annotations

import itertools
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline import commands as c
from hotline.appeal import Citizen
from hotline.clocks import Clocks
from hotline.effects import effects_of
from hotline.errors import IllegalTransition, RuleViolation
from hotline.events import SYSTEM, TicketEvent
from hotline.follow_up import answer, next_try, next_way, period_at, settles, ways
from hotline.ids import TicketId
from hotline.policy import FollowUpRules
from hotline.rating import commands_of
from hotline.supervision import Supervision
from hotline.terms import Channel, ClockName, Rating, State, TryResult, Way
from hotline.ticket import Ticket, evolve
from hotline.timers import next_attention, next_look
from tests.hotline.test_timers import MINUTE, MONDAY, POLICY, after, at, dispatched, opened, swept

RULES = FollowUpRules()
MISSED = c.RecordTry(result=TryResult.NO_ANSWER)


def replied(channel: Channel = Channel.CALL, citizen: Citizen | None = None, **changes: object) -> Ticket:
    ticket = dispatched()
    if citizen is not None:
        ticket = msgspec.structs.replace(ticket, appeal=msgspec.structs.replace(ticket.appeal, citizen=citizen))
    ticket = msgspec.structs.replace(ticket, channel=channel, **changes)
    return after(ticket, c.Sign(), c.RecordContact(), c.Reply(internal="已修", public="已修好"), c.AcceptReply())


PHONE = "+8613800138000"
CITIZENS = {
    "call": (Channel.CALL, Citizen(phone=PHONE, key=PHONE), (Way.PHONE,)),
    "wechat": (Channel.WECHAT, Citizen(key="openid"), (Way.WECHAT,)),
    "wechat with phone": (Channel.WECHAT, Citizen(key="openid", phone=PHONE), (Way.WECHAT, Way.PHONE)),
    "app": (Channel.APP, Citizen(phone=PHONE, key=PHONE), (Way.APP, Way.PHONE)),
    "chat": (Channel.WEB, Citizen(key="chat:abc"), (Way.WEB,)),
    "form with phone": (Channel.WEB, Citizen(phone=PHONE, key=PHONE), (Way.PHONE,)),
    "nobody": (Channel.WEB, Citizen(), ()),
    "police": (Channel.POLICE, Citizen(key="J1"), ()),
}


@pytest.mark.parametrize("name", CITIZENS)
def test_how_a_citizen_is_asked(name: str) -> None:
    channel, citizen, expected = CITIZENS[name]
    ticket = replied(channel, citizen)
    assert ways(ticket) == expected
    assert next_way(ticket) == (expected[0] if expected else None)


def test_the_plan_holds_three_periods_within_two_working_days() -> None:
    ticket = replied()  # Monday 9:00
    assert ticket.clocks.follow_up_due == at("2026-03-11 17:30")
    seen = []
    now = MONDAY
    while ticket.clocks.follow_up_next is not None:
        now = ticket.clocks.follow_up_next
        seen.append(f"{now:%m-%d %H:%M}")
        ticket = after(ticket, MISSED, now=now)
    assert seen == ["03-09 09:00", "03-09 14:30", "03-09 19:00"]
    assert ticket.clocks.tried == (0, 1, 2)
    with pytest.raises(RuleViolation, match="last link"):
        after(ticket, MISSED, now=now)
    ended, [fact] = swept(ticket, at("2026-03-10 17:30"))
    assert isinstance(fact, c.SettleFollowUp)
    assert fact.unreachable
    assert (ended.state, ended.rating, ended.solved) == (State.CLOSED, None, None)


def test_a_second_try_in_the_same_period_counts_once() -> None:
    ticket = after(replied(), MISSED, MISSED, now=at("2026-03-09 09:30"))
    assert ticket.clocks.tried == (0,)
    assert ticket.clocks.follow_up_next == at("2026-03-09 14:30")
    night = after(ticket, MISSED, now=at("2026-03-09 22:00"))
    assert night.clocks.tried == (0,)
    assert night.clocks.follow_up_next == at("2026-03-10 14:30")


@pytest.mark.parametrize("result", [TryResult.WRONG_NUMBER, TryResult.REFUSED])
def test_after_a_wrong_number_or_a_refusal_nobody_calls_again(result: TryResult) -> None:
    ticket = after(replied(), c.RecordTry(result=result))
    assert ticket.clocks.follow_up_next is None
    assert swept(ticket, at("2026-03-10 17:30"))[0].state is State.CLOSED


def test_who_left_no_trace_is_unreachable_when_the_follow_up_is_due() -> None:
    ticket = replied(Channel.WEB, Citizen())
    assert next_attention(ticket) == ticket.clocks.follow_up_due == at("2026-03-11 17:30")
    assert swept(ticket, at("2026-03-11 17:30"))[0].state is State.CLOSED


def test_who_is_known_after_all_is_asked() -> None:
    """The end of the wait was refused for want of tries, again and again: no light, no call, and never closed."""
    nobody = replied(*CITIZENS["nobody"][:2])
    known = after(nobody, c.Correct(citizen=Citizen(phone=PHONE)), now=at("2026-03-09 12:00"))
    assert known.clocks.follow_up_next == at("2026-03-09 14:30")
    assert (known.clocks.wait_until, known.clocks.follow_up_due) == (None, nobody.clocks.follow_up_due)
    late, _ = swept(known, at("2026-03-12 09:00"))
    assert (late.state, late.lights) == (State.PENDING_FOLLOW_UP, {"follow_up_red"})
    again = after(known, MISSED, c.Correct(citizen=Citizen(phone="+8613912345678")), now=at("2026-03-09 15:00"))
    assert again.clocks.follow_up_next == at("2026-03-09 19:00")


def test_a_wait_ends_by_the_periods_that_it_began_with() -> None:
    """A city that has one period more from today on kept them open for ever."""
    waits = after(replied(), c.RecordTry(result=TryResult.REFUSED))
    waits = msgspec.structs.replace(waits, clocks=msgspec.structs.replace(waits.clocks, tried=(0, 1)))
    assert swept(waits, at("2026-03-12 09:00"))[0].state is State.CLOSED


def test_a_try_that_was_planned_is_made_though_the_city_has_fewer_periods_now() -> None:
    """It was refused, as if all had been made, and no wait began."""
    planned = replied(*CITIZENS["chat"][:2])
    planned = msgspec.structs.replace(planned, clocks=msgspec.structs.replace(planned.clocks, tried=(0, 1, 2)))
    waits, _ = swept(planned, at("2026-03-20 09:00"))
    assert waits.clocks.wait_until == at("2026-03-23 17:30")
    assert swept(waits, at("2026-03-24 09:00"))[0].state is State.CLOSED


def test_links_are_sent_by_time_itself_in_three_periods() -> None:
    ticket, sent = replied(Channel.WECHAT, Citizen(key="openid")), []
    while ticket.state is State.PENDING_FOLLOW_UP:
        now = next_attention(ticket)
        assert now is not None
        ticket, facts = swept(ticket, now)
        sent += [f"{now:%m-%d %H:%M}" for fact in facts if isinstance(fact, c.RecordTry)]
    assert sent == ["03-09 09:00", "03-09 14:30", "03-09 19:00"]


@pytest.mark.parametrize(("back", "sent"), [
    ("2026-03-10 22:15", "2026-03-11 09:00"),  # by night: the next morning
    ("2026-03-11 03:00", "2026-03-11 09:00"),
    ("2026-03-11 08:59", "2026-03-11 09:00"),
    ("2026-03-11 09:00", "2026-03-11 09:00"),
    ("2026-03-11 11:29", "2026-03-11 11:29"),
    ("2026-03-11 11:30", "2026-03-11 14:30"),  # a period's end is no longer of it
    ("2026-03-14 10:00", "2026-03-16 09:00"),  # on a Saturday
    ("2026-05-09 10:00", "2026-05-09 10:00"),  # on one that is worked
    ("2026-10-01 10:00", "2026-10-08 09:00"),  # National Day
])
def test_a_link_whose_moment_passed_in_an_outage_is_sent_by_day(back: str, sent: str) -> None:
    now = at(back)
    ticket, facts = swept(replied(Channel.WECHAT, Citizen(key="openid")), now)  # planned for the Monday
    if not any(isinstance(fact, c.RecordTry) for fact in facts):
        now = next_look(ticket, now, POLICY) or now
        ticket, facts = swept(ticket, now)
    assert now == at(sent)
    assert len([fact for fact in facts if isinstance(fact, c.RecordTry)]) == len(ticket.clocks.tried) == 1


def test_a_link_that_waits_for_the_day_holds_up_no_light() -> None:
    ticket, facts = swept(replied(Channel.WECHAT, Citizen(key="openid")), at("2026-03-11 22:00"))
    assert [(f.clock, f.quiet) for f in facts if isinstance(f, c.ShowLight)] == [(ClockName.FOLLOW_UP, False)]
    assert next_look(ticket, at("2026-03-11 22:00"), POLICY) == at("2026-03-12 09:00")


def test_a_link_waits_for_a_period_that_was_not_tried() -> None:
    ticket = after(replied(Channel.WECHAT, Citizen(key="openid")), c.RecordTry(result=TryResult.SENT, way=Way.WECHAT))
    assert swept(ticket, at("2026-03-10 10:00"))[1] == []
    assert next_look(ticket, at("2026-03-10 10:00"), POLICY) == at("2026-03-10 14:30")


def test_unreachable_needs_all_the_tries() -> None:
    unreachable = c.SettleFollowUp(solved=None, unreachable=True)
    with pytest.raises(RuleViolation, match="every period"):
        after(replied(), unreachable)
    with pytest.raises(RuleViolation, match="no rating"):
        after(replied(), c.SettleFollowUp(rating=Rating.SATISFIED, unreachable=True))
    with pytest.raises(RuleViolation, match="say the rating"):
        after(replied(), c.SettleFollowUp(solved=None))


def test_after_the_last_call_an_sms_with_a_link_follows() -> None:
    ticket = after(replied(), MISSED, now=at("2026-03-09 09:30"))
    ticket = after(ticket, MISSED, now=at("2026-03-09 15:00"))
    assert messages(ticket, MISSED, at("2026-03-09 15:00")) == []
    [letter] = messages(ticket, MISSED, at("2026-03-09 19:00"))
    assert (letter.channel, letter.to, letter.rating) == (Channel.CALL, PHONE, True)


def test_who_refused_a_call_is_not_told_that_nobody_could_reach_them() -> None:
    refused = c.RecordTry(result=TryResult.REFUSED)
    [letter] = messages(replied(), refused, at("2026-03-09 09:30"))
    assert (letter.rating, "未能接通" in letter.text) == (True, False)
    nobody = c.SettleFollowUp(solved=None, unreachable=True)
    [ended] = messages(after(replied(), refused), nobody, at("2026-03-10 18:00"))
    assert "诉求已办结" in ended.text
    assert "未能联系" not in ended.text


def messages(ticket: Ticket, command: c.Command, now: object) -> list:
    later = after(ticket, command, now=now)  # type: ignore[arg-type]
    event = TicketEvent(version=later.version, at=now, actor=None, fact=command, state=later.state)  # type: ignore[arg-type]
    return list(effects_of(later, event, signature="东莞12345").messages)


# ── answers ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("rating", "solved"), list(itertools.product([None, *Rating], [None, True, False])))
def test_where_every_answer_leads(rating: Rating | None, solved: bool | None) -> None:
    """Satisfied or solved closes; else the matter is redone, the second time supervised, and then told as it is."""
    ticket = replied()
    if rating is None and solved is None:
        return
    for redos in range(3):
        found = answer(ticket, rating, solved, "", Way.SMS, POLICY)
        assert isinstance(found, c.SettleFollowUp) == (settles(rating, solved) or redos == 2)
        ticket = after(ticket, found)
        assert (ticket.rating, ticket.solved) == (rating, solved), "as it was said, wherever it leads"
        if ticket.state is State.CLOSED:
            return
        ticket = after(ticket, c.Redispatch())
        assert ticket.supervision is (Supervision.LEVEL_1 if redos == 1 else Supervision.NONE)
        ticket = after(ticket, c.Sign(), c.RecordContact(), c.Reply(internal="x", public="y"), c.AcceptReply())
    pytest.fail("the third answer closes")


def test_whether_it_is_solved_is_said_not_left_out() -> None:
    """Left out it counted as solved: nobody settles so any more, and what was settled so is read as it was meant."""
    for rating in (None, *Rating):
        for left_out in (c.SettleFollowUp(rating=rating), c.DisputeFollowUp(rating=rating)):
            with pytest.raises(RuleViolation, match="say `solved`"):
                after(replied(), left_out)
    for old, solved in ((b'{"type":"settle_follow_up","rating":"satisfied"}', True),
                        (b'{"type":"dispute_follow_up","rating":"dissatisfied"}', False)):
        ticket = replied()
        event = TicketEvent(
            version=ticket.version + 1, at=MONDAY, actor=SYSTEM, fact=msgspec.json.decode(old, type=c.Command),
            state=State.CLOSED,
        )
        assert evolve(ticket, event).solved is solved
        assert msgspec.json.encode(event.fact) == old
    for said in (c.SettleFollowUp(solved=True), c.DisputeFollowUp(solved=False)):
        assert b'"solved":' in msgspec.json.encode(said), "no longer the same as nothing"


def test_a_dispute_says_what_is_wrong() -> None:
    with pytest.raises(RuleViolation, match="say the rating"):
        after(replied(), c.DisputeFollowUp(solved=None))
    with pytest.raises(RuleViolation, match="is settled"):
        after(replied(), c.DisputeFollowUp(rating=Rating.DISSATISFIED, solved=True))
    unsaid = after(replied(), c.DisputeFollowUp(rating=Rating.DISSATISFIED, solved=None))
    assert (unsaid.state, unsaid.solved) == (State.REDO, None)


def test_a_bad_answer_is_not_settled_before_it_was_redone() -> None:
    bad = c.SettleFollowUp(rating=Rating.DISSATISFIED, solved=False)
    with pytest.raises(RuleViolation, match="redone"):
        after(replied(), bad)
    with pytest.raises(RuleViolation, match="redone 2 times"):
        after(msgspec.structs.replace(replied(), redos=2), c.DisputeFollowUp(rating=Rating.DISSATISFIED, solved=False))


def test_a_bad_answer_told_by_another_city_is_settled_as_it_is() -> None:
    """That city redoes it, and hands it over anew."""
    theirs = msgspec.structs.replace(replied(), channel=Channel.CITY)
    closed = after(theirs, c.SettleFollowUp(rating=Rating.DISSATISFIED, solved=False))
    assert (closed.state, closed.rating, closed.solved) == (State.CLOSED, Rating.DISSATISFIED, False)
    assert after(theirs, c.SettleFollowUp(solved=None, unreachable=True)).solved is None


def test_a_bad_rating_of_what_is_over_calls_a_supervisor_once() -> None:
    closed = after(opened(), c.Answer(text="好"), c.Close())
    told = commands_of(closed, Rating.DISSATISFIED, None, "没有解决", Way.SMS, POLICY)
    assert [c.tag_of(type(one)) for one in told] == ["rate", "raise_alarm"]
    rated = after(closed, *told)
    assert commands_of(rated, Rating.DISSATISFIED, None, "", Way.SMS, POLICY) == ()
    assert len(commands_of(rated, Rating.VERY_DISSATISFIED, None, "", Way.SMS, POLICY)) == 1
    assert len(commands_of(closed, Rating.SATISFIED, True, "", Way.SMS, POLICY)) == 1
    with pytest.raises(IllegalTransition):
        commands_of(opened(), Rating.SATISFIED, True, "", Way.SMS, POLICY)


def test_a_bad_rating_of_what_was_reopened_calls_a_supervisor_again() -> None:
    """The same words of the citizen about another answer are no repeat."""
    closed = after(opened(), c.Answer(text="好"), c.Close())
    bad = (Rating.DISSATISFIED, None, "没有解决", Way.SMS, POLICY)
    reopened = after(closed, *commands_of(closed, *bad), c.Reopen(reason="诉求人不满意"))
    assert (reopened.rating, reopened.solved, reopened.alarms) == (None, None, frozenset())
    again = after(reopened, c.Answer(text="再次答复"), c.Close())
    assert [c.tag_of(type(one)) for one in commands_of(again, *bad)] == ["rate", "raise_alarm"]


def test_a_bad_rating_of_what_was_merged_calls_a_supervisor_and_again_once_it_went_its_own_way() -> None:
    bad = (Rating.DISSATISFIED, None, "我家还是没水", Way.SMS, POLICY)
    merged = after(opened(), c.Merge(parent=TicketId(1)))
    told = commands_of(merged, *bad)
    assert [c.tag_of(type(one)) for one in told] == ["rate", "raise_alarm"]
    alone = after(merged, *told, c.Unmerge())
    assert (alone.rating, alone.solved, alone.alarms) == (None, None, frozenset())
    again = after(alone, c.Answer(text="已单独答复"))
    assert [c.tag_of(type(one)) for one in commands_of(again, *bad)] == ["rate", "raise_alarm"]


def test_words_that_come_after_a_rating_are_kept() -> None:
    """Rated by the link in the SMS, without a word; the words come by the page, at the same level."""
    rated = after(replied(), *commands_of(replied(), Rating.SATISFIED, True, "", Way.SMS, POLICY))
    [told] = commands_of(rated, Rating.SATISFIED, None, "师傅很耐心", Way.WEB, POLICY)
    assert told == c.Rate(rating=Rating.SATISFIED, note="师傅很耐心")
    noted = after(rated, told)
    for repeat in ("师傅很耐心", ""):
        assert commands_of(noted, Rating.SATISFIED, True, repeat, Way.WEB, POLICY) == ()
    [more] = commands_of(noted, Rating.SATISFIED, True, "就是来得晚", Way.WEB, POLICY)
    assert more == c.Rate(rating=Rating.SATISFIED, solved=True, note="就是来得晚")
    disputed = after(replied(), c.DisputeFollowUp(rating=Rating.DISSATISFIED, solved=False, note="没修好"))
    assert commands_of(disputed, Rating.DISSATISFIED, False, "没修好", Way.SMS, POLICY) == ()
    assert after(disputed, c.Redispatch()).rating_note == ""


# ── planning ─────────────────────────────────────────────────────────────────────────────────────
@given(st.integers(0, 400 * 24 * 60), st.sets(st.integers(0, 2)))
def test_a_try_is_planned_in_an_untried_period_of_a_working_day(minutes: int, tried: set[int]) -> None:
    now = MONDAY + minutes * MINUTE
    found = next_try(now, tuple(sorted(tried)), RULES, POLICY.calendar)
    if len(tried) == 3:
        assert found is None
        return
    assert found is not None
    assert found >= now
    assert period_at(found, RULES) not in {None, *tried}
    assert POLICY.calendar.is_working_day(found.date())
    assert found - now < timedelta(days=12)


def test_the_clocks_of_a_redo_forget_the_tries() -> None:
    ticket = after(replied(), MISSED, now=at("2026-03-09 09:30"))
    again = after(ticket, c.DisputeFollowUp(rating=Rating.DISSATISFIED, solved=False), c.Redispatch())
    assert (again.clocks.tried, again.clocks.follow_up_next, again.clocks.follow_up_due) == ((), None, None)
    assert Clocks().tried == ()
