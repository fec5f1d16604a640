"""What time does to a ticket: each threshold once, in its order, at its moment; nothing comes again and again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.city import load_city
from hotline.deadlines import ZONE
from hotline.decide import decide, receive
from hotline.errors import HotlineError, RuleViolation
from hotline.ids import TicketId
from hotline.lifecycle import OPEN_STATES
from hotline.opening import CityRules
from hotline.summary import summarize
from hotline.supervision import Supervision
from hotline.sweep import caught_up
from hotline.terms import Channel, ClockName, Kind, Light, Priority, RejectReason, Service, State, TryResult
from hotline.ticket import Ticket, replay
from hotline.timers import due_command, next_attention, next_look, thresholds
from tests.cities import DIRECTORY, PRIORITIES, STREET_LIGHT
from tests.hotline.test_decide import SIDE_EXAMPLES
from tests.hotline.test_lifecycle import EXAMPLES

POLICY = load_city(Path("cities/441900")).policy
RULES = CityRules(signature="东莞12345", prefix="DG", policy=POLICY, directory=DIRECTORY, priorities=PRIORITIES)
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


MONDAY = at("2026-03-09 09:00")  # an ordinary week: no holiday within three weeks


def opened(kind: Kind = Kind.COMPLAINT, priority: Priority = Priority.P3, now: datetime = MONDAY) -> Ticket:
    triage = msgspec.structs.replace(STREET_LIGHT, kind=kind, priority=priority)
    appeal = Appeal(text="路灯不亮", citizen=Citizen(phone="+8613800138000", key="+8613800138000"))
    return receive(
        number="DG20260309100000015", channel=Channel.CALL, appeal=appeal, triage=triage, now=now, policy=POLICY,
    ).ticket


def after(ticket: Ticket, *commands: c.Command, now: datetime = MONDAY) -> Ticket:
    for command in commands:
        ticket = decide(ticket, command, now=now, policy=POLICY).ticket
    return ticket


def dispatched(kind: Kind = Kind.COMPLAINT, priority: Priority = Priority.P3) -> Ticket:
    return after(opened(kind, priority), c.Accept(), c.Dispatch(lead="城管局"))


def swept(ticket: Ticket, now: datetime) -> tuple[Ticket, list[c.Command]]:
    change = caught_up(ticket, rules=RULES, now=now)
    return (ticket, []) if change is None else (change.ticket, [d.event.fact for d in change.decisions])  # type: ignore[misc]


# ── lights ───────────────────────────────────────────────────────────────────────────────────────
def test_the_lights_of_an_ordinary_complaint_come_at_moments_worked_out_by_hand() -> None:
    clocks = dispatched().clocks
    assert clocks.sign_due == at("2026-03-09 11:00")
    assert clocks.sign_yellow == at("2026-03-09 10:36")  # 96 of 120 working minutes
    assert clocks.contact_due == at("2026-03-09 14:30")
    assert clocks.contact_yellow == at("2026-03-09 11:48")  # 168 of 210
    assert clocks.completion_due == at("2026-03-23 17:30")
    # Monday 9:00 to the Monday after the next 17:30: 10 × 7 h and 6.5 h = 4,590 minutes; 80 % are 3,672:
    # the first day's 390, seven days, and 342 minutes
    assert clocks.completion_yellow == at("2026-03-19 16:12")
    assert clocks.supervise_at == clocks.completion_due


def test_urgent_clocks_run_day_and_night() -> None:
    night = at("2026-03-07 23:00")  # a Saturday
    clocks = after(opened(priority=Priority.P1, now=night), c.Accept(), c.Dispatch(lead="城管局"), now=night).clocks
    assert clocks.sign_due == night + 15 * MINUTE
    assert clocks.sign_yellow == night + 12 * MINUTE
    assert (clocks.on_site_yellow, clocks.on_site_due) == (night + 48 * MINUTE, night + 60 * MINUTE)
    assert clocks.completion_yellow == night + 96 * MINUTE


def test_who_is_to_be_on_site_is_waited_for_until_they_are() -> None:
    urgent = after(dispatched(priority=Priority.P1), c.Sign(), c.RecordContact())
    late, facts = swept(urgent, MONDAY + 61 * MINUTE)
    assert [(f.clock, f.light) for f in facts if isinstance(f, c.ShowLight)] == [
        (ClockName.ON_SITE, Light.YELLOW), (ClockName.ON_SITE, Light.RED)
    ]
    there = after(urgent, c.RecordArrival(note="已到场警戒"), now=MONDAY + 40 * MINUTE)
    assert there.clocks.arrived_at == MONDAY + 40 * MINUTE
    assert swept(there, MONDAY + 61 * MINUTE)[1] == []
    with pytest.raises(RuleViolation, match="recorded already"):
        after(there, c.RecordArrival())
    again = after(late, c.TakeBack(reason="派错单位"), c.Dispatch(lead="住建局"), now=MONDAY + 70 * MINUTE)
    assert again.clocks.on_site_due == MONDAY + 130 * MINUTE
    assert not {"on_site_yellow", "on_site_red"} & again.lights


def test_each_light_is_shown_once_and_at_its_moment() -> None:
    ticket, seen, now = dispatched(), list[tuple[str, str]](), MONDAY
    while (at_ := next_attention(ticket)) is not None and at_ < at("2026-03-24 09:00"):
        assert at_ >= now
        now = at_
        ticket, facts = swept(ticket, now)
        assert facts, "what is due does something"
        seen += [(f"{f.clock}_{f.light}", f"{now:%m-%d %H:%M}") for f in facts if isinstance(f, c.ShowLight)]
    assert seen == [
        ("sign_yellow", "03-09 10:36"), ("sign_red", "03-09 11:00"), ("contact_yellow", "03-09 11:48"),
        ("contact_red", "03-09 14:30"), ("completion_yellow", "03-19 16:12"), ("completion_red", "03-23 17:30"),
    ]
    assert ticket.supervision is Supervision.LEVEL_1


def test_a_clock_that_is_met_shows_no_light() -> None:
    signed = after(dispatched(), c.Sign(), c.RecordContact())
    _, facts = swept(signed, at("2026-03-10 09:00"))
    assert facts == []


def test_a_light_cannot_be_shown_twice() -> None:
    red = c.ShowLight(clock=ClockName.SIGN, light=Light.RED, crossed_at=MONDAY)
    with pytest.raises(RuleViolation, match="shown already"):
        after(dispatched(), red, red)


def test_a_clock_that_is_put_off_gets_its_lights_anew() -> None:
    handling = after(dispatched(), c.Sign(), c.RecordContact())
    yellow, _ = swept(handling, at("2026-03-20 09:00"))
    assert "completion_yellow" in yellow.lights
    later = at("2026-03-20 10:00")
    extended = after(yellow, c.RequestExtension(days=3, reason="需开挖"), c.GrantExtension(), now=later)
    assert extended.lights == frozenset()
    assert extended.clocks.completion_due == at("2026-03-26 17:30")
    assert extended.clocks.supervise_at == extended.clocks.completion_due
    shown, _ = swept(extended, at("2026-03-26 09:00"))
    assert shown.lights == {"completion_yellow"}


# ── supervision ──────────────────────────────────────────────────────────────────────────────────
def test_levels_of_supervision_come_at_zero_two_and_five_working_days() -> None:
    ticket, levels = after(dispatched(), c.Sign(), c.RecordContact()), dict[int, str]()
    for day in range(1, 40):
        now = at("2026-03-23 17:29") + timedelta(days=day - 1, minutes=1)
        ticket, _ = swept(ticket, now)
        levels.setdefault(int(ticket.supervision), f"{now:%m-%d %H:%M}")
    assert levels == {1: "03-23 17:30", 2: "03-25 17:30", 3: "03-30 17:30"}


def test_a_level_given_by_a_person_is_not_given_again() -> None:
    handling = after(dispatched(), c.Sign(), c.RecordContact(), c.Supervise(reason="领导交办"))
    assert handling.clocks.supervise_at == at("2026-03-25 17:30")
    late, _ = swept(handling, at("2026-03-24 09:00"))
    assert late.supervision is Supervision.LEVEL_1


def test_after_an_outage_nothing_is_skipped_and_one_light_calls() -> None:
    ticket, facts = swept(dispatched(), at("2026-03-26 09:00"))
    lights = [f for f in facts if isinstance(f, c.ShowLight)]
    assert [f"{f.clock}_{f.light}" for f in lights] == [
        "sign_yellow", "sign_red", "contact_yellow", "contact_red", "completion_yellow", "completion_red",
    ]
    assert [f.crossed_at for f in lights] == sorted(f.crossed_at for f in lights)
    assert all(f.quiet for f in lights), "supervision came after them, and is what people look at"
    assert ticket.supervision is Supervision.LEVEL_2
    assert swept(ticket, at("2026-03-26 09:00")) == (ticket, [])
    _, facts = swept(dispatched(), at("2026-03-09 13:00"))
    assert [f.quiet for f in facts if isinstance(f, c.ShowLight)] == [True, True, False]


# ── ends of waits ────────────────────────────────────────────────────────────────────────────────
def test_without_an_answer_the_citizens_silence_ends_the_ticket() -> None:
    asked = after(opened(), c.AskInfo(question="哪条路?"))
    assert swept(asked, at("2026-03-16 17:29"))[0].state is State.NEED_INFO
    ended, [fact] = swept(asked, at("2026-03-16 17:30"))
    assert ended.state is State.REJECTED
    assert isinstance(fact, c.Reject)
    assert fact.reason is RejectReason.NO_REPLY


@pytest.mark.parametrize(("commands", "until", "state"), [
    ((c.Answer(text="已告知"),), "2026-03-11 17:30", State.CLOSED),
    ((c.Withdraw(),), "2026-04-21 17:30", State.ARCHIVED),  # 30 working days, 清明节 between
    ((c.Reject(reason=RejectReason.PRIVACY),), "2026-04-21 17:30", State.ARCHIVED),
])
def test_finished_business_moves_on_by_itself(commands: tuple[c.Command, ...], until: str, state: State) -> None:
    ticket = after(opened(), *commands)
    assert swept(ticket, at(until) - MINUTE)[0].state is ticket.state
    assert swept(ticket, at(until))[0].state is state


def test_of_what_is_answered_nothing_is_due_and_time_closes_it_all_the_same() -> None:
    assert summarize(opened(), MONDAY).due == opened().clocks.ceiling_due
    answered = after(opened(), c.Answer(text="已告知"))
    assert summarize(answered, MONDAY).due is None
    assert next_attention(answered) == at("2026-03-11 17:30")
    assert swept(answered, at("2026-03-11 17:30"))[0].state is State.CLOSED


def test_a_hand_off_without_an_outcome_calls_a_supervisor_once() -> None:
    handed = after(opened(), c.HandOff(services=(Service.POLICE,)))
    late, _ = swept(handed, MONDAY + timedelta(days=1))
    assert late.alarms == {"hand_off_open"}
    assert next_attention(late) is None
    cleared = after(late, c.ClearAlarm(alarm="hand_off_open"), now=MONDAY + timedelta(days=2))
    assert due_command(cleared, MONDAY + timedelta(days=2), POLICY) is None
    assert next_attention(cleared) == MONDAY + timedelta(days=3), "still open: it comes back a day later"


def test_the_alarms_of_a_hand_off_end_with_it() -> None:
    """One that stood on would keep the next hand-off's from being raised: 110 silent, and nobody called."""
    handed = after(opened(), c.HandOff(services=(Service.POLICE,)), c.RaiseAlarm(alarm="incident_unacknowledged"))
    late, _ = swept(after(handed, c.RaiseAlarm(alarm="x")), MONDAY + timedelta(days=1))
    assert late.alarms == {"incident_unacknowledged", "hand_off_open", "x"}
    for end in (c.Close(note="已电话移交"), c.PoliceReturn(reason="非警情")):
        assert after(late, end).alarms == {"x"}, "what is not about the hand-off stands"
    again = after(late, c.Close(), c.Reopen(reason="又着火了"), c.HandOff(services=(Service.FIRE,)))
    assert after(again, c.RaiseAlarm(alarm="incident_unacknowledged")).alarms == {"incident_unacknowledged", "x"}
    stale = msgspec.structs.replace(again, state=State.RECEIVED, alarms=late.alarms)  # raised as the last one ended
    assert after(stale, c.HandOff(services=(Service.FIRE,))).alarms == {"x"}
    assert swept(again, MONDAY + timedelta(days=9))[0].alarms == {"hand_off_open", "x"}


