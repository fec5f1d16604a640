"""The month's report (运行月报) as one page of HTML, ready to print: no script, nothing from elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from html import escape

from hotline.charts import Series, bars, columns, lines
from hotline.deadlines import ZONE
from hotline.metric_tables import part_name
from hotline.metric_views import By, Figure, spoken
from hotline.metrics import DEFINITIONS, TELEPHONE, Metric, Volume, name_of
from hotline.report_data import ReportData
from hotline.report_style import STYLE

_TOP = 20
_LEAST = 10
"""Appeals below which a rise means nothing."""
_M, _V = Metric, Volume
_HEADLINES = (
    _M.DIRECT, _M.SIGN, _M.CONTACT, _M.COMPLETION, _M.FOLLOWED_UP, _M.SOLVED, _M.SATISFIED, _M.ONE_PASS, _M.ACCURATE,
    _M.RETURNED, _M.REDONE, _M.DURATION, _M.CHAT_ANSWERED,
)
_DEPARTMENTS = (
    _V.DISPATCHED, _M.SIGN, _M.CONTACT, _M.COMPLETION, _M.SOLVED, _M.SATISFIED, _M.ONE_PASS, _M.RETURNED, _M.REDONE,
)


def render(data: ReportData) -> str:
    """Return the page."""
    title = f"{data.city}12345热线 {data.first.year}年{data.first.month}月运行月报"
    made = data.made_at.astimezone(ZONE).strftime("%Y年%m月%d日 %H:%M")
    sections = (
        _overview(data), _arrivals(data), _matters(data), _places(data), _departments(data), _telephone(data),
        _exclusions(data), _definitions(),
    )
    return (
        f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p class=sub>统计期:{data.first}至{data.last} · 生成时间:{made}</p>"
        f"{''.join(sections)}</body></html>\n"
    )


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _figure(title: str, chart: str) -> str:
    return f"<figure><figcaption>{escape(title)}</figcaption>{chart}</figure>" if chart else ""


def _count(figures: Mapping[str, Figure], name: str) -> float:
    return figures[name].numerator if name in figures else 0


def change(now: Figure | None, before: Figure | None) -> str:
    """Return how a figure moved: percentage points for a ratio, per cent for others, – where there is nothing."""
    if now is None or before is None:
        return "–"
    ratio = now.unit is not None and now.unit.value == "ratio"
    new = now.value if now.unit is not None else now.numerator
    old = before.value if before.unit is not None else before.numerator
    if new is None or old is None or (not ratio and not old):
        return "–"
    return f"{(new - old) * 100:+.1f}个百分点" if ratio else f"{(new - old) / old:+.1%}"


def _goal(figure: Figure | None) -> str:
    if figure is None or figure.goal is None:
        return "–"
    definition = DEFINITIONS[Metric(figure.figure)]
    sign = "≤" if definition.at_most else "≥"
    goal = f"{figure.goal:.0%}" if definition.unit.value == "ratio" else f"{figure.goal:.0f}秒"
    mark = {True: "<b class=good>达标</b>", False: "<b class=bad>未达标</b>", None: "–"}[figure.good]
    return f"{sign}{goal} {mark}"


def _compared(names: Iterable[Metric | Volume], *months: Mapping[str, Figure]) -> list[list[str]]:
    now, before, year_ago = months
    return [
        [escape(name_of(name)), spoken(now.get(name)), change(now.get(name), before.get(name)),
         change(now.get(name), year_ago.get(name)), _goal(now.get(name))]
        for name in names
    ]


def _overview(data: ReportData) -> str:
    days = (data.last - data.first).days + 1
    received = _count(data.total, _V.RECEIVED)
    now, before, year_ago = (month.get(_V.RECEIVED) for month in (data.total, data.before, data.year_ago))
    of = {volume: f"{_count(data.total, volume):,.0f}件" for volume in Volume}
    text = (
        f"本月共受理诉求{of[_V.RECEIVED]},日均{received / days:,.0f}件"
        f"(环比{change(now, before)},同比{change(now, year_ago)});"
        f"其中紧急诉求{of[_V.EMERGENCIES]},移交110等{of[_V.HANDED_OFF]}。"
        f"派单{of[_V.DISPATCHED]},办结{of[_V.CLOSED]}。按时办结率{spoken(data.total.get(_M.COMPLETION))},"
        f"解决率{spoken(data.total.get(_M.SOLVED))},满意率{spoken(data.total.get(_M.SATISFIED))}。"
    )
    header = ("指标", "本月", "环比", "同比", "目标")
    months = (data.total, data.before, data.year_ago)
    return _section(
        "一、总体情况", f"<p>{text}</p>", _table(header, _compared(_HEADLINES, *months)),
        _table(header[:4], [row[:4] for row in _compared(Volume, *months)]),
    )


def _arrivals(data: ReportData) -> str:
    days = [data.first + timedelta(days=n) for n in range((data.last - data.first).days + 1)]
    of_day = data.split[By.DAY]
    series = [
        Series(name_of(volume), [_count(of_day.get(day.isoformat(), {}), volume) for day in days])
        for volume in (_V.RECEIVED, _V.CLOSED)
    ]
    hours = data.split[By.HOUR]
    by_hour = [(f"{hour}", _count(hours.get(f"{hour:02}", {}), _V.RECEIVED)) for hour in range(24)]
    return _section(
        "二、受理情况",
        _figure("每日受理与办结(件)", lines("每日受理与办结", [f"{day.day}日" for day in days], series)),
        _figure("分时段受理(件,按小时)", columns("分时段受理", by_hour if any(n for _, n in by_hour) else [])),
        _figure("来源渠道(件)", bars("来源渠道", _ranked(data, By.CHANNEL))),
        _figure("诉求类型(件)", bars("诉求类型", _ranked(data, By.KIND))),
    )


def _ranked(data: ReportData, by: By, volume: Volume = _V.RECEIVED) -> list[tuple[str, float]]:
    """Return parts with how many they have, the most first."""
    found = [(_named(data, by, part), _count(figures, volume)) for part, figures in data.split[by].items()]
    return sorted((pair for pair in found if pair[1]), key=lambda pair: (-pair[1], pair[0]))


def _named(data: ReportData, by: By, part: str) -> str:
    if by is By.L1:
        return data.l1_names.get(part, part) or "未分类"
    if by is By.CATEGORY:
        l1, _, l2 = part.partition("/")
        return f"{data.l1_names.get(l1, l1)}/{l2}" if l2 else "未分类"
    return part_name(by, part)


def _matters(data: ReportData) -> str:
    rows, rising = [], []
    received = _count(data.total, _V.RECEIVED) or 1
    for part, figures in data.split[By.CATEGORY].items():
        now, then = figures.get(_V.RECEIVED), data.categories_before.get(part, {}).get(_V.RECEIVED)
        n = _count(figures, _V.RECEIVED)
        row = [escape(_named(data, By.CATEGORY, part)), f"{n:,.0f}", f"{n / received:.1%}", change(now, then)]
        rows.append((n, row))
        old = then.numerator if then is not None else 0
        if n >= _LEAST and n > old:
            rising.append(((n - old) / max(old, 1) ** 0.5, row))
    rows.sort(key=lambda pair: (-pair[0], pair[1][0]))
    rising.sort(key=lambda pair: (-pair[0], pair[1][0]))
    header = ("事项", "件数", "占比", "环比")
    return _section(
        "三、诉求事项", _figure("事项大类(件)", bars("事项大类", _ranked(data, By.L1))),
        f"<h3>诉求最多的{min(_TOP, len(rows))}个事项</h3>", _table(header, [row for _, row in rows[:_TOP]]),
        "<h3>增长突出的事项</h3>", _table(header, [row for _, row in rising[:10]]),
    )


def _places(data: ReportData) -> str:
    return _section("四、诉求区域", _figure("各镇街(园区)诉求(件)", bars("各镇街诉求", _ranked(data, By.TOWN))))


def _departments(data: ReportData) -> str:
    found = [(part, figures) for part, figures in data.split[By.DEPARTMENT].items() if part]
    found.sort(key=lambda pair: (-_count(pair[1], _V.DISPATCHED), pair[0]))
    rows = [
        [escape(part), *(spoken(figures.get(name)) for name in _DEPARTMENTS)] for part, figures in found
        if any(figure.numerator or figure.denominator for figure in figures.values())
    ]
    return _section("五、承办单位办理情况", _table(("承办单位", *(name_of(name) for name in _DEPARTMENTS)), rows))


def _telephone(data: ReportData) -> str:
    if not data.telephone:
        return _section("六、电话服务", "<p>本月没有话务数据。</p>")
    rows = [
        [escape(name_of(name)), spoken(data.telephone.get(name)),
         change(data.telephone.get(name), data.telephone_before.get(name)), _goal(data.telephone.get(name))]
        for name in TELEPHONE
    ]
    days = list(data.telephone_days)
    chart = lines(
        "每日接通率", [f"{int(day[-2:])}日" for day in days],
        [Series(name_of(name), [_value(data.telephone_days[day].get(name)) for day in days])
         for name in (_M.CONNECTED, _M.SERVICE_LEVEL)], say=lambda value: f"{value:.0%}", top=1.0,
    )
    return _section(
        "六、电话服务", _table(("指标", "本月", "环比", "目标"), rows), _figure("每日接通率与15秒接通率", chart))


def _value(figure: Figure | None) -> float | None:
    return figure.value if figure is not None else None


def _exclusions(data: ReportData) -> str:
    left_out = [(name, data.total[name].excluded) for name in _HEADLINES if name in data.total]
    rows = [[escape(name_of(name)), f"{n:,}"] for name, n in left_out if n]
    reasons = [[escape(name_of(r.metric)), escape(name_of(r.reason)), f"{r.tickets:,}"] for r in data.reasons]
    if not rows and not reasons:
        return _section("七、剔除情况", "<p>本月没有剔除。</p>")
    return _section(
        "七、剔除情况", "<p>经核实不合理、超出职责等的工单,由班长逐件剔除并说明理由,可恢复,全部留痕。</p>",
        _table(("指标", "本月未计入(件)"), rows), _table(("指标", "原因", "本月作出的剔除(件)"), reasons),
    )


def _definitions() -> str:
    rows = [
        [escape(d.label), escape(d.numerator), escape(d.denominator), escape(d.when)] for d in DEFINITIONS.values()
    ]
    return _section("附:指标口径", _table(("指标", "分子", "分母", "归入日期的时刻"), rows))
