"""Staffing on paper: the CSV of expected calls in, a table and a page with a chart out. Pure."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from html import escape

from hotline.errors import InvalidInput
from routing.staffing import Need, Slot, Target

COLUMNS = ("start", "calls", "handling")
_WIDTH, _HEIGHT, _LEFT, _FOOT = 960, 300, 44, 40
_HEADINGS = (
    "时段", "来电", "处理时长(秒)", "话务量(erl)", "坐席", "排班", "服务水平", "平均等待(秒)", "放弃率", "占用率",
)
_STYLE = """body{font:16px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;margin:2rem auto;max-width:62rem;color:#1c2733}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:.25rem .6rem;text-align:right;
border-bottom:1px solid #d8dee6}th:first-child,td:first-child{text-align:left}svg{width:100%;height:auto}
.calls{fill:#c9d8ec}.agents{fill:none;stroke:#b3261e;stroke-width:2.5}.axis{fill:#55606e;font-size:12px}
@media print{body{margin:0}}"""


def read_slots(text: str) -> list[Slot]:
    """Return the slots of a CSV with the columns start, calls, handling (seconds).

    Raises:
        InvalidInput: every mistake, with its line.
    """
    reader = csv.DictReader(text.removeprefix("\ufeff").splitlines(keepends=True))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise InvalidInput(f"line 1: the columns {', '.join(missing)} are missing; needed: {', '.join(COLUMNS)}")
    slots, wrong = list[Slot](), list[str]()
    for line, row in enumerate(reader, start=2):
        try:
            calls, handling = float(row["calls"]), float(row["handling"])
        except (TypeError, ValueError):
            wrong.append(f"line {line}: calls and handling are numbers, not {row['calls']!r} and {row['handling']!r}")
            continue
        if not (0 <= calls < 1e6 and 0 < handling < 86400):
            wrong.append(f"line {line}: calls from 0 to a million, handling above 0 and below a day in seconds")
        slots.append(Slot(start=row["start"].strip(), calls=calls, handling=handling))
    if wrong:
        raise InvalidInput("\n".join(wrong))
    if not slots:
        raise InvalidInput("there are no slots: give one line for each half hour")
    return slots


def table(needs: Sequence[Need]) -> str:
    """Return the plan as CSV for the roster."""
    lines = _Lines()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["start", "calls", "handling", "erlangs", "agents", "agents_erlang_c", "rostered", "level",
                     "wait_s", "abandoned", "occupancy"])
    for one in needs:
        slot, found = one.slot, one.service
        writer.writerow([slot.start, f"{slot.calls:g}", f"{slot.handling:g}", f"{one.load:.2f}", one.agents,
                         one.patient, one.rostered, f"{found.level:.4f}", f"{found.wait:.2f}", f"{found.abandoned:.4f}",
                         f"{found.occupancy:.3f}"])
    return "".join(lines.written)


class _Lines:
    """What `csv.writer` writes to."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, line: str) -> None:
        """Keep a line."""
        self.written.append(line)


def page(needs: Sequence[Need], target: Target, *, title: str) -> str:
    """Return a page ready to print: the chart and the table."""
    most = max(needs, key=lambda one: one.agents)
    head = (
        f"目标:{target.level:.0%} 的来电在 {target.within:g} 秒内接听;占用率不超过 {target.occupancy:.0%};"
        f"缺勤与休息占 {target.shrinkage:.0%}。最多同时需要 {most.agents} 席({escape(most.slot.start)}),"
        f"排班 {most.rostered} 人。"
    )
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>{head}</p>{_chart(needs)}{_rows(needs)}</html>\n"
    )


def _chart(needs: Sequence[Need]) -> str:
    calls, agents = max(one.slot.calls for one in needs) or 1, max(one.agents for one in needs) or 1
    step, ground = (_WIDTH - 2 * _LEFT) / len(needs), _HEIGHT - _FOOT
    bars, line, marks = list[str](), list[str](), list[str]()
    every = max(1, len(needs) // 12)
    for n, one in enumerate(needs):
        x, tall = _LEFT + n * step, one.slot.calls / calls * (ground - 20)
        bars.append(f'<rect class="calls" x="{x:.1f}" y="{ground - tall:.1f}" width="{step * .9:.1f}" '
                    f'height="{tall:.1f}">'
                    f"<title>{escape(one.slot.start)} {one.slot.calls:g} 通, {one.agents} 席</title></rect>")
        y = ground - one.agents / agents * (ground - 20)
        line.append(f"{x:.1f},{y:.1f} {x + step:.1f},{y:.1f}")
        if n % every == 0:
            marks.append(f'<text class="axis" x="{x:.1f}" y="{_HEIGHT - 18}">{escape(one.slot.start)}</text>')
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="每半小时来电数与所需坐席">{"".join(bars)}'
        f'<polyline class="agents" points="{" ".join(line)}"/>{"".join(marks)}'
        f'<text class="axis" x="0" y="16">{calls:g} 通</text>'
        f'<text class="axis" x="{_WIDTH}" y="16" text-anchor="end">{agents} 席</text>'
        f'<text class="axis" x="{_LEFT}" y="{_HEIGHT - 2}">蓝柱:来电 · 红线:所需坐席</text></svg>'
    )


def _rows(needs: Sequence[Need]) -> str:
    body = "".join(
        f"<tr><td>{escape(one.slot.start)}</td><td>{one.slot.calls:g}</td><td>{one.slot.handling:g}</td>"
        f"<td>{one.load:.1f}</td><td>{one.agents}</td><td>{one.rostered}</td><td>{one.service.level:.1%}</td>"
        f"<td>{one.service.wait:.1f}</td><td>{one.service.abandoned:.1%}</td><td>{one.service.occupancy:.0%}</td></tr>"
        for one in needs
    )
    return f"<table><tr>{''.join(f'<th>{name}</th>' for name in _HEADINGS)}</tr>{body}</table>"
