"""The dispatch directory (派单目录, 国办函〔2025〕66号): category × kind × place → lead and assisting units.

A directory is a value with a version: a change is a new version, and old tickets keep theirs. Reading it from a city's
files is the business of `hotline.city`; here are only the shape, the look-up and the consistency check.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum

import msgspec

from hotline.terms import Kind

PLACE = "{place}"
"""As a lead or assisting unit: the town or park where the matter happened."""
PERSON = "{person}"
"""As a lead: no unit; an agent answers, dispatches or declines. The first assisting unit is suggested."""


class UnitKind(StrEnum):
    """What a unit is; towns and parks are places, the others are not. A neighbour handles in a house of its own."""

    BUREAU = "bureau"
    TOWN = "town"
    PARK = "park"
    UTILITY = "utility"
    NEIGHBOUR = "neighbour"


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A handling unit (承办单位). `overlaps` names the units whose ground it shares."""

    name: str
    kind: UnitKind
    overlaps: frozenset[str] = frozenset()
    duties: str = ""

    @property
    def is_place(self) -> bool:
        """Tell whether the unit stands for a part of the city."""
        return self.kind in (UnitKind.TOWN, UnitKind.PARK)


class PlaceRule(StrEnum):
    """When a rule holds, by what is known of the place; NAMED looks at `Rule.places`."""

    ANY = "any"
    KNOWN = "known"
    UNKNOWN = "unknown"
    NAMED = "named"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the directory. `kind` None holds for every kind; `lead` may be `{place}` or `{person}`.

    `line` is where it stands in the city's file, for reasons and error messages.
    """

    l1: str
    l2: str
    lead: str
    kind: Kind | None = None
    place: PlaceRule = PlaceRule.ANY
    places: frozenset[str] = frozenset()
    assisting: tuple[str, ...] = ()
    note: str = ""
    line: int = 0

    @property
    def weight(self) -> int:
        """Return how specific the rule is: a named place beats a kind, a kind beats known or unknown places."""
        by_place = {PlaceRule.ANY: 0, PlaceRule.KNOWN: 1, PlaceRule.UNKNOWN: 1, PlaceRule.NAMED: 4}
        return by_place[self.place] + (2 if self.kind is not None else 0)

    def holds(self, kind: Kind, places: tuple[str, ...]) -> bool:
        """Tell whether the rule applies to an appeal of `kind` at `places`."""
        if self.kind is not None and self.kind is not kind:
            return False
        match self.place:
            case PlaceRule.ANY:
                return True
            case PlaceRule.KNOWN:
                return bool(places)
            case PlaceRule.UNKNOWN:
                return not places
            case PlaceRule.NAMED:
                return bool(self.places.intersection(places))


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the directory: `rules` by (l1, l2), most specific first."""

    version: str
    effective_from: date
    units: Mapping[str, Unit]
    rules: Mapping[tuple[str, str], tuple[Rule, ...]]

    def find(self, l1: str, l2: str, kind: Kind, places: tuple[str, ...]) -> Rule | None:
        """Return the most specific rule that holds, or None."""
        return next((rule for rule in self.rules.get((l1, l2), ()) if rule.holds(kind, places)), None)

    def overlapping(self, places: tuple[str, ...]) -> tuple[str, str] | None:
        """Return the first two of `places` that share ground, or None."""
        for index, name in enumerate(places):
            unit = self.units.get(name)
            rival = next((other for other in places[index + 1 :] if unit and other in unit.overlaps), None)
            if rival is not None:
                return name, rival
        return None


def build_directory(
    *, version: str, effective_from: date, units: Iterable[Unit], rules: Iterable[Rule]
) -> tuple[Directory, list[str]]:
    """Sort the rules and check them; return the directory and what is wrong with it, as sentences."""
    by_name = {unit.name: unit for unit in units}
    by_category: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        by_category.setdefault((rule.l1, rule.l2), []).append(rule)
    ordered = {key: tuple(sorted(group, key=lambda r: -r.weight)) for key, group in by_category.items()}
    directory = Directory(version=version, effective_from=effective_from, units=by_name, rules=ordered)
    return directory, [*_unknown_units(directory), *_twins(directory)]


def _unknown_units(directory: Directory) -> list[str]:
    known = {*directory.units, PLACE}
    wrong = [
        f"第{rule.line}行: 单位“{name}”不在单位表内"
        for group in directory.rules.values()
        for rule in group
        for name in _named(rule)
        if name not in known
    ]
    asymmetric = [
        f"单位“{unit.name}”的重叠单位“{other}”不在单位表内, 或未写明与其重叠"
        for unit in directory.units.values()
        for other in sorted(unit.overlaps)
        if other not in directory.units or unit.name not in directory.units[other].overlaps
    ]
    return wrong + asymmetric


def _named(rule: Rule) -> tuple[str, ...]:
    led = () if rule.lead == PERSON else (rule.lead,)
    return (*led, *rule.assisting, *sorted(rule.places))


def _twins(directory: Directory) -> list[str]:
    wrong = []
    for group in directory.rules.values():
        seen: dict[tuple[object, ...], int] = {}
        for rule in group:
            key = (rule.kind, rule.place, rule.places)
            if key in seen:
                wrong.append(f"第{rule.line}行: 与第{seen[key]}行的事项、类型和地点相同")
            seen[key] = rule.line
    return wrong
