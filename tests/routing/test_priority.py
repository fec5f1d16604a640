"""Priority through a ticket's life: it follows verdict, category and kind, unless a person has set another."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from channels.message import Inbound
from hotline import commands as c
from hotline.appeal import Appeal, Category, Triage
from hotline.decide import decide, receive
from hotline.ids import TicketNumber
from hotline.opening import continue_ticket
from hotline.terms import Channel, Kind, Priority, Service, Verdict
from hotline.ticket import Ticket
from routing.priority import priority_of, with_priority
from tests.cities import NOW, POLICY, PRIORITIES, RULES

L2 = {"路灯": "03", "供水": "09", "燃气": "09"}


def opened(l2: str = "路灯", verdict: Verdict = Verdict.NON_EMERGENCY, kind: Kind = Kind.COMPLAINT) -> Ticket:
    triage = Triage(
        category=Category(l1=L2[l2], l2=l2, confidence=0.9), kind=kind, verdict=verdict,
        priority=priority_of(verdict, l2, kind, PRIORITIES),
    )
    return receive(
        number=TicketNumber("DG20261120100000001"), channel=Channel.APP, appeal=Appeal(text="坏了"), triage=triage,
        now=NOW, policy=POLICY,
    ).ticket


def done(ticket: Ticket, *commands: c.Command) -> Ticket:
    for command in commands:
        ticket = decide(ticket, with_priority(command, ticket, PRIORITIES), now=NOW, policy=POLICY).ticket
    return ticket


@pytest.mark.parametrize(("l2", "before", "after"), list(product(L2, Verdict, Verdict)))
def test_the_verdict_moves_the_priority_to_that_of_the_table(l2: str, before: Verdict, after: Verdict) -> None:
    ticket = done(opened(l2, before), c.Reassess(verdict=after, reason="已核实"))
    assert max(ticket.priority, Priority.P1) == max(priority_of(after, l2, Kind.COMPLAINT, PRIORITIES), Priority.P1)


@pytest.mark.parametrize(("l2", "priority"), [("路灯", Priority.P3), ("供水", Priority.P2), ("燃气", Priority.P1)])
def test_what_110_gives_back_is_as_urgent_as_its_matter(l2: str, priority: Priority) -> None:
    ticket = done(opened(l2, Verdict.EMERGENCY), c.HandOff(services=(Service.POLICE,)), c.PoliceReturn(reason="非警情"))
    assert (ticket.priority, ticket.verdict) == (priority, Verdict.NON_EMERGENCY)


@pytest.mark.parametrize(("l2", "kind", "priority"), [
    ("供水", None, Priority.P2), ("燃气", None, Priority.P1), ("供水", Kind.ENQUIRY, Priority.P3),
    (None, None, Priority.P3),
])
def test_a_corrected_category_or_kind_moves_it_too(l2: str | None, kind: Kind | None, priority: Priority) -> None:
    command = c.Correct(l1=L2[l2], l2=l2, kind=kind) if l2 else c.Correct(title="路灯")
    assert done(opened(), command).priority == priority


def test_what_a_person_has_set_stays_unless_the_verdict_gets_graver() -> None:
    ticket = done(opened(), c.Correct(priority=Priority.P2))
    assert done(ticket, c.Correct(l1="03", l2="路灯")).priority == Priority.P2
    raised = done(ticket, c.Reassess(verdict=Verdict.UNCLEAR))
    assert raised.priority == Priority.P1
    mildly = done(opened("燃气"), c.Correct(priority=Priority.P3))
    assert done(mildly, c.Correct(kind=Kind.ENQUIRY)).priority == Priority.P3
    lowered = done(opened(verdict=Verdict.UNCLEAR), c.Correct(priority=Priority.P2), c.Reassess(
        verdict=Verdict.NON_EMERGENCY, reason="无险情"))
    assert lowered.priority == Priority.P2


def test_one_given_with_the_command_counts() -> None:
    assert done(opened("燃气"), c.Correct(l1="09", l2="燃气", priority=Priority.P3)).priority == Priority.P3


def test_its_clocks_run_by_the_new_priority() -> None:
    unclear = done(opened(verdict=Verdict.UNCLEAR), c.Accept(), c.Dispatch(lead="城管局", directory_version="t"))
    lowered = done(unclear, c.Reassess(verdict=Verdict.NON_EMERGENCY, reason="无险情"))
    assert unclear.clocks.completion_due == NOW + timedelta(hours=2)
    assert (lowered.clocks.completion_due or NOW) > NOW + timedelta(days=5)


def test_a_message_that_tells_of_doubtful_danger_makes_the_ticket_urgent() -> None:
    triage = Triage(category=None, verdict=Verdict.UNCLEAR, kind=Kind.COMPLAINT)
    told = Inbound(channel=Channel.APP, external_id="2", appeal=Appeal(text="好像在冒烟"), received_at=NOW)
    change = continue_ticket(opened(), told, triage, rules=RULES, now=NOW)
    assert (change.ticket.verdict, change.ticket.priority) == (Verdict.UNCLEAR, Priority.P1)


def test_events_of_before_that_tell_no_priority_mean_what_they_meant() -> None:
    handed = done(opened("燃气", Verdict.EMERGENCY), c.HandOff(services=(Service.POLICE,)))
    assert decide(handed, c.PoliceReturn(reason="x"), now=NOW, policy=POLICY).ticket.priority == Priority.P3
    assert decide(opened(), c.Reassess(verdict=Verdict.UNCLEAR), now=NOW, policy=POLICY).ticket.priority == Priority.P3
