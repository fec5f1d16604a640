"""What the directory's owner does, decided: a new version from a table, or from what returns propose. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from enum import StrEnum

import msgspec

from hotline.errors import InvalidInput
from hotline.terms import Kind
from routing.directory import PLACE, Directory, PlaceRule, Rule, Unit
from routing.directory_diff import Change
from routing.directory_table import Placed, assemble, lines_of, read_rules, read_units

MAX_NAME = 40


class VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A version as a list tells it. `author` "" stands for the city's files."""

    version: str
    effective_from: date
    loaded_at: datetime
    parent: str
    author: str
    note: str
    rules: int
    changes: int
    withdrawn_at: datetime | None = None
    withdrawn_by: str = ""


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One change with who made it, in which version."""

    version: str
    effective_from: date
    at: datetime
    author: str
    note: str
    withdrawn: bool
    change: Change


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What approved returns teach: tickets of this category, kind and town went to `from_unit` but were `to_unit`'s."""

    id: int
    l1: str
    l2: str
    kind: str
    town: str
    from_unit: str
    to_unit: str
    directory_version: str
    first_at: datetime
    last_at: datetime
    examples: int


class Scope(StrEnum):
    """How far an adopted proposal reaches."""

    EXACT = "exact"
    """This category, kind and town; without a town this category and kind."""
    KIND = "kind"
    """This category and kind, wherever it happened."""
    CATEGORY = "category"
    """The whole category: the rule that sent it to the wrong unit leads to the right one."""


def check_name(version: str) -> str:
    """Return a version's name; raises InvalidInput for one that could not stand in a file's name or an address."""
    if not version or len(version) > MAX_NAME or not all(c.isascii() and (c.isalnum() or c in "-._") for c in version):
        raise InvalidInput(f"a version's name has 1–{MAX_NAME} letters, digits, '-', '.' or '_', such as 441900-2026.2")
    return version


def from_table(
    *, version: str, effective_from: date, rules: Sequence[Placed], units: Sequence[Placed], base: Directory,
    categories: Collection[tuple[str, str]], today: date,
) -> Directory:
    """Return the version that a table describes; without units it has those of `base`.

    Raises:
        InvalidInput: the day has passed, or lines are wrong; the detail tells all of them.
    """
    read, wrong = read_rules(rules, categories)
    named, wrong_units = read_units(units) if units else (list(base.units.values()), [])
    return _checked(
        version, effective_from, named, read, categories, today=today, wrong=[*wrong_units, *wrong]
    )


def adopt(
    proposals: Sequence[Proposal], *, version: str, effective_from: date, base: Directory, scope: Scope,
    categories: Collection[tuple[str, str]], today: date,
) -> Directory:
    """Return `base` with what the proposals ask for. Raises InvalidInput as `from_table` does."""
    rules = lines_of(base)
    for proposal in proposals:
        rules = _taught(rules, proposal, base, scope)
    return _checked(version, effective_from, list(base.units.values()), rules, categories, today=today, wrong=[])


def _checked(
    version: str, effective_from: date, units: Sequence[Unit], rules: Sequence[Rule],
    categories: Collection[tuple[str, str]], *, today: date, wrong: Sequence[str],
) -> Directory:
    check_name(version)
    if effective_from < today:
        raise InvalidInput(f"{effective_from} has passed: a version begins today ({today}) or later, as tickets keep "
                           "the version that they were dispatched by")
    directory, wrong_together = assemble(
        version=version, effective_from=effective_from, units=units, rules=rules, categories=categories
    )
    if mistakes := [*wrong, *wrong_together]:
        raise InvalidInput("the directory has mistakes:\n" + "\n".join(mistakes), error_id="directory_invalid")
    return directory


def _taught(rules: list[Rule], proposal: Proposal, base: Directory, scope: Scope) -> list[Rule]:
    kind = Kind(proposal.kind)
    places = (proposal.town,) if proposal.town in base.units else ()
    held = base.find(proposal.l1, proposal.l2, kind, places)
    if held is None:
        raise InvalidInput(f"proposal {proposal.id}: the directory {base.version} has no rule for {proposal.l2}")
    lead = PLACE if proposal.to_unit in places and scope is not Scope.EXACT else proposal.to_unit
    note = f"采纳退单建议{proposal.id}号: 原由{proposal.from_unit}承办"
    new = msgspec.structs.replace(held, lead=lead, note=note, assisting=_without(held.assisting, lead))
    if scope is not Scope.CATEGORY:
        named = scope is Scope.EXACT and bool(places)
        new = msgspec.structs.replace(
            new, kind=kind, place=PlaceRule.NAMED if named else PlaceRule.ANY,
            places=frozenset(places) if named else frozenset(), line=_next_line(rules),
        )
    return [*(rule for rule in rules if _case(rule) != _case(new)), new]


def _without(assisting: tuple[str, ...], lead: str) -> tuple[str, ...]:
    return tuple(name for name in assisting if name != lead)


def _next_line(rules: Sequence[Rule]) -> int:
    return max((rule.line for rule in rules), default=1) + 1


def _case(rule: Rule) -> tuple[object, ...]:
    return rule.l1, rule.l2, rule.kind, rule.place, rule.places
