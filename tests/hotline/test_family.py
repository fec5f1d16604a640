"""Merging as pure rules: who may be merged into what, and what becomes of the deadlines."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.clocks import earliest, expected_completion
from hotline.deadlines import credited
from hotline.decide import Decision, decide
from hotline.errors import IllegalTransition, RuleViolation
from hotline.family import MAX_CHILDREN, merge, unmerge
from hotline.ids import TicketId, TicketNumber
from hotline.lifecycle import OPEN_STATES, TRANSITIONS
from hotline.progress import progress_of
from hotline.terms import Channel, Kind, State, Verdict
from hotline.ticket import Ticket
from tests.cities import NOW, POLICY
from tests.hotline.pure_tickets import AGENT, CHILD, PARENT, ticket

MERGE = c.Merge(parent=TicketId(1))


def joined(child: Ticket, parent: Ticket) -> tuple[Decision, Decision]:
    return tuple(merge(child, parent, MERGE, now=NOW, policy=POLICY, actor=AGENT))  # type: ignore[return-value]


@pytest.mark.parametrize("state", State)
def test_the_grid_of_parents(state: State) -> None:
    """Only an open ticket takes others in; a merged one never does, so a family has two generations and no ring."""
    parent = ticket(PARENT, state=state)
    if state in OPEN_STATES:
        child, theirs = joined(ticket(CHILD), parent)
        assert (child.ticket.state, child.ticket.parent) == (State.MERGED, 1)
        assert (theirs.ticket.state, theirs.ticket.children) == (state, (CHILD,))
    else:
        with pytest.raises(RuleViolation, match="merge into one that is open"):
            joined(ticket(CHILD), parent)


@pytest.mark.parametrize("state", State)
def test_the_grid_of_children(state: State) -> None:
    child = ticket(CHILD, state=state)
    if c.Merge in TRANSITIONS[state]:
        assert joined(child, ticket(PARENT))[0].ticket.state is State.MERGED
    else:
        with pytest.raises(IllegalTransition, match="cannot merge"):
            joined(child, ticket(PARENT))


def test_what_cannot_be_merged() -> None:
    parent = ticket(PARENT)
    for child, into, rule in (
        (parent, parent, "into itself"),
        (ticket(CHILD, children=(TicketNumber("DG1"),)), parent, "unmerge them first"),
        (ticket(CHILD, verdict=Verdict.UNCLEAR), parent, "reassess it first"),
        (ticket(CHILD, channel=Channel.CITY), parent, "another city"),
        (ticket(CHILD), ticket(PARENT, children=tuple(map(str, range(MAX_CHILDREN)))), "choose another parent"),
    ):
        with pytest.raises(RuleViolation, match=rule):
            joined(child, into)


WANG, LI = Citizen(name="王小明", phone="+8613812345678"), Citizen(name="李明", phone="+8613912345678")
CONFIDENTIAL = {"appeal": Appeal(text="路灯不亮", citizen=WANG, confidential=True)}
REPORT: dict[str, object] = {"kind": Kind.REPORT}


@pytest.mark.parametrize("child", [CONFIDENTIAL, REPORT])
@pytest.mark.parametrize("parent", [
    {}, {"appeal": Appeal(text="路灯不亮", citizen=LI)},
    {"appeal": Appeal(text="路灯不亮", citizen=LI, confidential=True)},
])
def test_who_must_not_be_known_is_not_merged_where_they_would_be(
    child: dict[str, object], parent: dict[str, object]
) -> None:
    with pytest.raises(RuleViolation, match="confidential or 举报"):
        joined(ticket(CHILD, **child), ticket(PARENT, **parent))


@pytest.mark.parametrize(("child", "parent"), [(CONFIDENTIAL, CONFIDENTIAL), (REPORT, CONFIDENTIAL), ({}, REPORT)])
def test_repeats_of_one_who_must_not_be_known_are_merged(child: dict[str, object], parent: dict[str, object]) -> None:
    assert joined(ticket(CHILD, **child), ticket(PARENT, **parent))[0].ticket.state is State.MERGED


def test_nobody_in_particular_is_not_the_same_citizen() -> None:
    nobody: dict[str, object] = {"appeal": Appeal(text="路灯不亮", confidential=True)}
    with pytest.raises(RuleViolation, match="confidential or 举报"):
        joined(ticket(CHILD, **nobody), ticket(PARENT, **nobody))


@pytest.mark.parametrize(("was", "command"), [
    ({"appeal": Appeal(text="路灯不亮", confidential=True)}, c.Correct(confidential=False)),
    ({"kind": Kind.REPORT}, c.Correct(kind=Kind.COMPLAINT)),
])
def test_what_hides_merged_citizens_is_not_opened_over_their_heads(was: dict[str, object], command: c.Correct) -> None:
    parent = ticket(PARENT, **was)
    assert decide(parent, command, now=NOW, policy=POLICY)
    with pytest.raises(RuleViolation, match="unmerge them first"):
        decide(msgspec.structs.replace(parent, children=(CHILD,)), command, now=NOW, policy=POLICY)


def test_a_merged_ticket_does_not_become_a_report() -> None:
    child = joined(ticket(CHILD), ticket(PARENT))[0].ticket
    with pytest.raises(RuleViolation, match="unmerge it first"):
        decide(child, c.Correct(kind=Kind.REPORT), now=NOW, policy=POLICY)
    with pytest.raises(RuleViolation, match="unmerge it first"):
        decide(child, c.Correct(confidential=True), now=NOW, policy=POLICY)
    assert decide(child, c.Correct(kind=Kind.COMPLAINT), now=NOW, policy=POLICY).ticket.kind is Kind.COMPLAINT


def test_merging_takes_the_ticket_from_its_department_and_unmerging_gives_it_to_the_centre() -> None:
    child, parent = joined(ticket(CHILD, c.Accept(), c.Dispatch(lead="城管局", assisting=("水务局",))), ticket(PARENT))
    assert (child.ticket.lead, child.ticket.assisting) == ("", ())
    freed = unmerge(child.ticket, parent.ticket, c.Unmerge(), now=NOW, policy=POLICY, actor=AGENT)
    assert (freed.child.ticket.state, freed.child.ticket.parent) == (State.RECEIVED, None)
    assert freed.parent.ticket.children == ()


@given(st.lists(st.tuples(st.integers(-400, 400), st.booleans()), min_size=1, max_size=5), st.booleans())
def test_the_parent_keeps_the_earliest_deadline(children: list[tuple[int, bool]], dispatched: bool) -> None:
    commands = (c.Accept(), c.Dispatch(lead="城管局")) if dispatched else ()
    parent = ticket(PARENT, *commands)
    ceilings, promised = [parent.clocks.ceiling_due], [parent.clocks.completion_due]
    for index, (hours, theirs) in enumerate(children):
        done = (c.Accept(), c.Dispatch(lead="水务局")) if theirs else ()
        child = ticket(TicketNumber(f"DG{index}"), *done, hours=hours)
        ceilings.append(child.clocks.ceiling_due)
        promised.append(child.clocks.completion_due or _told(child))
        parent = joined(child, parent)[1].ticket
    assert parent.clocks.ceiling_due == min(due for due in ceilings if due)
    if dispatched:
        wanted = min(due for due in (*promised, parent.clocks.ceiling_due) if due)
        assert parent.clocks.completion_due == max(wanted, NOW)  # what is late already is due at once
    else:
        assert parent.clocks.completion_due is None
        clocks = decide(decide(parent, c.Accept(), now=NOW, policy=POLICY).ticket, c.Dispatch(lead="城管局"), now=NOW,
                        policy=POLICY).ticket.clocks
        assert clocks.completion_due is not None
        assert clocks.completion_due <= max(min(due for due in (*ceilings, *promised) if due), NOW)


def _told(child: Ticket) -> datetime | None:
    """What the receipt told the citizen."""
    return expected_completion(child.created_at, child.clocks, child.priority, child.kind, child.category, POLICY)


def later(child: Ticket, days: int, *commands: c.Command) -> Ticket:
    for command in commands:
        child = decide(child, command, now=NOW + timedelta(days=days), policy=POLICY).ticket
    return child


@pytest.mark.parametrize("then", [
    (c.Answer(text="已修好"), c.Reopen(reason="再次出现")), (c.AskInfo(question="在哪里?"), c.SupplyInfo(text="路口")),
])
def test_what_a_merged_citizen_was_promised_is_of_the_reopening_and_put_off_by_what_they_were_asked(
    then: tuple[c.Command, ...]
) -> None:
    """Counted from the receipt, it made the parent's department overdue from the dispatch on."""
    child = later(later(ticket(CHILD), 0, then[0]), 28, then[1])
    parent = ticket(PARENT, c.Accept(), c.Dispatch(lead="城管局"), hours=28 * 24)
    now = NOW + timedelta(days=28)
    adopted = merge(child, parent, MERGE, now=now, policy=POLICY, actor=AGENT).parent.ticket
    assert adopted.clocks.completion_due == parent.clocks.completion_due


