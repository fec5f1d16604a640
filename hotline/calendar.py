"""Statutory holidays and make-up working days (调休) of the years that the package `chinesecalendar` knows.

Later years have only the holidays with fixed dates (全国年节及纪念日放假办法, 2025: 元旦, 劳动节, 国庆节) until the
State Council publishes them and the package is updated; a city's calendar.csv can be ahead of it.
"""

from __future__ import annotations

from datetime import date

from chinese_calendar import constants

_FIXED = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
_YEARS_AHEAD = 3


def statutory_days() -> tuple[set[date], set[date]]:
    """Return (holidays, make-up working days) as fresh sets."""
    holidays, make_up_days = set(constants.holidays), set(constants.workdays)
    last = max(holidays).year
    for year in range(last + 1, last + 1 + _YEARS_AHEAD):
        holidays.update(date(year, month, day) for month, day in _FIXED)
    return holidays, make_up_days


def statutory_years() -> set[int]:
    """Return the years of which the State Council's holidays and make-up days are known, as a fresh set."""
    return {day.year for day in constants.holidays}
