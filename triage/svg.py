"""Small pictures as SVG text: a confusion matrix, a reliability diagram, a learning curve. Pure; nothing is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from triage.bars import Bin

_SIDE, _EDGE = 320, 40
_MOST_CELLS = 40


class Point(NamedTuple):
    """One point of a learning curve: texts trained on, and the share of others told right."""

    texts: int
    right: float


def confusion(counts: Mapping[tuple[str, str], int], classes: Sequence[str]) -> str:
    """Return a matrix, truth down and answers across, each cell as dark as its share of the row.

    Classes beyond the first 40 are left out; pass the commonest first.
    """
    shown = list(classes[:_MOST_CELLS])
    cell, left = (16, 92)
    side = left + cell * len(shown)
    sums = {name: sum(count for (truth, _), count in counts.items() if truth == name) or 1 for name in shown}
    parts = [_open(side + 4, side + 4)]
    for row, truth in enumerate(shown):
        y = left + row * cell
        parts.append(f'<text x="{left - 4}" y="{y + 12}" text-anchor="end">{escape(truth)}</text>')
        parts.append(f'<text transform="translate({y + 12},{left - 4}) rotate(-90)">{escape(truth)}</text>')
        for column, found in enumerate(shown):
            count = counts.get((truth, found), 0)
            if count:
                shade, colour = count / sums[truth], "#1a7f37" if truth == found else "#b42318"
                parts.append(
                    f'<rect x="{left + column * cell}" y="{y}" width="{cell}" height="{cell}" fill="{colour}" '
                    f'fill-opacity="{0.12 + 0.88 * shade:.2f}">'
                    f"<title>{escape(truth)} → {escape(found)}: {count}</title></rect>"
                )
    parts.append(
        f'<rect x="{left}" y="{left}" width="{cell * len(shown)}" height="{cell * len(shown)}" fill="none" '
        'stroke="#999"/></svg>'
    )
    return "".join(parts)


def reliability(bins: Sequence[Bin]) -> str:
    """Return a reliability diagram: bars for the share right, a diagonal for perfect calibration."""
    parts = [_open(_SIDE + 2 * _EDGE, _SIDE + 2 * _EDGE), _axes("把握", "正确率")]
    width = _SIDE / len(bins)
    for number, one in enumerate(bins):
        if one.size:
            height = one.found * _SIDE
            parts.append(
                f'<rect x="{_EDGE + number * width + 1:.1f}" y="{_EDGE + _SIDE - height:.1f}" width="{width - 2:.1f}" '
                f'height="{height:.1f}" fill="#3b82c4">'
                f"<title>{one.size}件: 把握{one.stated:.3f}, 正确{one.found:.3f}</title></rect>"
            )
    parts.append(f'<line x1="{_EDGE}" y1="{_EDGE + _SIDE}" x2="{_EDGE + _SIDE}" y2="{_EDGE}" stroke="#b42318"/></svg>')
    return "".join(parts)


def curve(points: Sequence[Point]) -> str:
    """Return a learning curve."""
    parts = [_open(_SIDE + 2 * _EDGE, _SIDE + 2 * _EDGE), _axes("训练工单数", "正确率")]
    most = max((point.texts for point in points), default=1) or 1
    places = [(_EDGE + point.texts / most * _SIDE, _EDGE + _SIDE - point.right * _SIDE) for point in points]
    parts.append(f'<polyline fill="none" stroke="#3b82c4" stroke-width="2" points="{" ".join(map(_pair, places))}"/>')
    for (x, y), point in zip(places, points, strict=True):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#3b82c4"/>')
        parts.append(f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">{point.right:.3f}</text>')
        parts.append(f'<text x="{x:.1f}" y="{_EDGE + _SIDE + 14}" text-anchor="middle">{point.texts}</text>')
    return "".join([*parts, "</svg>"])


def _pair(place: tuple[float, float]) -> str:
    return f"{place[0]:.1f},{place[1]:.1f}"


def _open(width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-size="11" font-family="sans-serif">'
    )


def _axes(across: str, up: str) -> str:
    end, middle = _EDGE + _SIDE, _EDGE + _SIDE / 2
    return (
        f'<rect x="{_EDGE}" y="{_EDGE}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#999"/>'
        f'<text x="{middle}" y="{end + 30}" text-anchor="middle">{across}</text>'
        f'<text transform="translate(14,{middle}) rotate(-90)" text-anchor="middle">{up}</text>'
        f'<text x="{_EDGE - 4}" y="{_EDGE + 4}" text-anchor="end">1</text>'
        f'<text x="{_EDGE - 4}" y="{end}" text-anchor="end">0</text>'
    )