@pytest.mark.parametrize("then", [(), (c.AcceptReply(),)])
def test_what_the_parents_department_has_done_in_time_stays_so(then: tuple[c.Command, ...]) -> None:
    """The merged ticket's deadline lies before the parent's reply: nobody knew of it then."""
    done = (c.Accept(), c.Dispatch(lead="城管局"), c.Sign(), c.Reply(internal="换灯", public="已修好"), *then)
    parent = later(ticket(PARENT), 3, *done)
    child = ticket(CHILD, c.Accept(), c.Dispatch(lead="水务局"), hours=-400)
    clocks = joined(child, parent)[1].ticket.clocks
    assert clocks.completed_at is not None
    assert clocks.completion_due == clocks.completed_at
    assert clocks.promised_due == child.clocks.completion_due


def test_what_was_done_late_stays_late() -> None:
    done = (c.Accept(), c.Dispatch(lead="城管局"), c.Sign())
    parent = later(later(ticket(PARENT), 0, *done), 60, c.Reply(internal="换灯", public="已修好"))
    child = ticket(CHILD, c.Accept(), c.Dispatch(lead="水务局"), hours=-400)
    assert joined(child, parent)[1].ticket.clocks.completion_due == parent.clocks.completion_due


def test_citizens_are_told_what_a_dispatch_of_the_parent_will_hold_to() -> None:
    parent = joined(ticket(CHILD, hours=-72), ticket(PARENT, c.Accept()))[1].ticket
    told = progress_of(parent, (), policy=POLICY, now=NOW).expected_by
    sent = decide(parent, c.Dispatch(lead="城管局"), now=NOW, policy=POLICY).ticket
    assert told == sent.clocks.completion_due == parent.clocks.promised_due


