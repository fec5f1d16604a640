"""A ticket's share of the figures: equal to a plain recount over random lives, and moved exactly by what changes."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline import commands as c
from hotline.decide import decide
from hotline.events import TicketEvent
from hotline.metrics import COLUMNS, FROM_TICKETS, Metric
from hotline.shares import Share
from hotline.tally import Tally
from hotline.terms import Rating, Service
from tests.cities import NOW, POLICY
from tests.figures.lives import life
from tests.figures.recount import Counted, recount


def shared(events: list[TicketEvent], as_of: object = NOW, excluded: tuple[str, ...] = ()) -> Share:
    tally = Tally()
    for event in events:
        tally.apply(event)
    return tally.share(as_of, excluded)  # type: ignore[arg-type]


def by_department(share: Share) -> Counted:
    """Return the day lines as the recount has them."""
    found: Counted = Counter()
    for (key, column), n in share.counts.items():
        if key.grain == "day":
            figure, _, part = column.rpartition("_")
            known = part in ("num", "den")
            found[figure if known else column, part if known else "num", key.day, key.department] += n
    return +found


@settings(max_examples=400)
@given(seed=st.integers(0, 10**9), hours=st.integers(0, 2000))
def test_every_share_is_what_a_plain_recount_finds(seed: int, hours: int) -> None:
    events = life(seed, NOW)
    as_of = NOW + timedelta(hours=hours)
    assert by_department(shared(events, as_of)) == recount([events], as_of)


@settings(max_examples=100)
@given(seed=st.integers(0, 10**9), hours=st.integers(0, 500))
def test_nothing_changes_by_time_alone_before_the_moment_that_is_watched(seed: int, hours: int) -> None:
    events = life(seed, NOW)
    as_of = NOW + timedelta(hours=hours)
    now = shared(events, as_of)
    if now.watch is None:
        later = shared(events, as_of + timedelta(days=3000))
    else:
        later = shared(events, now.watch)
        assert now.watch >= as_of
    assert (now.counts, now.standing) == (later.counts, later.standing)


@settings(max_examples=100)
@given(seed=st.integers(0, 10**9), excluded=st.sets(st.sampled_from(FROM_TICKETS)))
def test_an_exclusion_takes_numerator_and_denominator_and_tells_how_much(seed: int, excluded: set[Metric]) -> None:
    events = life(seed, NOW)
    as_of = NOW + timedelta(days=60)
    whole, part = shared(events, as_of).counts, shared(events, as_of, tuple(excluded)).counts
    for column in COLUMNS:
        metric, _, kind = column.rpartition("_")
        for key in {key for key, _ in whole}:
            left_out = metric in excluded and kind in ("num", "den", "out")
            if not left_out:
                assert part[key, column] == whole[key, column]
            else:
                assert part[key, column] == (whole[key, f"{metric}_den"] if kind == "out" else 0)


def test_hours_and_days_agree() -> None:
    for seed in range(60):
        share = shared(life(seed, NOW), NOW + timedelta(days=90))
        grains: dict[str, Counter[str]] = {"day": Counter(), "hour": Counter()}
        for (key, column), n in share.counts.items():
            if key.grain in grains:
                grains[key.grain][column] += n
        assert grains["day"] == grains["hour"]


def test_a_corrected_ticket_stands_on_one_line_in_every_figure() -> None:
    for seed in range(80):
        lines = {key[4:][1:] for key, _ in shared(life(seed, NOW)).counts if key.grain == "day"}
        assert len(lines) == 1


# ── single rules, in words ───────────────────────────────────────────────────────────────────────
def events_of(*steps: tuple[float, c.Command]) -> list[TicketEvent]:
    """Return a ticket's events: commands, each so many hours after the one before."""
    from hotline.appeal import Appeal
    from hotline.decide import receive
    from hotline.terms import Channel
    from tests.cities import STREET_LIGHT

    now = NOW
    first = receive(number="DG20261120300000015", channel=Channel.WEB, appeal=Appeal(text="路灯不亮"),
                    triage=STREET_LIGHT, now=now, policy=POLICY)
    state, events = first.ticket, [first.event]
    for hours, command in steps:
        now += timedelta(hours=hours)
        state, event = decide(state, command, now=now, policy=POLICY)
        events.append(event)
    return events


