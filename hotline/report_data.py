"""What a month's report tells, gathered by one question after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from hotline.figure_ports import Figures
from hotline.metric_views import By, Figure, Question, ReasonCount, by_part, midnight, month_of

Parts = Mapping[str, Mapping[str, Figure]]
"""Part → figure's name → figure."""


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a month, and of the month before and a year before to compare with.

    Attributes:
        l1_names: names of first-level categories by code.
    """

    city: str
    first: date
    last: date
    made_at: datetime
    total: Mapping[str, Figure]
    before: Mapping[str, Figure]
    year_ago: Mapping[str, Figure]
    split: Mapping[By, Parts]
    categories_before: Parts
    telephone: Mapping[str, Figure]
    telephone_before: Mapping[str, Figure]
    telephone_days: Parts
    reasons: Sequence[ReasonCount]
    l1_names: Mapping[str, str] = {}


SPLITS = (By.DAY, By.HOUR, By.CHANNEL, By.KIND, By.CATEGORY, By.L1, By.TOWN, By.DEPARTMENT)


async def gather(
    figures: Figures, month: str, *, city: str, now: datetime, l1_names: Mapping[str, str] | None = None
) -> ReportData:
    """Gather a month (2026-10). Raises InvalidInput for another form of month, Unavailable."""
    first, last = month_of(month)
    before = month_of((first - timedelta(days=1)).strftime("%Y-%m"))
    year_ago = month_of(f"{first.year - 1}-{first.month:02}")

    async def asked(days: tuple[date, date], by: By = By.TOTAL) -> Parts:
        return by_part(await figures.figures(Question(first=days[0], last=days[1], by=by)))

    async def called(days: tuple[date, date], by: By = By.TOTAL) -> Parts:
        return by_part(await figures.telephone(Question(first=days[0], last=days[1], by=by), now))

    this = (first, last)
    return ReportData(
        city=city, first=first, last=last, made_at=now, l1_names=l1_names or {},
        total=_whole(await asked(this)), before=_whole(await asked(before)), year_ago=_whole(await asked(year_ago)),
        split={by: await asked(this, by) for by in SPLITS}, categories_before=await asked(before, By.CATEGORY),
        telephone=_whole(await called(this)), telephone_before=_whole(await called(before)),
        telephone_days=await called(this, By.DAY),
        reasons=await figures.exclusion_reasons(midnight(first), midnight(last + timedelta(days=1))),
    )


def _whole(parts: Parts) -> Mapping[str, Figure]:
    return parts.get("", {})
