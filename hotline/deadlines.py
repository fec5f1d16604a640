"""Clocks in working time: statutory holidays, make-up working days (调休), lunch breaks, pauses.

Counting rules: hours and minutes of working time are counted exactly; "N working days" starts on the day after and ends
with the close of business of the Nth working day (Civil Code of the PRC, articles 201 and 203). Everything is pure: the
calendar is a value, the time is passed in, and datetimes must carry a time zone.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

ZONE = ZoneInfo("Asia/Shanghai")
_LONGEST_SEARCH = 3660


class Unit(StrEnum):
    """How an allowance is counted."""

    MINUTES = "minutes"
    WORKING_MINUTES = "working_minutes"
    WORKING_DAYS = "working_days"


class WorkingTime(msgspec.Struct, frozen=True):
    """An allowance: `amount` of `unit`."""

    amount: int
    unit: Unit = Unit.WORKING_DAYS


class WorkCalendar(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Working periods of a day, holidays, and weekend days that are worked (调休), all in local time.

    `known` are the years whose holidays were announced; in others only those with fixed dates are known.
    A calendar is compared by identity: a city has one, and what is counted in it is remembered (`_nth_working_day`).
    """

    periods: tuple[tuple[time, time], ...] = ((time(8, 30), time(12, 0)), (time(14, 0), time(17, 30)))
    holidays: frozenset[date] = frozenset()
    make_up_days: frozenset[date] = frozenset()
    known: frozenset[int] = frozenset()

    def is_working_day(self, day: date) -> bool:
        """Tell whether people work on `day`."""
        return day in self.make_up_days or (day.weekday() < 5 and day not in self.holidays)

    def periods_of(self, day: date) -> list[tuple[datetime, datetime]]:
        """Return the working periods of `day` as aware datetimes; empty on a day off."""
        if not self.is_working_day(day):
            return []
        return [(datetime.combine(day, a, ZONE), datetime.combine(day, b, ZONE)) for a, b in self.periods]


def _local(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a deadline needs a time with a zone")
    return moment.astimezone(ZONE)


def _after_working_minutes(start: datetime, minutes: int, calendar: WorkCalendar) -> datetime:
    left = timedelta(minutes=minutes)
    day = start.date()
    for _ in range(_LONGEST_SEARCH):
        for opens, closes in calendar.periods_of(day):
            begin = max(opens, start)
            if begin < closes and left <= closes - begin:
                return begin + left
            left -= max(closes - begin, timedelta())
        day += timedelta(days=1)
    raise ValueError("the calendar has no working time within ten years")


@lru_cache(maxsize=4096)
def _nth_working_day(start: date, days: int, calendar: WorkCalendar) -> date:
    day, left = start, days
    for _ in range(_LONGEST_SEARCH):
        if left <= 0 and calendar.is_working_day(day):
            return day
        day += timedelta(days=1)
        left -= calendar.is_working_day(day)
    raise ValueError("the calendar has no working day within ten years")


def _after_working_days(start: datetime, days: int, calendar: WorkCalendar) -> datetime:
    return calendar.periods_of(_nth_working_day(start.date(), days, calendar))[-1][1]


@lru_cache(maxsize=4096)  # the tickets of a batch start at the same moment
def due_at(start: datetime, allowance: WorkingTime, calendar: WorkCalendar) -> datetime:
    """Return when an allowance that starts at `start` ends, in Asia/Shanghai.

    Raises:
        ValueError: `start` has no zone, the allowance is negative, or the calendar has no working time in ten years.
    """
    if allowance.amount < 0:
        raise ValueError("an allowance cannot be negative")
    local = _local(start)
    match allowance.unit:
        case Unit.MINUTES:
            return local + timedelta(minutes=allowance.amount)
        case Unit.WORKING_MINUTES:
            return _after_working_minutes(local, allowance.amount, calendar)
        case Unit.WORKING_DAYS:
            return _after_working_days(local, allowance.amount, calendar)


def working_minutes_between(start: datetime, end: datetime, calendar: WorkCalendar) -> int:
    """Return the whole minutes of working time between two moments, 0 if `end` is not later."""
    begin, finish = _local(start), _local(end)
    total, day = timedelta(), begin.date()
    while day <= finish.date():
        for opens, closes in calendar.periods_of(day):
            total += max(min(closes, finish) - max(opens, begin), timedelta())
        day += timedelta(days=1)
    return int(total.total_seconds() // 60)


def credited(due: datetime, paused_at: datetime, resumed_at: datetime, calendar: WorkCalendar) -> datetime:
    """Return `due` put off by the working time of a pause (paused and resumed before or after `due` alike)."""
    pause = working_minutes_between(paused_at, resumed_at, calendar)
    return _after_working_minutes(_local(due), pause, calendar) if pause else _local(due)


@lru_cache(maxsize=4096)
def share_of(start: datetime, due: datetime, percent: int, calendar: WorkCalendar | None) -> datetime:
    """Return when `percent` of the time from `start` to `due` has passed: working time, or plain without a calendar."""
    if calendar is None:
        return _local(start) + (due - start) * percent / 100
    minutes = working_minutes_between(start, due, calendar) * percent // 100
    return _after_working_minutes(_local(start), minutes, calendar)
