"""回拨: every missed call is owed once, held by one, tried, and ends in one of three ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.deadlines import ZONE
from hotline.errors import Forbidden, HotlineError, IllegalTransition
from hotline.policy import CallbackRules
from hotline.terms import TryResult
from routing import callbacks as rules_of
from routing.callbacks import (
    CALLBACKS,
    Callback,
    CallbackState,
    MissedCall,
    Outcome,
    owed,
)
from tests.cities import POLICY

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # Friday 10:00
RULES = CallbackRules()
MISSED = MissedCall(call="c1", phone="+8613800138000", at=NOW)
MINUTE = timedelta(minutes=1)


def entry(**changes: object) -> Callback:
    return msgspec.structs.replace(owed(MISSED, RULES, POLICY.calendar), id=1, **changes)


def test_a_missed_call_is_to_be_tried_at_once_and_late_after_half_an_hour() -> None:
    fresh = entry()
    assert (fresh.state, fresh.next_at, fresh.due_at) == (CallbackState.OWED, NOW, NOW + 30 * MINUTE)
    assert rules_of.lapsed(fresh, now=NOW + 29 * MINUTE) is None
    late = rules_of.lapsed(fresh, now=NOW + 30 * MINUTE)
    assert late is not None
    assert late.late
    assert rules_of.lapsed(late, now=NOW + 300 * MINUTE) is None


def test_one_agent_holds_it_for_a_while() -> None:
    held = rules_of.assigned(entry(), "li", RULES, now=NOW)
    assert rules_of.assigned(held, "li", RULES, now=NOW).agent == "li"
    with pytest.raises(IllegalTransition, match="is with li"):
        rules_of.assigned(held, "chen", RULES, now=NOW)
    assert rules_of.lapsed(held, now=NOW + 14 * MINUTE) is None
    back = rules_of.lapsed(held, now=NOW + 15 * MINUTE)
    assert back is not None
    assert (back.state, back.agent) == (CallbackState.OWED, "")


def test_three_tries_lie_apart_and_end_it() -> None:
    one, now, moments = entry(), NOW, []
    for _ in range(3):
        assert one.next_at is not None
        now = max(now, one.next_at)
        moments.append(f"{now.astimezone(ZONE):%d %H:%M}")
        one = rules_of.tried(rules_of.assigned(one, "li", RULES, now=now), "li", TryResult.NO_ANSWER, RULES, now=now)
    assert moments == ["20 10:00", "20 10:30", "20 14:30"]
    assert (one.state, one.outcome, one.next_at, len(one.tries)) == (CallbackState.DONE, Outcome.UNREACHABLE, None, 3)


@pytest.mark.parametrize(("clock", "expected"), [
    ("21:10", "21 07:30"), ("03:00", "20 07:30"), ("21:29", "21 07:30"), ("12:00", "20 12:30"),
])
def test_a_second_try_is_made_by_day(clock: str, expected: str) -> None:
    now = datetime.fromisoformat(f"2026-11-20 {clock}").replace(tzinfo=ZONE)
    held = rules_of.assigned(entry(), "li", RULES, now=now)
    later = rules_of.tried(held, "li", TryResult.BUSY, RULES, now=now).next_at
    assert later is not None
    assert f"{later.astimezone(ZONE):%d %H:%M}" == expected


def test_a_wrong_number_is_not_tried_again() -> None:
    held = rules_of.assigned(entry(), "li", RULES, now=NOW)
    assert rules_of.tried(held, "li", TryResult.WRONG_NUMBER, RULES, now=NOW).outcome is Outcome.UNREACHABLE


def test_only_who_has_it_tells_how_it_went() -> None:
    with pytest.raises(Forbidden, match="take callback"):
        rules_of.reached(entry(), "li", now=NOW)
    held = rules_of.assigned(entry(), "li", RULES, now=NOW)
    with pytest.raises(Forbidden):
        rules_of.tried(held, "chen", TryResult.BUSY, RULES, now=NOW)


def test_a_call_that_was_answered_ends_it_whoever_has_it_by_then_and_nothing_that_was_told_by_hand() -> None:
    began, over = NOW + MINUTE, NOW + 20 * MINUTE
    held = rules_of.assigned(entry(), "li", RULES, now=NOW)
    ended = rules_of.spoken(held, "chen", since=began, now=over)
    assert (ended.outcome, ended.agent, ended.done_at) == (Outcome.REACHED, "chen", over)
    before = rules_of.tried(held, "li", TryResult.BUSY, RULES, now=NOW)
    again = rules_of.assigned(before, "li", RULES, now=began)
    assert rules_of.spoken(again, "li", since=began, now=over).outcome is Outcome.REACHED
    told = rules_of.tried(again, "li", TryResult.NO_ANSWER, RULES, now=began + MINUTE)
    for left in (told, rules_of.assigned(told, "chen", RULES, now=over), rules_of.given_back(held, now=began), ended):
        with pytest.raises(IllegalTransition, match="told already"):
            rules_of.spoken(left, "li", since=began, now=over)


ACTS = st.sampled_from(["take", "take_other", "back", "no_answer", "busy", "reached", "again", "lapse"])


@settings(max_examples=300)
@given(st.lists(st.tuples(ACTS, st.integers(0, 600)), max_size=25))
def test_every_life_keeps_to_the_table_and_ends_in_one_way(life: list[tuple[str, int]]) -> None:
    one, now = entry(), NOW
    acts = {
        "take": lambda: rules_of.assigned(one, "li", RULES, now=now),
        "take_other": lambda: rules_of.assigned(one, "chen", RULES, now=now),
        "back": lambda: rules_of.given_back(one, now=now),
        "no_answer": lambda: rules_of.tried(one, "li", TryResult.NO_ANSWER, RULES, now=now),
        "busy": lambda: rules_of.tried(one, "chen", TryResult.BUSY, RULES, now=now),
        "reached": lambda: rules_of.reached(one, "li", now=now),
        "again": lambda: rules_of.done(one, Outcome.CALLED_AGAIN, now=now),
        "lapse": lambda: rules_of.lapsed(one, now=now) or one,
    }
    for name, minutes in life:
        now += minutes * MINUTE
        before = one
        try:
            one = acts[name]()
        except HotlineError:
            assert one == before
            continue
        assert one.state is before.state or one.state in CALLBACKS[before.state]
        assert (one.state is CallbackState.DONE) == (one.outcome is not None) == (one.next_at is None)
        assert (one.state is CallbackState.ASSIGNED) <= bool(one.agent)
        assert len(one.tries) <= 3