def pair(share: Share, metric: Metric) -> tuple[int, int]:
    counts = share.counts
    return tuple(  # type: ignore[return-value]
        sum(n for (key, column), n in counts.items() if key.grain == "day" and column == f"{metric}_{part}")
        for part in ("num", "den")
    )


DISPATCHED = ((0, c.Accept()), (0, c.Dispatch(lead="城管局")))
RETURN = c.RequestReturn(legal_basis="条例", suggested="水务局")
DONE = (
    *DISPATCHED, (1, c.Sign()), (0, c.RecordContact()), (20, c.Reply(internal="修", public="已修")),
    (1, c.AcceptReply()),
)
CASES: dict[str, tuple[tuple[tuple[float, c.Command], ...], float, Metric, tuple[int, int]]] = {
    "not yet due, not yet counted": (DISPATCHED, 0, Metric.SIGN, (0, 0)),
    "signed in time": ((*DISPATCHED, (1, c.Sign())), 1, Metric.SIGN, (1, 1)),
    "never signed": (DISPATCHED, 24, Metric.SIGN, (0, 1)),
    "signed late": ((*DISPATCHED, (30, c.Sign())), 31, Metric.SIGN, (0, 1)),
    "asking the citizen later does not make it punctual": (
        (*DISPATCHED, (30, c.Sign()), (1, c.AskInfo(question="哪里?")), (48, c.Resume())), 1, Metric.SIGN, (0, 1)),
    "a return that is being looked at holds the clock": ((*DISPATCHED, (1, RETURN)), 100, Metric.SIGN, (0, 0)),
    "an approved return voids the round": (
        (*DISPATCHED, (1, RETURN), (1, c.ApproveReturn())), 100, Metric.SIGN, (0, 0)),
    "an approved return counts as wrong once it is dispatched anew": (
        (*DISPATCHED, (1, RETURN), (1, c.ApproveReturn()), (1, c.Dispatch(lead="水务局"))), 1, Metric.ACCURATE, (0, 1)),
    "and not before": ((*DISPATCHED, (1, RETURN), (1, c.ApproveReturn())), 1, Metric.ACCURATE, (1, 1)),
    "a refused return was no wrong dispatch": (
        (*DISPATCHED, (1, RETURN), (1, c.RefuseReturn(reason="应办"))), 1, Metric.ACCURATE, (1, 1)),
    "but it was a return": ((*DISPATCHED, (1, RETURN), (1, c.RefuseReturn(reason="应办"))), 1, Metric.RETURNED, (1, 1)),
    "contact is measured against every dispatch": (DISPATCHED, 0, Metric.CONTACT, (0, 1)),
    "what is taken back before its time is nobody's miss": (
        (*DISPATCHED, (0.1, c.TakeBack(reason="改派"))), 100, Metric.CONTACT, (0, 0)),
    "nor what is withdrawn": ((*DISPATCHED, (0.1, c.Withdraw(reason="不用了"))), 100, Metric.CONTACT, (0, 0)),
    "nor what turns out to be a duplicate": ((*DISPATCHED, (0.1, c.Merge(parent=1))), 100, Metric.CONTACT, (0, 0)),  # type: ignore[arg-type]
    "nor what goes to 110": (
        (*DISPATCHED, (0.1, c.HandOff(services=(Service.POLICE,)))), 100, Metric.CONTACT, (0, 0)),
    "who was reached before that was reached": (
        (*DISPATCHED, (0.1, c.RecordContact()), (0.1, c.TakeBack(reason="改派"))), 100, Metric.CONTACT, (1, 1)),
    "who was not reached in time is a miss, whatever follows": (
        (*DISPATCHED, (40, c.TakeBack(reason="改派"))), 100, Metric.CONTACT, (0, 1)),
    "withdrawn while the citizen is asked, hours later: the clock stood": (
        (*DISPATCHED, (0.1, c.Sign()), (0.1, c.AskInfo(question="哪里?")), (40, c.Withdraw(reason="不用了"))),
        100, Metric.CONTACT, (0, 0)),
    "a reply without a word to the citizen is a miss, also when the matter is soon reopened": (
        (*DISPATCHED, (0, c.Sign()), (0.1, c.Reply(internal="修", public="已修")), (0.1, c.AcceptReply()),
         (0.1, c.SettleFollowUp(solved=True)), (0.1, c.Reopen(reason="复发"))), 100, Metric.CONTACT, (0, 1)),
    "a rejected reply does not stop the clock": (
        (*DONE[:-1], (1, c.RejectReply(reason="不详"))), 400, Metric.COMPLETION, (0, 1)),
    "handled in time": (DONE, 0, Metric.COMPLETION, (1, 1)),
    "owed a follow-up": (DONE, 0, Metric.FOLLOWED_UP, (0, 1)),
    "solved": ((*DONE, (1, c.SettleFollowUp(rating=Rating.SATISFIED, solved=True))), 0, Metric.SOLVED, (1, 1)),
    "satisfied says nothing of solved": (
        (*DONE, (1, c.SettleFollowUp(rating=Rating.SATISFIED, solved=None))), 0, Metric.SOLVED, (0, 0)),
    "nobody was reached: not asked": ((*DONE, (1, c.SettleFollowUp(unreachable=True))), 0, Metric.SOLVED, (0, 0)),
    "but followed up": ((*DONE, (1, c.SettleFollowUp(unreachable=True))), 0, Metric.FOLLOWED_UP, (1, 1)),
    "dissatisfied is not solved": ((*DONE, (1, c.DisputeFollowUp(solved=False))), 0, Metric.SOLVED, (0, 1)),
    "dissatisfied says nothing of solved either": (
        (*DONE, (1, c.DisputeFollowUp(rating=Rating.DISSATISFIED, solved=None))), 0, Metric.SOLVED, (0, 0)),
    "but is redone": (
        (*DONE, (1, c.DisputeFollowUp(rating=Rating.DISSATISFIED, solved=None))), 0, Metric.REDONE, (1, 1)),
    "the last rating of a handling counts": (
        (*DONE, (1, c.SettleFollowUp(rating=Rating.SATISFIED, solved=True)), (1, c.Rate(rating=Rating.DISSATISFIED))),
        0, Metric.SATISFIED, (0, 1)),
    "who is merged rates another handling than the one before": (
        (*DONE, (1, c.SettleFollowUp(rating=Rating.SATISFIED, solved=True)), (1, c.Reopen(reason="复发")),
         (1, c.Merge(parent=1)), (1, c.Rate(rating=Rating.DISSATISFIED))), 0, Metric.SATISFIED, (1, 2)),  # type: ignore[arg-type]
    "and that one once": (
        ((1, c.Merge(parent=1)), (1, c.Rate(rating=Rating.DISSATISFIED)), (1, c.Rate(rating=Rating.SATISFIED))),  # type: ignore[arg-type]
        0, Metric.SATISFIED, (1, 1)),
    "basically satisfied is satisfied": (
        (*DONE, (1, c.SettleFollowUp(rating=Rating.FAIRLY_SATISFIED, solved=True))), 0, Metric.SATISFIED, (1, 1)),
    "closed at the first go": ((*DONE, (1, c.SettleFollowUp(solved=True))), 0, Metric.ONE_PASS, (1, 1)),
    "reopened is not closed": (
        (*DONE, (1, c.SettleFollowUp(solved=True)), (1, c.Reopen(reason="复发"))), 0, Metric.ONE_PASS, (0, 0)),
    "answered at once": (((1, c.Answer(text="已答复")),), 0, Metric.DIRECT, (1, 1)),
    "dispatched is not answered": (DISPATCHED, 0, Metric.DIRECT, (0, 1)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_rule(case: str) -> None:
    steps, hours, metric, expected = CASES[case]
    events = events_of(*steps)
    assert pair(shared(events, events[-1].at + timedelta(hours=hours)), metric) == expected