@pytest.mark.parametrize("parent", State)
def test_a_merged_ticket_is_archived_once_its_parent_is(parent: State) -> None:
    merged = after(opened(), c.Merge(parent=TicketId(1)))
    late = next_attention(merged)
    assert late is not None
    change = caught_up(merged, rules=RULES, now=late, parent=parent)
    if parent is State.ARCHIVED:
        assert change is not None
        assert change.ticket.state is State.ARCHIVED
        assert caught_up(merged, rules=RULES, now=late - MINUTE, parent=parent) is None, "in its own time"
    else:
        assert change is None
        assert next_look(merged, late, POLICY, parent) == late + timedelta(days=1)


def test_an_answer_that_left_somebody_dissatisfied_is_not_closed_by_time() -> None:
    answered = after(opened(), c.Answer(text="已告知"), c.RaiseAlarm(alarm="dissatisfied"))
    assert swept(answered, at("2026-04-30 09:00"))[0].state is State.ANSWERED


def test_a_pause_stops_every_clock_and_is_credited() -> None:
    asked = after(opened(), c.AskInfo(question="?"))
    assert all(not isinstance(t.command, c.ShowLight) for t in thresholds(asked))
    before = asked.clocks.ceiling_due
    back = after(asked, c.SupplyInfo(text="体育路"), now=at("2026-03-10 09:00"))
    assert before is not None
    assert back.clocks.ceiling_due == at("2026-03-31 17:30")  # a whole working day, 420 minutes, later
    assert back.clocks.wait_until == at("2026-03-10 10:00")


