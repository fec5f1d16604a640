"""Figures as they are handed out: frozen values for JSON, tables and reports. Pure.

`value` is numerator ÷ denominator, left out while the denominator is 0; both are always told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from hotline.deadlines import ZONE
from hotline.errors import InvalidInput
from hotline.metrics import DEFINITIONS, Metric, Reason, Unit, Volume, meets, name_of, value_of

LONGEST = 3660
"""Days that one question may span."""
_YEARS = (1980, 2999)


class By(StrEnum):
    """What figures can be split by."""

    TOTAL = "total"
    DEPARTMENT = "department"
    TOWN = "town"
    CHANNEL = "channel"
    CATEGORY = "category"
    L1 = "l1"
    KIND = "kind"
    AGENT = "agent"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


BY_LABELS: dict[By, str] = {
    By.TOTAL: "合计", By.DEPARTMENT: "承办单位", By.TOWN: "镇街", By.CHANNEL: "渠道", By.CATEGORY: "事项",
    By.L1: "事项大类", By.KIND: "诉求类型", By.AGENT: "坐席", By.HOUR: "时段", By.DAY: "日期", By.MONTH: "月份",
}
_VOLUMES = frozenset(volume.value for volume in Volume)
_GRAIN = {By.AGENT: "agent", By.HOUR: "hour"}
TELEPHONE_BY = frozenset({By.TOTAL, By.DAY, By.MONTH, By.HOUR, By.AGENT, By.TOWN})


NOWHERE = "-"
"""As a question's town: appeals that name none."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which figures: local days from `first` to `last`, both included, split `by` something, narrowed where not ""."""

    first: date
    last: date
    by: By = By.TOTAL
    department: str = ""
    town: str = ""
    channel: str = ""
    kind: str = ""
    agent: str = ""

    @property
    def end(self) -> date:
        """The day after the last one."""
        return self.last + timedelta(days=1)

    @property
    def place(self) -> str | None:
        """The town to which it is narrowed, "" for appeals that name none; None for all."""
        return "" if self.town == NOWHERE else self.town or None

    @property
    def grain(self) -> str:
        """The lines of the rollup that answer it."""
        return "agent" if self.agent else _GRAIN.get(self.by, "day")

    def checked(self) -> Question:
        """Return itself; raises InvalidInput for what the rollup cannot answer."""
        if not _YEARS[0] <= self.first.year <= self.last.year <= _YEARS[1]:
            raise InvalidInput(f"the days lie in the years {_YEARS[0]} to {_YEARS[1]}, the first before the last")
        if not self.first <= self.last or (self.last - self.first).days > LONGEST:
            raise InvalidInput(f"the days run from the first to the last, at most {LONGEST} of them")
        narrowed = [name for name in ("department", "town", "channel", "kind") if getattr(self, name)]
        if self.grain != "day" and narrowed:
            raise InvalidInput(f"figures by {self.grain} cannot be narrowed to a {narrowed[0]}")
        if self.agent and self.by not in (By.TOTAL, By.DAY, By.MONTH, By.AGENT):
            raise InvalidInput(f"figures of an agent cannot be split by {self.by}")
        return self


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One figure of one part (a department, a day …; "" for the whole). `excluded`: how much exclusions left out.

    A volume has a numerator only. `good` tells whether a goal is met.
    """

    part: str
    figure: str
    label: str
    numerator: float
    denominator: float = 0
    value: float | None = None
    unit: Unit | None = None
    goal: float | None = None
    good: bool | None = None
    excluded: int = 0


def figure_of(part: str, name: str, numerator: float, denominator: float = 0, excluded: int = 0) -> Figure:
    """Return a figure with its label, value and goal."""
    if name in _VOLUMES:
        return Figure(part=part, figure=name, label=name_of(Volume(name)), numerator=numerator)
    definition = DEFINITIONS[Metric(name)]
    value = value_of(numerator, denominator)
    return Figure(
        part=part, figure=name, label=definition.label, numerator=numerator, denominator=denominator, value=value,
        unit=definition.unit, goal=definition.goal, good=meets(definition, value), excluded=excluded,
    )


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets in one state now, and how many of them are late."""

    state: str
    label: str
    tickets: int
    late: int


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of this moment.

    Attributes:
        as_of: the moment to which they are exact; the log is taken in up to `position`.
        day: the local day that `today` counts.
        telephone: of the last 24 hours (GB/T 33358: the connect rate over any continuous 24 h).
    """

    as_of: datetime
    position: int
    day: date
    today: tuple[Figure, ...]
    telephone: tuple[Figure, ...]
    standing: tuple[Standing, ...]


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """An exclusion, or one taken back (`excluded` false), as it was made. `position` pages through them."""

    position: int
    number: str
    metric: Metric
    excluded: bool
    reason: str
    note: str
    actor: str
    at: datetime


class ReasonCount(msgspec.Struct, frozen=True, kw_only=True):
    """Exclusions in force, by metric and reason."""

    metric: Metric
    reason: Reason
    tickets: int


def local_day(moment: datetime) -> date:
    """Return the city's day of a moment."""
    return moment.astimezone(ZONE).date()


def midnight(day: date) -> datetime:
    """Return when a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


def month_of(text: str) -> tuple[date, date]:
    """Return the first and the last day of a month written 2026-10; raises InvalidInput."""
    try:
        first = datetime.strptime(f"{text}-01", "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no month such as 2026-10") from error
    if not _YEARS[0] <= first.year <= _YEARS[1]:  # at the ends of the calendar there is no month before, or after
        raise InvalidInput(f"{text!r} is no month of the years {_YEARS[0]} to {_YEARS[1]}")
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, after - timedelta(days=1)


def by_part(figures: Iterable[Figure]) -> dict[str, dict[str, Figure]]:
    """Return part → figure's name → figure, in the order in which they come."""
    found: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        found.setdefault(figure.part, {})[figure.figure] = figure
    return found


def spoken(figure: Figure | None) -> str:
    """Return a figure's value for people: 95.3%, 12分05秒, 1,234; – where there is none."""
    if figure is None or (figure.unit is not None and figure.value is None):
        return "–"
    if figure.unit is Unit.RATIO and figure.value is not None:
        return f"{figure.value:.1%}"
    if figure.unit is Unit.SECONDS and figure.value is not None:
        return duration(figure.value)
    return f"{figure.numerator:,.0f}"


def duration(seconds: float) -> str:
    """Return seconds for people: 12秒, 3分05秒, 5小时20分, 2天3小时."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}秒"
    if whole < 3600:
        return f"{whole // 60}分{whole % 60:02}秒"
    if whole < 86400:
        return f"{whole // 3600}小时{whole % 3600 // 60}分"
    return f"{whole // 86400}天{whole % 86400 // 3600}小时"


def ordered(figures: Sequence[Figure]) -> tuple[Figure, ...]:
    """Return figures in the order of their definition, volumes first."""
    place: dict[str, int] = {name: n for n, name in enumerate((*Volume, *Metric))}
    return tuple(sorted(figures, key=lambda figure: (figure.part, place[figure.figure])))
