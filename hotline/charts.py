"""Charts as inline SVG, for pages that are printed: no script, no font, nothing from elsewhere. Pure.

Every chart has a title for those who cannot see it, tells its values in figures, and reads in black and white.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import msgspec

WIDTH = 720
_INK, _GRID, _LABEL = "#333", "#ddd", "#555"
COLOURS = ("#1f5fa8", "#c8702a", "#5a8f3d", "#8a5aa8")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")


class Series(msgspec.Struct, frozen=True):
    """A line of a chart; None where there is no value."""

    name: str
    values: Sequence[float | None]


def _plain(value: float) -> str:
    return f"{value:,.0f}"


def _nice(top: float) -> float:
    """Return the end of an axis: 1, 2, 2.5 or 5 times a power of ten, not below `top`."""
    if top <= 0:
        return 1.0
    step = 10.0 ** (len(str(int(top))) - 1) if top >= 1 else 0.1
    while step * 10 < top:
        step *= 10
    return next(step * factor for factor in (1, 2, 2.5, 5, 10) if step * factor >= top)


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    inner = "".join(parts)
    return (f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" xmlns="http://www.w3.org/2000/svg">'
            f"<title>{escape(title)}</title>{inner}</svg>")


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, colour: str = _LABEL) -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">'
            f"{escape(text)}</text>")


def _line(x1: float, y1: float, x2: float, y2: float, colour: str = _GRID) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def bars(title: str, rows: Sequence[tuple[str, float]], *, say: Callable[[float], str] = _plain) -> str:
    """Return horizontal bars with their values, in the order given; "" without rows."""
    if not rows:
        return ""
    left, right, pitch = 150, 90, 24
    top = max(max(value for _, value in rows), 1e-9)
    parts = []
    for n, (name, value) in enumerate(rows):
        y = n * pitch + 4
        width = (WIDTH - left - right) * max(value, 0) / top
        parts += [
            _text(left - 8, y + 13, name, anchor="end", colour=_INK),
            f'<rect x="{left}" y="{y}" width="{width:.1f}" height="16" fill="{COLOURS[0]}"/>',
            _text(left + width + 6, y + 13, say(value)),
        ]
    return _svg(title, len(rows) * pitch + 8, parts)


def columns(title: str, rows: Sequence[tuple[str, float]]) -> str:
    """Return upright columns, for hours of the day; "" without rows."""
    if not rows:
        return ""
    left, bottom, height = 50, 26, 200
    top = _nice(max(value for _, value in rows))
    pitch = (WIDTH - left - 10) / len(rows)
    parts = _axis(top, left, height, _plain)
    for n, (name, value) in enumerate(rows):
        tall = (height - 16) * max(value, 0) / top
        x = left + n * pitch
        parts.append(
            f'<rect x="{x + pitch * 0.15:.1f}" y="{height - tall:.1f}" width="{pitch * 0.7:.1f}" '
            f'height="{tall:.1f}" fill="{COLOURS[0]}"><title>{escape(name)} {_plain(value)}</title></rect>'
        )
        parts.append(_text(x + pitch / 2, height + 15, name, anchor="middle", size=10))
    return _svg(title, height + bottom, parts)


def _axis(top: float, left: float, height: float, say: Callable[[float], str]) -> list[str]:
    parts = []
    for quarter in range(5):
        y = height - (height - 16) * quarter / 4
        parts += [_line(left, y, WIDTH - 10, y), _text(left - 6, y + 4, say(top * quarter / 4), anchor="end", size=10)]
    return parts


def lines(
    title: str, names: Sequence[str], series: Sequence[Series], *, say: Callable[[float], str] = _plain,
    top: float | None = None,
) -> str:
    """Return lines over `names`, a gap where a value is None; "" without any value."""
    known = [value for one in series for value in one.values if value is not None]
    if not known or not names:
        return ""
    left, height, end = 56, 220, top or _nice(max(known))
    pitch = (WIDTH - left - 20) / max(len(names) - 1, 1)
    parts = _axis(end, left, height, say)
    every = max(1, len(names) // 16 + (len(names) % 16 > 0))
    for n in range(0, len(names), every):
        parts.append(_text(left + n * pitch, height + 15, names[n], anchor="middle", size=10))
    for order, one in enumerate(series):
        parts += _drawn(one, order, left, pitch, height, end)
        parts.append(_text(left + 10 + order * 130, height + 34, one.name, colour=COLOURS[order % 4]))
        parts.append(_stroke(f"M{left + 10 + order * 130 - 24:.1f} {height + 30}h18", order))
    return _svg(title, height + 42, parts)


def _drawn(one: Series, order: int, left: float, pitch: float, height: float, end: float) -> list[str]:
    path, pen = [], "M"
    for n, value in enumerate(one.values):
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{left + n * pitch:.1f} {height - (height - 16) * min(value / end, 1):.1f}")
        pen = "L"
    return [_stroke(" ".join(path), order)]


def _stroke(path: str, order: int) -> str:
    dash = f' stroke-dasharray="{_DASHES[order % 4]}"' if _DASHES[order % 4] else ""
    return f'<path d="{path}" fill="none" stroke="{COLOURS[order % 4]}" stroke-width="2"{dash}/>'