def test_a_question_to_the_citizen_makes_nothing_punctual_that_was_done_late() -> None:
    late = MONDAY + timedelta(days=1)
    signed = after(dispatched(priority=Priority.P1), c.Sign(), c.RecordContact(), c.RecordArrival(), now=late)
    back = after(after(signed, c.AskInfo(question="?"), now=late), c.Resume(), now=late + timedelta(days=2)).clocks
    before = signed.clocks
    assert (back.sign_due, back.contact_due, back.on_site_due) == (
        before.sign_due, before.contact_due, before.on_site_due
    )
    assert back.completion_due is not None
    assert before.completion_due is not None
    assert back.completion_due - before.completion_due == timedelta(days=2), "what still runs is put off"


# ── ceiling and extension ────────────────────────────────────────────────────────────────────────
def test_the_ceiling_is_a_hard_limit_of_every_extension() -> None:
    handling = after(dispatched(Kind.COMPLAINT), c.Sign())
    granted = after(handling, c.RequestExtension(days=10, reason="需开挖"), c.GrantExtension())
    assert granted.clocks.completion_due == granted.clocks.ceiling_due == at("2026-03-30 17:30")
    at_limit = msgspec.structs.replace(
        handling, clocks=msgspec.structs.replace(handling.clocks, completion_due=handling.clocks.ceiling_due)
    )
    with pytest.raises(RuleViolation, match="ceiling"):
        after(at_limit, c.RequestExtension(days=1, reason="x"))


