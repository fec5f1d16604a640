"""Figures as tables: one row for each part, one column for each figure. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from hotline.metric_views import BY_LABELS, By, Exclusion, Figure, by_part
from hotline.metrics import DEFINITIONS, Metric, Reason, Unit, name_of
from hotline.terms import Channel, Kind, label

Row = Sequence[str | int | float | bool | date | datetime | None]


def part_name(by: By, part: str) -> str:
    """Return how people call a part."""
    if by is By.TOTAL:
        return "合计"
    if not part:
        return "热线中心" if by is By.DEPARTMENT else "未注明"
    if by is By.CHANNEL:
        return label(Channel(part))
    if by is By.KIND:
        return label(Kind(part))
    return f"{part}时" if by is By.HOUR else part


def figure_table(figures: Sequence[Figure], by: By) -> tuple[list[str], list[Row]]:
    """Return header and rows: volumes, then value, numerator, denominator and exclusions of each metric.

    A ratio's value is in 0..1, a duration's in seconds; empty where nothing was counted.
    """
    parts = by_part(figures)
    names = list(dict.fromkeys(figure.figure for figure in figures))
    labels = {figure.figure: figure.label for figure in figures}
    header = [BY_LABELS[by]]
    for name in names:
        header += _columns(name, labels[name])
    rows: list[Row] = []
    for part, found in parts.items():
        cells: list[str | int | float | None] = [part_name(by, part)]
        for name in names:
            cells += _cells(name, found.get(name))
        rows.append(cells)
    return header, rows


def _is_metric(name: str) -> bool:
    return name in DEFINITIONS


def _columns(name: str, text: str) -> list[str]:
    if not _is_metric(name):
        return [text]
    unit = "(秒)" if DEFINITIONS[Metric(name)].unit is Unit.SECONDS else ""
    return [f"{text}{unit}", f"{text}·分子", f"{text}·分母", f"{text}·剔除"]


def _cells(name: str, figure: Figure | None) -> list[str | int | float | None]:
    if not _is_metric(name):
        return [int(figure.numerator) if figure is not None else 0]
    if figure is None:
        return [None, 0, 0, 0]
    value = round(figure.value, 6) if figure.value is not None else None
    return [value, round(figure.numerator, 3), round(figure.denominator, 3), figure.excluded]


EXCLUSION_HEADER = ["工单号", "指标", "操作", "原因", "说明", "操作人", "时间"]


def exclusion_row(entry: Exclusion) -> Row:
    """Return an exclusion as a row under `EXCLUSION_HEADER`."""
    reason = name_of(Reason(entry.reason)) if entry.reason else ""
    return [
        entry.number, name_of(entry.metric), "剔除" if entry.excluded else "恢复", reason, entry.note, entry.actor,
        entry.at,
    ]
