"""Clocks in working time, against dates worked out by hand, and as properties."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.calendar import statutory_days
from hotline.deadlines import ZONE, Unit, WorkCalendar, WorkingTime, credited, due_at, working_minutes_between


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


# 国庆 2025: 1–8 October are holidays, Sunday 28 September and Saturday 11 October are worked (国务院办公厅 notice).
GOLDEN_WEEK = WorkCalendar(
    holidays=frozenset(date(2025, 10, day) for day in range(1, 9)),
    make_up_days=frozenset({date(2025, 9, 28), date(2025, 10, 11)}),
)


@pytest.mark.parametrize(
    ("start", "amount", "unit", "expected"),
    [
        # minutes run day and night
        ("2025-10-03 23:50", 15, Unit.MINUTES, "2025-10-04 00:05"),
        # working minutes: inside a period, over lunch, over night, over the weekend, over the holiday
        ("2025-09-22 09:00", 60, Unit.WORKING_MINUTES, "2025-09-22 10:00"),
        ("2025-09-22 11:30", 60, Unit.WORKING_MINUTES, "2025-09-22 14:30"),
        ("2025-09-22 17:00", 60, Unit.WORKING_MINUTES, "2025-09-23 09:00"),
        ("2025-09-19 17:30", 30, Unit.WORKING_MINUTES, "2025-09-22 09:00"),
        ("2025-09-30 17:00", 60, Unit.WORKING_MINUTES, "2025-10-09 09:00"),
        # a clock that starts on a make-up Sunday runs on it
        ("2025-09-28 09:00", 60, Unit.WORKING_MINUTES, "2025-09-28 10:00"),
        # in the middle of the night, and exactly at the end of a period
        ("2025-09-22 02:00", 60, Unit.WORKING_MINUTES, "2025-09-22 09:30"),
        ("2025-09-22 11:00", 60, Unit.WORKING_MINUTES, "2025-09-22 12:00"),
        # working days: the day of the start does not count, the end is the close of business (民法典 201, 203)
        ("2025-09-22 09:00", 1, Unit.WORKING_DAYS, "2025-09-23 17:30"),
        ("2025-09-22 23:00", 1, Unit.WORKING_DAYS, "2025-09-23 17:30"),
        ("2025-09-26 10:00", 1, Unit.WORKING_DAYS, "2025-09-28 17:30"),  # Friday → make-up Sunday
        ("2025-09-26 10:00", 3, Unit.WORKING_DAYS, "2025-09-30 17:30"),
        ("2025-09-30 10:00", 1, Unit.WORKING_DAYS, "2025-10-09 17:30"),
        ("2025-09-30 10:00", 3, Unit.WORKING_DAYS, "2025-10-11 17:30"),  # make-up Saturday
        ("2025-10-03 10:00", 0, Unit.WORKING_DAYS, "2025-10-09 17:30"),
    ],
)
def test_due(start: str, amount: int, unit: Unit, expected: str) -> None:
    assert due_at(at(start), WorkingTime(amount, unit), GOLDEN_WEEK) == at(expected)


def test_the_statutory_calendar_knows_golden_week() -> None:
    holidays, make_up = statutory_days()
    assert {date(2025, 10, day) for day in range(1, 9)} - holidays <= {date(2025, 10, 4), date(2025, 10, 5)}
    assert {date(2025, 9, 28), date(2025, 10, 11)} <= make_up


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        due_at(datetime(2025, 9, 22, 9), WorkingTime(1), GOLDEN_WEEK)  # noqa: DTZ001 - that is the point


def test_a_negative_allowance_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        due_at(at("2025-09-22 09:00"), WorkingTime(-1), GOLDEN_WEEK)


def test_a_calendar_without_working_time_is_refused() -> None:
    closed = WorkCalendar(periods=())
    with pytest.raises(ValueError, match="ten years"):
        due_at(at("2025-09-22 09:00"), WorkingTime(5, Unit.WORKING_MINUTES), closed)


moments = st.datetimes(datetime(2025, 9, 1), datetime(2025, 10, 31)).map(lambda moment: moment.replace(tzinfo=ZONE))  # noqa: DTZ001
minutes = st.integers(0, 5000)


@given(moments, minutes)
def test_an_allowance_holds_exactly_its_working_time(start: datetime, amount: int) -> None:
    whole = start.replace(second=0, microsecond=0)
    due = due_at(whole, WorkingTime(amount, Unit.WORKING_MINUTES), GOLDEN_WEEK)
    assert due >= whole
    assert working_minutes_between(whole, due, GOLDEN_WEEK) == amount


@given(moments, minutes, minutes)
def test_allowances_add_up(start: datetime, first: int, second: int) -> None:
    halfway = due_at(start, WorkingTime(first, Unit.WORKING_MINUTES), GOLDEN_WEEK)
    whole = due_at(start, WorkingTime(first + second, Unit.WORKING_MINUTES), GOLDEN_WEEK)
    rest = due_at(halfway, WorkingTime(second, Unit.WORKING_MINUTES), GOLDEN_WEEK)
    # The end of one working period and the beginning of the next are the same point of working time.
    assert working_minutes_between(min(rest, whole), max(rest, whole), GOLDEN_WEEK) == 0


@given(moments, st.integers(0, 40), st.integers(0, 40))
def test_more_days_are_never_sooner(start: datetime, fewer: int, more: int) -> None:
    low, high = sorted((fewer, more))
    assert due_at(start, WorkingTime(low), GOLDEN_WEEK) <= due_at(start, WorkingTime(high), GOLDEN_WEEK)


@given(moments, st.integers(0, 20), st.integers(0, 10_000))
def test_a_pause_is_credited_with_its_working_time(due: datetime, days: int, length: int) -> None:
    paused_at = due - timedelta(days=days)
    resumed_at = paused_at + timedelta(minutes=length)
    moved = credited(due, paused_at, resumed_at, GOLDEN_WEEK)
    pause = working_minutes_between(paused_at, resumed_at, GOLDEN_WEEK)
    assert abs(working_minutes_between(due, moved, GOLDEN_WEEK) - pause) <= 1
    assert moved >= due
