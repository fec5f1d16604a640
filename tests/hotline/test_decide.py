"""The rules that the table cannot say, and replay as a property over random lives."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline import commands as c
from hotline.appeal import Appeal, Attachment, Place
from hotline.clocks import Clocks
from hotline.decide import decide, receive
from hotline.errors import HotlineError, IllegalTransition, RuleViolation
from hotline.events import Actor, Role, TicketEvent
from hotline.extension import Extension
from hotline.summary import summarize, topics
from hotline.supervision import Supervision
from hotline.terms import (
    Channel,
    ClockName,
    Kind,
    Light,
    Priority,
    Rating,
    Sensitive,
    Service,
    State,
    TryResult,
    Verdict,
)
from hotline.ticket import Ticket, evolve, replay
from tests.cities import NOW, POLICY, STREET_LIGHT
from tests.hotline.test_lifecycle import EXAMPLES

PHOTO = Attachment(key="0" * 64, name="现场.jpg", media_type="image/jpeg", size=1)
SIDE_EXAMPLES: dict[type[c.SideCommand], c.SideCommand] = {
    type(command): command
    for command in (
        c.Urge(), c.AddMessage(text="还没修"), c.AddNote(text="已电话核实"), c.Attach(attachments=(PHOTO,)),
        c.GiveOpinion(text="已配合断电"), c.Adopt(child="DG20261120300000023"), c.Disown(child="DG20261120300000023"),
        c.Correct(l1="09", l2="供水"),
        c.Reassess(verdict=Verdict.UNCLEAR, reason="待核实"), c.RecordContact(), c.RecordArrival(note="已到场"),
        c.Rate(rating=Rating.SATISFIED),
        c.RequestExtension(days=2, reason="需开挖"), c.GrantExtension(), c.RefuseExtension(reason="不必"),
        c.Supervise(reason="超期"), c.AcknowledgeIncident(incident="J1"), c.RaiseAlarm(alarm="x"),
        c.ClearAlarm(alarm="x"), c.AcknowledgeAlarm(alarm="x"), c.Claim(agent="a"), c.Release(),
        c.RecordTry(result=TryResult.NO_ANSWER),
        c.PublishWish(title="一个书包"), c.UnpublishWish(), c.PledgeWish(pledge="p1", donor="好心人"),
        c.DeliverWish(pledge="p1"), c.CancelPledge(pledge="p1"),
        c.ShowLight(clock=ClockName.SIGN, light=Light.RED, crossed_at=NOW),
    )
}


def ticket(**changes: object) -> Ticket:
    first = receive(
        number="DG20261120300000015", channel=Channel.WEB, appeal=Appeal(text="路灯不亮"), triage=STREET_LIGHT, now=NOW,
        policy=POLICY,
    ).ticket
    return msgspec.structs.replace(first, **changes)


def after(start: Ticket, *commands: c.Command, now: object = NOW) -> Ticket:
    for command in commands:
        start = decide(start, command, now=now, policy=POLICY).ticket  # type: ignore[arg-type]
    return start


def refused(start: Ticket, command: c.Command, rule: str, now: object = NOW) -> None:
    with pytest.raises(RuleViolation, match=rule):
        decide(start, command, now=now, policy=POLICY)  # type: ignore[arg-type]


def test_every_side_command_has_an_example() -> None:
    assert set(SIDE_EXAMPLES) == set(c.SIDE_COMMANDS)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("command", SIDE_EXAMPLES.values(), ids=c.tag_of)
def test_a_side_command_never_changes_the_state(state: State, command: c.SideCommand) -> None:
    try:
        decision = decide(ticket(state=state), command, now=NOW, policy=POLICY)  # type: ignore[arg-type]
    except (RuleViolation, IllegalTransition):
        return
    assert decision.ticket.state is state
    assert decision.ticket.version == 2


def test_clocks_start_at_dispatch_and_stay_under_the_ceiling() -> None:
    start = ticket(kind=Kind.ENQUIRY)
    assert start.clocks.sign_due is None
    dispatched = after(start, c.Accept(), c.Dispatch(lead="城管局"))
    clocks = dispatched.clocks
    assert clocks.sign_due is not None
    assert clocks.completion_due is not None
    assert clocks.ceiling_due is not None
    assert clocks.completion_due <= clocks.ceiling_due


def test_redispatch_after_the_ceiling_is_due_at_once_not_in_the_past() -> None:
    late = NOW + timedelta(days=60)
    redo = ticket(state=State.REDO, lead="城管局")
    clocks = after(redo, c.Redispatch(), now=late).clocks
    assert clocks.completion_due == late


def test_sensitive_labels_are_set_whole_and_stay_when_other_things_are_corrected() -> None:
    first = (Sensitive.MEDIA, Sensitive.MINORS)
    assert after(ticket(), c.Correct(labels=first), c.Correct(title="更正")).labels == first
    assert after(ticket(labels=first), c.Correct(labels=())).labels == ()


def test_a_pause_stops_the_clock() -> None:
    start = ticket()
    resumed = after(after(start, c.AskInfo(question="哪里?")), c.SupplyInfo(text="体育路"), now=NOW + timedelta(days=3))
    assert resumed.clocks.paused_at is None
    assert start.clocks.ceiling_due is not None
    assert resumed.clocks.ceiling_due is not None
    assert resumed.clocks.ceiling_due > start.clocks.ceiling_due


def test_returns_have_a_window_a_basis_and_an_end() -> None:
    start = after(ticket(), c.Accept(), c.Dispatch(lead="城管局"))
    request = c.RequestReturn(legal_basis="派单目录第3条", suggested="水务局")
    refused(start, request, "window", now=NOW + timedelta(days=3))
    refused(start, c.RequestReturn(legal_basis=" ", suggested="水务局"), "legal basis")
    refused(after(start, request, c.RefuseReturn(reason="属贵局")), request, "no further return")
    refused(start, c.RequestReturn(legal_basis="派单目录第3条", suggested="城管局"), "another owner")
    back = c.RequestReturn(legal_basis="派单目录第3条", suggested="城管局")
    second = after(start, request, c.ApproveReturn(), c.Dispatch(lead="水务局"), back)
    refused(second, c.ApproveReturn(), "arbitration")
    ruled = after(second, c.Arbitrate(), c.Rule(lead="城管局"))
    assert (ruled.lead, ruled.returns, ruled.dispatches) == ("城管局", 1, 3)
    refused(ruled, request, "no further return")


def test_110_returns_once_in_time_and_is_never_sent_it_again() -> None:
    handed = after(ticket(), c.HandOff(services=(Service.POLICE,)))
    assert (handed.priority, handed.verdict) == (Priority.P0, Verdict.EMERGENCY)
    back = c.PoliceReturn(reason="非警情")
    late = NOW + timedelta(minutes=31)
    assert after(handed, back, now=late).state is State.RECEIVED  # 110 never took it: a refusal is never late
    taken = after(handed, c.AcknowledgeIncident(incident="J1"))
    refused(taken, back, "window", now=late)
    returned = after(taken, back)
    assert (returned.state, returned.priority) == (State.RECEIVED, Priority.P3)
    refused(returned, c.HandOff(services=(Service.POLICE,)), "never sent again")
    refused(ticket(), c.HandOff(services=()), "at least one service")


def test_what_110_returns_is_with_the_centre_and_with_no_department() -> None:
    """The one that had it before went on seeing it, could ask the citizen, and was counted for what the centre did."""
    handling = after(ticket(), c.Accept(), c.Dispatch(lead="城管局", assisting=("水务局",)), c.Sign())
    handed = after(handling, c.HandOff(services=(Service.POLICE,)))
    assert handed.lead == "城管局"
    returned = after(handed, c.PoliceReturn(reason="非警情"))
    assert (returned.lead, returned.assisting) == ("", ())


def test_lowering_a_verdict_needs_a_reason_raising_does_not() -> None:
    start = ticket(verdict=Verdict.UNCLEAR)
    refused(start, c.Reassess(verdict=Verdict.NON_EMERGENCY), "reason")
    assert after(start, c.Reassess(verdict=Verdict.EMERGENCY)).verdict is Verdict.EMERGENCY
    assert after(start, c.Reassess(verdict=Verdict.NON_EMERGENCY, reason="已核实")).verdict is Verdict.NON_EMERGENCY


def test_extensions_are_once_before_expiry_within_the_limit_and_never_for_p1_p2() -> None:
    handling = after(ticket(), c.Accept(), c.Dispatch(lead="城管局"), c.Sign())
    ask = c.RequestExtension(days=5, reason="需开挖")
    for priority in (Priority.P0, Priority.P1, Priority.P2):
        refused(msgspec.structs.replace(handling, priority=priority), ask, "never extended")
    refused(handling, c.RequestExtension(days=11, reason="x"), "original limit")
    refused(handling, ask, "before the clock expires", now=NOW + timedelta(days=60))
    granted = after(handling, ask, c.GrantExtension())
    assert granted.clocks.completion_due > handling.clocks.completion_due  # type: ignore[operator]
    assert granted.clocks.completion_due <= granted.clocks.ceiling_due  # type: ignore[operator]
    with pytest.raises(IllegalTransition):
        decide(granted, ask, now=NOW, policy=POLICY)


ASKED = (c.Accept(), c.Dispatch(lead="城管局"), c.Sign(), c.RequestExtension(days=3, reason="需开挖"))
LEAVES = {
    "taken back": (c.TakeBack(reason="派错单位"),), "handed to 110": (c.HandOff(services=(Service.POLICE,)),),
    "replied to": (c.Reply(internal="已办", public="已修复"),), "withdrawn": (c.Withdraw(reason="不用了"),),
    "withdrawn when asked": (c.AskInfo(question="哪里?"), c.Withdraw(reason="不用了")),
}


@pytest.mark.parametrize("way", LEAVES)
def test_a_request_for_an_extension_lapses_when_the_ticket_leaves_its_department(way: str) -> None:
    asked = after(ticket(), *ASKED)
    assert after(asked, c.AskInfo(question="?"), c.Resume()).alarms == {"extension_requested"}, "a question is no end"
    left = after(asked, *LEAVES[way])
    assert (left.extension, left.extension_days, left.alarms) == (Extension.NONE, 0, frozenset())
    with pytest.raises(IllegalTransition):
        decide(left, c.GrantExtension(), now=NOW, policy=POLICY)


def test_the_next_department_gets_no_time_that_another_asked_for_and_may_ask_itself() -> None:
    asked = after(ticket(), *ASKED)
    other = after(asked, c.TakeBack(reason="派错单位"), c.Dispatch(lead="水务局"), c.Sign())
    assert after(other, c.RequestExtension(days=2, reason="停水"), c.GrantExtension()).extension_days == 2


def test_no_grant_where_an_older_request_has_outlived_its_department_or_the_matter_is_urgent_now() -> None:
    asked = after(ticket(), *ASKED)
    refused(msgspec.structs.replace(asked, state=State.PENDING_REVIEW), c.GrantExtension(), "being handled")
    refused(after(asked, c.Correct(priority=Priority.P1)), c.GrantExtension(), "never extended")


def test_the_second_redo_is_supervised() -> None:
    once = after(ticket(state=State.REDO, lead="城管局"), c.Redispatch())
    assert once.supervision is Supervision.NONE
    twice = after(msgspec.structs.replace(once, state=State.REDO), c.Redispatch())
    assert (twice.redos, twice.supervision) == (2, Supervision.LEVEL_1)


def test_an_urge_needs_an_open_ticket() -> None:
    refused(ticket(state=State.CLOSED), c.Urge(), "finished")
    assert after(ticket(), c.Urge(), c.Urge()).urges == 2


def test_an_acknowledgement_counts_once_and_clears_the_alarm() -> None:
    handed = after(ticket(), c.HandOff(services=(Service.POLICE,)), c.RaiseAlarm(alarm="incident_unacknowledged"))
    refused(handed, c.RaiseAlarm(alarm="incident_unacknowledged"), "raised already")
    known = after(handed, c.AcknowledgeIncident(incident="J1"))
    assert not known.alarms
    for number in ("J1", "J2"):
        refused(known, c.AcknowledgeIncident(incident=number), "acknowledged already: J1")
    for answered in (known, after(handed, c.Close())):
        refused(answered, c.RaiseAlarm(alarm="incident_unacknowledged"), "no acknowledgement of 110 is awaited")


def test_a_correction_changes_what_it_names_and_nothing_else() -> None:
    start = ticket()
    corrected = after(start, c.Correct(l1="09", l2="供水", place=Place(town="南城")))
    assert (corrected.category.l1, corrected.town) == ("09", "南城")  # type: ignore[union-attr]
    assert (corrected.kind, corrected.title, corrected.triage) == (start.kind, start.title, start.triage)


MAY_PAUSE = {State.NEED_INFO, State.WITHDRAWN, State.REJECTED, State.ARCHIVED}


# ── lives ────────────────────────────────────────────────────────────────────────────────────────
COMMANDS = [*EXAMPLES.values(), *SIDE_EXAMPLES.values()]
steps = st.lists(st.tuples(st.sampled_from(COMMANDS), st.integers(0, 3 * 24 * 60)), max_size=40)


def live(life: list[tuple[c.Command, int]]) -> tuple[Ticket, list[TicketEvent]]:
    """Give every command in turn; those refused change nothing."""
    now = NOW
    decision = receive(
        number="DG20261120300000015", channel=Channel.WEB, appeal=Appeal(text="路灯不亮"), triage=STREET_LIGHT, now=now,
        policy=POLICY,
    )
    events = [decision.event]
    for command, minutes in life:
        now += timedelta(minutes=minutes)
        try:
            decision = decide(decision.ticket, command, now=now, policy=POLICY, actor=Actor(Role.AGENT, "a"))
        except HotlineError:
            continue
        events.append(decision.event)
    return decision.ticket, events


@settings(max_examples=400)
@given(steps)
def test_replay_rebuilds_every_life(life: list[tuple[c.Command, int]]) -> None:
    ended, events = live(life)
    decoded = [msgspec.json.decode(msgspec.json.encode(event), type=TicketEvent) for event in events]
    assert replay(decoded) == ended == msgspec.json.decode(msgspec.json.encode(ended), type=Ticket)


@settings(max_examples=400)
@given(steps)
def test_invariants_of_every_life(life: list[tuple[c.Command, int]]) -> None:
    ended, events = live(life)
    current = None
    for version, event in enumerate(events, start=1):
        current = evolve(current, event)
        clocks = current.clocks
        assert current.version == version
        assert current.state is event.state
        assert clocks.completion_due is None or clocks.completion_due >= NOW
        assert current.state not in {State.PENDING_SIGN, State.HANDLING, State.PENDING_REVIEW} or current.lead
        assert current.returns <= 1
        assert current.police_returns <= 1
        assert clocks.paused_at is None or current.state in MAY_PAUSE
        assert f"ticket:{current.number}" in topics(current)
        assert summarize(current, event.at).version == version
    assert current == ended


def test_events_with_a_gap_are_refused() -> None:
    _, events = live([(c.Accept(), 1), (c.Dispatch(lead="城管局"), 1)])
    with pytest.raises(ValueError, match="does not follow"):
        replay([events[0], events[2]])
    with pytest.raises(ValueError, match="at least one"):
        replay([])
    with pytest.raises(ValueError, match="only the first"):
        replay([events[0], events[0]])
    assert Clocks() == Clocks()


def test_an_alarm_is_acknowledged_once_and_anew_when_it_comes_again() -> None:
    raised = after(ticket(), c.RaiseAlarm(alarm="message_undeliverable"))
    refused(raised, c.AcknowledgeAlarm(alarm="hot_spot"), "there is no alarm")
    seen = after(raised, c.AcknowledgeAlarm(alarm="message_undeliverable", note="已致电"))
    assert (seen.alarms, seen.alarms_seen) == (raised.alarms, frozenset({"message_undeliverable"}))
    refused(seen, c.AcknowledgeAlarm(alarm="message_undeliverable"), "acknowledged already")
    assert summarize(seen, NOW).alarms_seen == ("message_undeliverable",)
    cleared = after(seen, c.ClearAlarm(alarm="message_undeliverable"))
    assert summarize(cleared, NOW).alarms_seen == ()
    assert after(cleared, c.RaiseAlarm(alarm="message_undeliverable")).alarms_seen == frozenset()


def test_only_danger_told_anew_sounds_anew_while_its_alarm_stands() -> None:
    for alarm in ("verdict_raised", "neighbour_silent"):
        raised = after(ticket(), c.RaiseAlarm(alarm=alarm))
        refused(raised, c.RaiseAlarm(alarm=alarm), "raised already")
    seen = after(raised, c.AcknowledgeAlarm(alarm="neighbour_silent"))
    refused(seen, c.RaiseAlarm(alarm="neighbour_silent"), "raised already")
    danger = after(ticket(), c.RaiseAlarm(alarm="verdict_raised"), c.AcknowledgeAlarm(alarm="verdict_raised"))
    assert after(danger, c.RaiseAlarm(alarm="verdict_raised")).alarms_seen == frozenset()