def test_a_reopened_matter_gets_a_ceiling_of_its_own() -> None:
    closed = after(opened(), c.Answer(text="好"), c.Close())
    year_later = at("2026-09-07 09:00")
    again = after(closed, c.Reopen(reason="再次出现"), now=year_later)
    assert again.clocks.ceiling_due is not None
    assert again.clocks.ceiling_due > year_later
    assert again.clocks.completion_due is None


# ── any life ─────────────────────────────────────────────────────────────────────────────────────
ACTS = [*EXAMPLES.values(), *(e for t, e in SIDE_EXAMPLES.items() if t not in {c.ShowLight, c.RaiseAlarm})]
CORRECTIONS = [*(c.Correct(kind=kind) for kind in Kind), *(c.Correct(priority=priority) for priority in Priority)]
TRIES = [c.RecordTry(result=result) for result in TryResult]
steps = st.lists(st.tuples(st.sampled_from([*ACTS, *TRIES, *CORRECTIONS]), st.integers(0, 6 * 24 * 60)), max_size=30)


@settings(max_examples=300)
@given(steps, st.sampled_from(Priority), st.sampled_from(Kind), st.booleans())
def test_time_keeps_its_promises_in_every_life(
    life: list[tuple[c.Command, int]], priority: Priority, kind: Kind, outage: bool
) -> None:
    """The sweep runs between the commands (or, in an outage, only at the end): it ends, and leaves nothing due."""
    ticket = opened(kind, priority)
    events, now = [], MONDAY
    for command, minutes in life:
        now += minutes * MINUTE
        if not outage:
            change = caught_up(ticket, rules=RULES, now=now)
            events += list(change.events) if change else []
            ticket = change.ticket if change else ticket
        try:
            decision = decide(ticket, command, now=now, policy=POLICY)
        except HotlineError:
            continue
        ticket, events = decision.ticket, [*events, decision.event]
    for _ in range(400):
        soon = next_attention(ticket)
        if soon is None:
            break
        now = max(now, soon)
        change = caught_up(ticket, rules=RULES, now=now)
        assert change is not None, "the sweep was called for nothing"
        ticket, events = change.ticket, [*events, *change.events]
        later = next_attention(ticket)
        assert later is None or later > now
    else:
        pytest.fail("time never comes to rest")
    assert_watched(ticket)
    first = receive(
        number=ticket.number, channel=Channel.CALL, appeal=ticket.appeal, triage=ticket.triage, now=MONDAY,
        policy=POLICY,
    ).event
    assert replay([first, *events]) == ticket


