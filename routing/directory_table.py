"""The dispatch directory as a table: cells ↔ rules and units, and what is wrong with them. Pure.

One line of the table is one rule. Its columns and words are those of a city's `directory.csv` and `units.csv`
(docs/city.md); the same table travels as CSV and as XLSX (`routing.directory_file`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from hotline.terms import Kind
from routing.directory import Directory, PlaceRule, Rule, Unit, UnitKind, build_directory

COLUMNS = ("l1", "l2", "kind", "place", "lead", "assisting", "note")
UNIT_COLUMNS = ("name", "kind", "overlaps", "duties")
_PLACE_WORDS = {"": PlaceRule.ANY, "known": PlaceRule.KNOWN, "unknown": PlaceRule.UNKNOWN}
_WORDS_OF_PLACE = {rule: word for word, rule in _PLACE_WORDS.items()}
_FORMULA = ("=", "+", "-", "@", "\t")
MAX_CELL = 500

Cells = Mapping[str, str]
Placed = tuple[str, Cells, int]
"""Where a line stands (for messages), its cells, and its number."""


def split_cell(cell: str) -> tuple[str, ...]:
    """Return the names in a cell, `;` between them."""
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def rule_of(cells: Cells, line: int) -> Rule:
    """Return the rule of one line; raises ValueError for an unknown kind."""
    named = () if cells["place"] in _PLACE_WORDS else split_cell(cells["place"])
    return Rule(
        l1=cells["l1"], l2=cells["l2"], kind=Kind(cells["kind"]) if cells["kind"] else None,
        place=_PLACE_WORDS.get(cells["place"], PlaceRule.NAMED), places=frozenset(named), lead=cells["lead"],
        assisting=split_cell(cells["assisting"]), note=cells["note"], line=line,
    )


def cells_of(rule: Rule) -> dict[str, str]:
    """Return a rule as one line; `rule_of` reads it back alike."""
    place = ";".join(sorted(rule.places)) if rule.place is PlaceRule.NAMED else _WORDS_OF_PLACE[rule.place]
    return {
        "l1": rule.l1, "l2": rule.l2, "kind": rule.kind or "", "place": place, "lead": rule.lead,
        "assisting": ";".join(rule.assisting), "note": rule.note,
    }


def unit_of(cells: Cells) -> Unit:
    """Return the unit of one line; raises ValueError for an unknown kind or an empty name."""
    if not cells["name"]:
        raise ValueError("单位名为空")
    return Unit(
        name=cells["name"], kind=UnitKind(cells["kind"]), overlaps=frozenset(split_cell(cells["overlaps"])),
        duties=cells["duties"],
    )


def unit_cells(unit: Unit) -> dict[str, str]:
    """Return a unit as one line."""
    return {
        "name": unit.name, "kind": unit.kind, "overlaps": ";".join(sorted(unit.overlaps)), "duties": unit.duties,
    }


def read_rules(rows: Iterable[Placed], categories: Collection[tuple[str, str]]) -> tuple[list[Rule], list[str]]:
    """Return the rules of a table and what is wrong with its lines, as sentences; the lines that are right are kept."""
    rules, wrong = [], []
    for where, cells, line in rows:
        if (cells["l1"], cells["l2"]) not in categories:
            wrong.append(f"{where}: 事项 {cells['l1']} {cells['l2']} 不在 categories 内")
        wrong += _unsafe(where, cells)
        try:
            rules.append(rule_of(cells, line))
        except ValueError as error:
            wrong.append(f"{where}: {error}")
    return rules, wrong


def read_units(rows: Iterable[Placed]) -> tuple[list[Unit], list[str]]:
    """Return the units of a table and what is wrong with its lines."""
    units: dict[str, Unit] = {}
    wrong = []
    for where, cells, _ in rows:
        wrong += _unsafe(where, cells)
        try:
            unit = unit_of(cells)
        except ValueError as error:
            wrong.append(f"{where}: {error}")
            continue
        if unit.name in units:
            wrong.append(f"{where}: 单位“{unit.name}”重复")
        units[unit.name] = unit
    return list(units.values()), wrong


def _unsafe(where: str, cells: Cells) -> list[str]:
    """A cell that a spreadsheet would take for a formula is refused on the way in, so no export can carry one out."""
    return [
        f"{where}: {name} 列的内容不能以 {cell[0]!r} 开头" for name, cell in cells.items() if cell.startswith(_FORMULA)
    ] + [f"{where}: {name} 列超过{MAX_CELL}字" for name, cell in cells.items() if len(cell) > MAX_CELL]


def assemble(
    *, version: str, effective_from: date, units: Sequence[Unit], rules: Sequence[Rule],
    categories: Collection[tuple[str, str]],
) -> tuple[Directory, list[str]]:
    """Return the directory and what is wrong with it as a whole: unknown units, twins, categories without an owner."""
    directory, wrong = build_directory(version=version, effective_from=effective_from, units=units, rules=rules)
    missing = [f"缺少事项 {l1} {l2}" for l1, l2 in sorted(set(categories) - set(directory.rules))]
    return directory, [*wrong, *missing]


def lines_of(directory: Directory) -> list[Rule]:
    """Return all rules in the order of their lines in the table that they came from, then by category."""
    return sorted(
        (rule for group in directory.rules.values() for rule in group), key=lambda rule: (rule.line, rule.l1, rule.l2)
    )
