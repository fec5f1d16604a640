"""The month's report and the page of definitions: complete, escaped, the same each time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hotline.charts import Series, bars, columns, lines
from hotline.errors import InvalidInput
from hotline.metric_page import page
from hotline.metric_views import By, Question, ReasonCount, duration, figure_of, month_of, spoken
from hotline.metrics import DEFINITIONS, Metric, Reason, Unit, Volume, name_of
from hotline.report import change, render
from hotline.report_data import SPLITS, Parts, ReportData, gather

NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
HARM = "<script>alert(1)</script>&\"'"


def parts(*names: str, n: int = 10) -> Parts:
    figures = {volume.value: figure_of("", volume, n) for volume in Volume}
    figures |= {metric.value: figure_of("", metric, n - 1, n) for metric in Metric}
    return dict.fromkeys(names, figures)


def data(**changes: object) -> ReportData:
    whole, before = parts("")[""], parts("", n=8)[""]
    given: dict[str, object] = {
        "city": HARM, "first": date(2026, 10, 1), "last": date(2026, 10, 31), "made_at": NOW, "total": whole,
        "before": before, "year_ago": {}, "categories_before": parts("03/路灯", n=3), "telephone": whole,
        "telephone_before": before, "telephone_days": parts("2026-10-01", "2026-10-02"),
        "reasons": [ReasonCount(metric=Metric.SOLVED, reason=Reason.BEYOND_DUTY, tickets=2)],
        "l1_names": {"03": "城市管理"},
        "split": {
            By.DAY: parts("2026-10-01", "2026-10-02"), By.HOUR: parts("09", "10"), By.CHANNEL: parts("web"),
            By.KIND: parts("complaint"), By.CATEGORY: parts("03/路灯", f"04/{HARM}"), By.L1: parts("03", ""),
            By.TOWN: parts("南城", ""), By.DEPARTMENT: parts("", HARM),
        },
    }
    return ReportData(**(given | changes))  # type: ignore[arg-type]


def test_the_report_tells_every_metric_and_its_definition() -> None:
    text = render(data())
    for definition in DEFINITIONS.values():
        assert definition.label in text
    for heading in ("一、", "二、", "三、", "四、", "五、", "六、", "七、", "附:"):
        assert heading in text
    assert "城市管理/路灯" in text
    assert "超出职责" in text
    assert text == render(data())


def test_nothing_that_people_wrote_is_markup() -> None:
    text = render(data())
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    for svg in text.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + svg.partition("</svg>")[0] + "</svg>")


def test_a_month_without_anything_still_makes_a_report() -> None:
    nothing: Parts = {}
    text = render(data(
        total={}, before={}, telephone={}, telephone_before={}, telephone_days={}, reasons=[], categories_before={},
        split=dict.fromkeys(SPLITS, nothing),
    ))
    assert "本月没有话务数据" in text
    assert "本月没有剔除" in text


class NoFigures:
    """A house in which nothing has happened."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    async def figures(self, asked: Question) -> tuple[object, ...]:
        self.asked.append(asked.checked())
        return ()

    async def telephone(self, asked: Question, now: datetime) -> tuple[object, ...]:
        return ()

    async def exclusion_reasons(self, start: datetime, end: datetime) -> list[ReasonCount]:
        return []


async def test_a_report_compares_with_the_month_and_the_year_before() -> None:
    house = NoFigures()
    found = await gather(house, "2026-01", city="东莞市", now=NOW)  # type: ignore[arg-type]
    days = {(q.first, q.last) for q in house.asked}
    assert days == {
        (date(2026, 1, 1), date(2026, 1, 31)), (date(2025, 12, 1), date(2025, 12, 31)),
        (date(2025, 1, 1), date(2025, 1, 31)),
    }
    assert "2026年1月" in render(found)


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-1-1", "x", "0000-01", "0001-01", "9999-12"])
def test_a_month_that_is_none(text: str) -> None:
    with pytest.raises(InvalidInput, match="no month"):
        month_of(text)


@pytest.mark.parametrize(("first", "last"), [
    (date(1, 1, 1), date(1, 1, 2)), (date(9999, 12, 1), date(9999, 12, 31)), (date(2026, 2, 1), date(2026, 1, 1)),
])
def test_days_that_nobody_can_ask_for(first: date, last: date) -> None:
    """At the ends of the calendar the day before, or after, is none."""
    with pytest.raises(InvalidInput, match="the days"):
        Question(first=first, last=last).checked()


def test_the_page_of_definitions_is_the_one_in_docs() -> None:
    assert Path("docs/metrics.md").read_text(encoding="utf-8") == page()


def test_every_metric_stands_in_sql_with_numerator_and_denominator() -> None:
    sql = "".join(Path(f"hotline/store/sql/{name}.sql").read_text(encoding="utf-8") for name in ("metrics", "calls"))
    for metric in Metric:
        assert sql.count(f"'{metric}',") + sql.count(f"'{metric}' AS metric") == 1, metric


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0秒"), (59.4, "59秒"), (65, "1分05秒"), (3725, "1小时2分"), (90_000, "1天1小时"),
])
def test_durations_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_how_a_figure_is_told_and_how_it_moved() -> None:
    rate, before = figure_of("", "solved", 953, 1000), figure_of("", "solved", 900, 1000)
    assert (spoken(rate), change(rate, before), rate.good, before.good) == ("95.3%", "+5.3个百分点", True, False)
    assert spoken(figure_of("", "solved", 0, 0)) == "–"
    assert change(figure_of("", "received", 12), figure_of("", "received", 10)) == "+20.0%"
    assert change(figure_of("", "received", 12), figure_of("", "received", 0)) == "–"
    assert change(figure_of("", "asa", 30, 2), figure_of("", "asa", 20, 2)) == "+50.0%"
    assert figure_of("", "asa", 30, 2).good is True
    assert {name_of(metric) for metric in Metric} == {d.label for d in DEFINITIONS.values()}
    assert {d.unit for d in DEFINITIONS.values()} == set(Unit)


def test_charts_of_nothing_are_nothing() -> None:
    assert bars("x", []) == columns("x", []) == lines("x", [], []) == ""
    assert lines("x", ["1"], [Series("a", [None])]) == ""


def test_a_gap_in_a_line_is_a_gap() -> None:
    svg = lines("x", ["1", "2", "3"], [Series("a", [1.0, None, 2.0])])
    assert svg.count("M") >= 2
    ElementTree.fromstring(svg)
