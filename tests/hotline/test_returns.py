"""What a return leads to: lessons for the directory, and time to sign anew for who is refused."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from hotline import commands as c
from hotline.appeal import Category
from hotline.decide import Decision, decide
from hotline.effects import effects_of
from hotline.lessons import Basis
from hotline.terms import Kind, Priority
from hotline.ticket import Ticket
from tests.cities import NOW, POLICY
from tests.hotline.pure_tickets import PARENT, ticket


def returned(*more: c.Command) -> tuple[Ticket, Decision]:
    start = ticket(PARENT, c.Accept(), c.Dispatch(lead="城管局", directory_version="2026-1"), town="南城",
                   category=Category(l1="03", l2="路灯", confidence=1.0))
    request = c.RequestReturn(legal_basis="排水条例第五条", suggested="水务局")
    decision = None
    for command in (request, *more):
        decision = decide(start, command, now=NOW, policy=POLICY)
        start = decision.ticket
    assert decision is not None
    return start, decision


def test_an_approved_return_is_an_example_for_the_directory() -> None:
    after, decision = returned(c.ApproveReturn())
    [lesson] = effects_of(after, decision.event, signature="x").lessons
    assert (lesson.l1, lesson.l2, lesson.town) == ("03", "路灯", "南城")
    assert (lesson.from_unit, lesson.to_unit) == ("城管局", "水务局")
    assert (lesson.basis, lesson.directory_version, lesson.legal_basis) == (Basis.RETURNED, "2026-1", "排水条例第五条")


@pytest.mark.parametrize(("lead", "taught"), [("水务局", 1), ("城管局", 0)])
def test_a_ruling_teaches_only_where_it_names_another(lead: str, taught: int) -> None:
    after, decision = returned(c.Arbitrate(), c.Rule(lead=lead))
    assert len(effects_of(after, decision.event, signature="x").lessons) == taught


def test_a_refused_return_and_an_unknown_category_teach_nothing() -> None:
    after, decision = returned(c.RefuseReturn(reason="属贵局职责"))
    assert effects_of(after, decision.event, signature="x").lessons == ()
    after, decision = returned(c.ApproveReturn())
    assert effects_of(msgspec.structs.replace(after, category=None), decision.event, signature="x").lessons == ()


def test_a_refused_return_gives_the_department_its_time_to_sign_anew() -> None:
    start = ticket(PARENT, c.Accept(), c.Dispatch(lead="城管局"))
    asked = decide(start, c.RequestReturn(legal_basis="x", suggested="水务局"), now=NOW, policy=POLICY).ticket
    late = NOW + timedelta(days=3)
    refused = decide(asked, c.RefuseReturn(reason="x"), now=late, policy=POLICY).ticket
    assert refused.clocks.sign_due is not None
    assert refused.clocks.sign_due > late
    assert refused.clocks.completion_due == start.clocks.completion_due


def test_the_light_of_a_clock_for_signing_that_runs_anew_is_counted_anew() -> None:
    """The days for which the centre had the return are none of the time that the department has."""
    ticket_ = ticket(PARENT, c.Accept(), c.Dispatch(lead="城管局"))
    ticket_ = decide(ticket_, c.RequestReturn(legal_basis="x", suggested="水务局"), now=NOW, policy=POLICY).ticket
    refused_at = NOW + timedelta(days=4)  # Tuesday 10:00: 120 minutes of work end at 12:00, of which 96 are 80 %
    ticket_ = decide(ticket_, c.RefuseReturn(reason="x"), now=refused_at, policy=POLICY).ticket
    assert ticket_.clocks.sign_yellow == refused_at + timedelta(minutes=96)
    corrected = decide(ticket_, c.Correct(kind=Kind.ENQUIRY), now=refused_at, policy=POLICY).ticket
    assert corrected.clocks.sign_yellow == ticket_.clocks.sign_yellow


def test_a_refused_return_leaves_an_emergency_its_clock_for_signing() -> None:
    """What came from 110 as an emergency may lie with a department: there it runs as P1 does."""
    start = ticket(PARENT, c.Accept(), priority=Priority.P0)
    asked = c.RequestReturn(legal_basis="x", suggested="水务局")
    for command in (c.Dispatch(lead="城管局"), asked, c.RefuseReturn(reason="x")):
        start = decide(start, command, now=NOW, policy=POLICY).ticket
    assert start.clocks.sign_due == NOW + timedelta(minutes=15)
