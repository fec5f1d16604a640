"""Days that an administrator or a city has set over those that the calendar library tells. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import msgspec

from hotline.deadlines import WorkCalendar
from hotline.policy import Policy

_A_YEARS = 7
"""Days from which a year counts as set, not as one day mended: the statutory ones are thirteen."""


def announced(days: Iterable[date]) -> frozenset[int]:
    """Return the years that have a week of days or more among these."""
    return frozenset(year for year, count in Counter(day.year for day in days).items() if count >= _A_YEARS)


def with_days(policy: Policy, days: Mapping[date, bool]) -> Policy:
    """Return the policy with days set as off (True) or worked (False); a year with a week of them is announced."""
    if not days:
        return policy
    calendar = policy.calendar
    off = frozenset(day for day, is_off in days.items() if is_off)
    worked = frozenset(days) - off
    changed = msgspec.structs.replace(
        calendar, holidays=(calendar.holidays - worked) | off, make_up_days=(calendar.make_up_days - off) | worked,
        known=calendar.known | announced(days),
    )
    return msgspec.structs.replace(policy, calendar=changed)


def unusual(calendar: WorkCalendar, year: int) -> Iterable[tuple[date, bool]]:
    """Yield the days of a year that are not what their weekday says, and whether they are off."""
    day = date(year, 1, 1)
    while day.year == year:
        worked = calendar.is_working_day(day)
        if worked != (day.weekday() < 5):
            yield day, not worked
        day += timedelta(days=1)