def assert_watched(ticket: Ticket) -> None:
    """After all thresholds have passed, an open ticket stands where people see it: with a red light or an alarm."""
    if ticket.state in OPEN_STATES - {State.NEED_INFO}:
        assert ticket.alarms or any(light.endswith("_red") for light in ticket.lights) or ticket.supervision


# ── found by the simulated year ──────────────────────────────────────────────────────────────────
def test_a_deadline_taken_over_at_night_has_no_yellow_light_after_it() -> None:
    night = at("2026-03-09 23:00")
    ticket = after(opened(now=night), c.Accept(), c.Dispatch(lead="城管局"), now=night)
    adopt = c.Adopt(child="DG20260309100000023", ceiling_due=None, completion_due=at("2026-03-09 23:40"))  # type: ignore[arg-type]
    clocks = after(ticket, adopt, now=night).clocks
    assert (clocks.completion_due, clocks.completion_yellow) == (at("2026-03-09 23:40"), None)


def test_a_deadline_that_is_taken_over_late_is_due_at_once_not_in_the_past() -> None:
    ticket = dispatched()
    adopt = c.Adopt(child="DG20260309100000023", ceiling_due=at("2026-03-02 17:30"), completion_due=None)  # type: ignore[arg-type]
    assert after(ticket, adopt).clocks.completion_due == MONDAY


def test_who_leads_does_not_assist_whatever_was_typed() -> None:
    ticket = after(opened(), c.Accept(), c.Dispatch(lead="城管局", assisting=("水务局", "城管局", "水务局")))  # type: ignore[arg-type]
    assert (ticket.lead, ticket.assisting) == ("城管局", ("水务局",))
    redo = msgspec.structs.replace(ticket, state=State.REDO)
    assert after(redo, c.Redispatch(lead="水务局")).assisting == ()  # type: ignore[arg-type]


def test_taking_a_matter_up_again_ends_the_alarm_about_it() -> None:
    closed = after(opened(), c.Answer(text="好"), c.Close(), c.RaiseAlarm(alarm="dissatisfied"))
    assert after(closed, c.Reopen(reason="不满意")).alarms == frozenset()
