"""What differs between two versions of the dispatch directory: rule by rule and unit by unit. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from hotline.terms import Kind, label
from routing.directory import Directory, Rule
from routing.directory_table import cells_of, lines_of, unit_cells

Key = tuple[str, ...]
_OWN = ("lead", "assisting", "note")
"""Columns of a rule that may change; the others say which rule it is."""


class How(StrEnum):
    """What happened to a line."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One line that differs. `subject` is `rule` or `unit`; `before` and `after` hold the cells that differ.

    Of a line that was added or removed all cells are told, and the other side is empty.
    """

    subject: str
    how: How
    name: str
    l1: str = ""
    l2: str = ""
    before: Mapping[str, str] = {}
    after: Mapping[str, str] = {}


def diff(old: Directory, new: Directory) -> tuple[Change, ...]:
    """Return what one must change in `old` to have `new`: units first, then rules by category."""
    units = _differing(
        {(name,): unit_cells(unit) for name, unit in old.units.items()},
        {(name,): unit_cells(unit) for name, unit in new.units.items()},
    )
    rules = _differing(
        {_key(rule): cells_of(rule) for rule in lines_of(old)}, {_key(rule): cells_of(rule) for rule in lines_of(new)}
    )
    return (
        *(Change(subject="unit", how=how, name=name, before=a, after=b) for (name,), how, a, b in units),
        *(
            Change(subject="rule", how=how, name=_name(l1, l2, kind, place), l1=l1, l2=l2, before=a, after=b)
            for (l1, l2, kind, place), how, a, b in rules
        ),
    )


def _key(rule: Rule) -> Key:
    cells = cells_of(rule)
    return cells["l1"], cells["l2"], cells["kind"], cells["place"]


def _name(l1: str, l2: str, kind: str, place: str) -> str:
    where = {"": "", "known": "已知地点", "unknown": "未知地点"}.get(place, place)
    return " · ".join(part for part in (f"{l1} {l2}", label(Kind(kind)) if kind else "", where) if part)


def _differing(
    old: Mapping[Key, Mapping[str, str]], new: Mapping[Key, Mapping[str, str]]
) -> list[tuple[Key, How, Mapping[str, str], Mapping[str, str]]]:
    found: list[tuple[Key, How, Mapping[str, str], Mapping[str, str]]] = []
    for key in sorted({*old, *new}):
        before, after = old.get(key, {}), new.get(key, {})
        if before == after:
            continue
        if not before or not after:
            found.append((key, How.REMOVED if before else How.ADDED, before, after))
            continue
        columns = [name for name in before if before[name] != after[name]]
        found.append((
            key, How.CHANGED, {name: before[name] for name in columns}, {name: after[name] for name in columns}
        ))
    return found


def told(change: Change) -> str:
    """Return a change as one line: `+` added, `-` removed, `~` changed."""
    mark = {How.ADDED: "+", How.REMOVED: "-", How.CHANGED: "~"}[change.how]
    subject = "单位 " if change.subject == "unit" else ""
    if change.how is How.CHANGED:
        cells = "; ".join(
            f"{name}: {change.before[name] or '(空)'} → {change.after[name] or '(空)'}" for name in change.before
        )
    else:
        side = change.after or change.before
        cells = "; ".join(f"{name}: {side[name]}" for name in side if name in (*_OWN, "duties") and side[name])
    return f"{mark} {subject}{change.name}  {cells}".rstrip()
