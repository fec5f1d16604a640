"""What the clocks become when a kind or a priority is corrected: moments worked out by hand, and any life."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hotline import commands as c
from hotline.events import Actor, Role, TicketEvent
from hotline.terms import ClockName, Kind, Light, Priority, State
from hotline.ticket import Ticket, evolve
from tests.hotline.test_timers import MINUTE, MONDAY, after, at, dispatched, opened, swept

TO_COMPLAINT, TO_ENQUIRY = c.Correct(kind=Kind.COMPLAINT), c.Correct(kind=Kind.ENQUIRY)
TO_P1, TO_P3 = c.Correct(priority=Priority.P1), c.Correct(priority=Priority.P3)


def dues(ticket: Ticket) -> tuple[datetime | None, ...]:
    clocks = ticket.clocks
    return clocks.sign_due, clocks.contact_due, clocks.on_site_due, clocks.completion_due


# ── the ceiling ──────────────────────────────────────────────────────────────────────────────────
def test_the_ceiling_becomes_that_of_the_right_kind_from_receipt_on() -> None:
    later = MONDAY + timedelta(days=1)
    assert opened(Kind.ENQUIRY).clocks.ceiling_due == at("2026-03-11 17:30")
    assert after(opened(Kind.ENQUIRY), TO_COMPLAINT, now=later).clocks.ceiling_due == at("2026-03-30 17:30")
    assert after(opened(Kind.COMPLAINT), TO_ENQUIRY, now=later).clocks.ceiling_due == at("2026-03-11 17:30")


def test_a_reopened_matters_ceiling_runs_from_the_reopening() -> None:
    closed = after(opened(Kind.ENQUIRY), c.Answer(text="好"), c.Close())
    again = after(closed, c.Reopen(reason="再次出现"), now=at("2026-03-25 10:00"))
    assert again.clocks.ceiling_due == at("2026-03-27 17:30")
    assert after(again, TO_COMPLAINT, now=at("2026-03-26 09:00")).clocks.ceiling_due == at("2026-04-16 17:30")  # 清明


kinds = st.sampled_from(Kind)
hours = st.integers(0, 200)


@settings(max_examples=200)
@given(kinds, st.lists(st.one_of(kinds.map(lambda kind: c.Correct(kind=kind)), hours), max_size=8))
def test_any_way_to_a_kind_leads_to_the_ceiling_it_would_have_had(first: Kind, life: list[c.Correct | int]) -> None:
    """Corrections and pauses in any order; the other ticket had the last kind from the beginning, and its pauses."""
    last = next((one.kind for one in reversed(life) if isinstance(one, c.Correct)), first)
    corrected, right, now = opened(first), opened(last or first), MONDAY
    for step in life:
        if isinstance(step, c.Correct):
            corrected = after(corrected, step, now=now)
            continue
        corrected, right = (after(one, c.AskInfo(question="?"), now=now) for one in (corrected, right))
        now += timedelta(hours=step)
        corrected, right = (after(one, c.SupplyInfo(text="南城"), now=now) for one in (corrected, right))
    assert corrected.clocks.ceiling_due == right.clocks.ceiling_due


def test_a_parent_keeps_the_ceiling_that_a_merged_ticket_was_promised() -> None:
    adopt = c.Adopt(child="DG20260309100000023", ceiling_due=at("2026-03-17 17:30"), completion_due=None)  # type: ignore[arg-type]
    assert after(opened(Kind.ENQUIRY), adopt, TO_COMPLAINT).clocks.ceiling_due == at("2026-03-17 17:30")


# ── a department's clocks ────────────────────────────────────────────────────────────────────────
def test_what_gets_longer_runs_from_the_dispatch_as_if_it_had_been_right() -> None:
    later = MONDAY + timedelta(days=1)
    assert dues(after(dispatched(Kind.ENQUIRY), TO_COMPLAINT, now=later)) == dues(dispatched(Kind.COMPLAINT))
    assert dues(after(dispatched(priority=Priority.P1), TO_P3, now=later)) == dues(dispatched())


def test_what_gets_shorter_or_is_new_runs_from_the_correction() -> None:
    now = MONDAY + 30 * MINUTE
    urgent = after(dispatched(), TO_P1, now=now)
    assert dues(urgent) == tuple(now + minutes * MINUTE for minutes in (15, 30, 60, 120))
    enquiry = after(dispatched(), TO_ENQUIRY, now=MONDAY + timedelta(days=1))
    assert enquiry.clocks.completion_due == enquiry.clocks.ceiling_due == at("2026-03-11 17:30")


def test_what_was_overdue_before_it_got_shorter_stays_so() -> None:
    unsigned = dispatched()
    late = MONDAY + timedelta(hours=3)
    assert after(unsigned, TO_P1, now=late).clocks.sign_due == unsigned.clocks.sign_due == at("2026-03-09 11:00")
    assert after(unsigned, TO_P1, TO_P3, now=late).clocks.sign_due == at("2026-03-09 11:00")


def test_a_ceiling_that_is_over_with_the_right_kind_is_due_at_once_not_in_the_past() -> None:
    now = MONDAY + timedelta(days=4)
    clocks = after(dispatched(), TO_ENQUIRY, now=now).clocks
    assert (clocks.ceiling_due, clocks.completion_due) == (at("2026-03-11 17:30"), now)


def test_a_refused_returns_new_time_to_sign_is_counted_anew_too() -> None:
    refused = after(
        dispatched(priority=Priority.P1), c.RequestReturn(legal_basis="派单目录第3条", suggested="水务局"),  # type: ignore[arg-type]
        c.RefuseReturn(reason="属贵局"), now=MONDAY + 60 * MINUTE,
    )
    assert refused.clocks.sign_due == MONDAY + 75 * MINUTE
    assert after(refused, TO_P3, now=MONDAY + 70 * MINUTE).clocks.sign_due == at("2026-03-09 12:00")


def test_what_is_done_stays_as_it_was() -> None:
    done = after(dispatched(), c.Sign(), c.RecordContact(), now=MONDAY + 90 * MINUTE)
    urgent = after(done, TO_P1, now=MONDAY + 95 * MINUTE).clocks
    assert (urgent.sign_due, urgent.contact_due) == (done.clocks.sign_due, done.clocks.contact_due)
    assert urgent.completion_due == MONDAY + 215 * MINUTE


def test_a_kind_corrected_in_review_counts_for_the_reply_and_for_one_that_is_sent_back() -> None:
    late = at("2026-03-12 09:00")
    replied = after(dispatched(Kind.ENQUIRY), c.Sign(), c.Reply(internal="已办", public="已修复"), now=late)
    assert after(replied, TO_COMPLAINT, now=late).clocks.completion_due == at("2026-03-23 17:30")
    accepted = after(replied, c.AcceptReply(), now=late)
    assert after(accepted, TO_COMPLAINT, now=late).clocks.completion_due == at("2026-03-10 17:30")


def test_what_an_extension_and_a_pause_have_moved_stays_moved() -> None:
    handling = after(dispatched(Kind.SUGGESTION), c.Sign())
    longer = after(handling, c.RequestExtension(days=3, reason="需开挖"), c.GrantExtension())
    assert longer.clocks.completion_due == at("2026-03-19 17:30")
    assert after(longer, TO_COMPLAINT).clocks.completion_due == at("2026-03-26 17:30")
    asked = after(handling, c.AskInfo(question="?"), now=at("2026-03-10 09:00"))
    back = at("2026-03-10 10:00")
    assert after(after(asked, c.Resume(), now=back), TO_COMPLAINT, now=back).clocks.completion_due == (
        after(after(asked, TO_COMPLAINT, now=back), c.Resume(), now=back).clocks.completion_due
    ) == at("2026-03-24 09:30")


def test_lights_and_supervision_follow_the_corrected_clock() -> None:
    late, facts = swept(after(dispatched(Kind.ENQUIRY), c.Sign(), c.RecordContact()), at("2026-03-10 18:00"))
    assert "completion_red" in late.lights
    assert any(isinstance(fact, c.Supervise) for fact in facts)
    clocks = after(late, TO_COMPLAINT, now=at("2026-03-10 18:00"))
    assert not {"completion_red", "completion_yellow"} & clocks.lights
    urgent, facts = swept(after(dispatched(), TO_P1), MONDAY + 16 * MINUTE)
    assert [(f.clock, f.light) for f in facts if isinstance(f, c.ShowLight)] == [
        (ClockName.SIGN, Light.YELLOW), (ClockName.SIGN, Light.RED)
    ]
    assert urgent.clocks.sign_yellow == MONDAY + 12 * MINUTE


def test_what_turns_urgent_waits_no_longer_than_the_urgent() -> None:
    received = opened()
    assert received.clocks.wait_until == MONDAY + 60 * MINUTE
    assert after(received, TO_P1).clocks.wait_until == MONDAY + 5 * MINUTE
    assert after(received, TO_P1, now=MONDAY + 58 * MINUTE).clocks.wait_until == MONDAY + 60 * MINUTE


# ── what stays ───────────────────────────────────────────────────────────────────────────────────
def test_other_corrections_and_finished_tickets_move_nothing() -> None:
    ticket = dispatched()
    named = c.Correct(kind=Kind.COMPLAINT, priority=Priority.P3, title="更正")
    assert after(ticket, named, now=at("2026-03-12 09:00")).clocks == ticket.clocks
    withdrawn = after(ticket, c.Withdraw(reason="不用了"))
    assert after(withdrawn, TO_ENQUIRY).clocks == withdrawn.clocks


def test_a_correction_of_before_replays_to_what_it_was() -> None:
    """Its event carries no clocks: it moved none then, and moves none when it is read."""
    ticket = dispatched(Kind.ENQUIRY)
    event = TicketEvent(
        version=ticket.version + 1, at=MONDAY, actor=Actor(Role.AGENT, "zhang"), fact=TO_COMPLAINT,
        state=State.PENDING_SIGN,
    )
    assert evolve(ticket, event).clocks == ticket.clocks