def test_what_a_question_lasted_before_the_merge_puts_off_no_deadline_of_the_merged_ticket() -> None:
    """The parent's citizen was asked on Friday; the ticket merged on Tuesday was put off by those two days as well."""
    asked = later(ticket(PARENT, c.Accept(), c.Dispatch(lead="城管局"), c.Sign()), 0, c.AskInfo(question="在哪里?"))
    merged_at, answered_at = NOW + timedelta(days=4), NOW + timedelta(days=6)
    child = ticket(CHILD, c.Accept(), hours=-72)
    adopted = merge(child, asked, MERGE, now=merged_at, policy=POLICY, actor=AGENT).parent.ticket
    answered = decide(adopted, c.Resume(text="路口"), now=answered_at, policy=POLICY).ticket
    told = adopted.clocks.promised_due
    assert told is not None
    assert answered.clocks.completion_due == credited(told, merged_at, answered_at, POLICY.calendar)
    alone = decide(asked, c.Resume(text="路口"), now=answered_at, policy=POLICY).ticket
    assert answered.clocks.started_at == alone.clocks.started_at, "its own clocks are put off by all of it"
    assert answered.course.pauses == ((NOW, merged_at), (merged_at, answered_at))


def test_earliest_without_deadlines_changes_nothing() -> None:
    clocks = ticket(PARENT).clocks
    assert earliest(clocks, None, None) == clocks
