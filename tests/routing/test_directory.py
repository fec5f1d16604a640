"""The directory: which rule wins, what overlaps, and what is found wrong with it."""

from __future__ import annotations

from datetime import date

import pytest

from hotline.terms import Kind
from routing.directory import Directory, PlaceRule, Rule, Unit, UnitKind, build_directory

UNITS = (
    Unit(name="甲局", kind=UnitKind.BUREAU),
    Unit(name="乙局", kind=UnitKind.BUREAU),
    Unit(name="东镇", kind=UnitKind.TOWN, overlaps=frozenset({"新区"})),
    Unit(name="西镇", kind=UnitKind.TOWN),
    Unit(name="新区", kind=UnitKind.PARK, overlaps=frozenset({"东镇"})),
)


def rule(lead: str, line: int = 2, **more: object) -> Rule:
    return Rule(l1="01", l2="事", lead=lead, line=line, **more)  # type: ignore[arg-type]


def built(*rules: Rule, units: tuple[Unit, ...] = UNITS) -> tuple[Directory, list[str]]:
    return build_directory(version="v1", effective_from=date(2026, 1, 1), units=units, rules=rules)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("places", [(), ("东镇",), ("西镇",), ("东镇", "西镇")])
def test_the_most_specific_rule_wins_over_the_whole_grid(kind: Kind, places: tuple[str, ...]) -> None:
    directory, wrong = built(
        rule("甲局", 2),
        rule("乙局", 3, kind=Kind.ENQUIRY),
        rule("西镇", 4, place=PlaceRule.KNOWN),
        rule("东镇", 5, place=PlaceRule.NAMED, places=frozenset({"东镇"})),
    )
    assert wrong == []
    found = directory.find("01", "事", kind, places)
    assert found is not None
    if "东镇" in places:
        assert found.line == 5
    elif kind is Kind.ENQUIRY:
        assert found.line == 3
    else:
        assert found.line == (4 if places else 2)


def test_unknown_holds_only_without_a_place() -> None:
    directory, _ = built(rule("甲局", place=PlaceRule.UNKNOWN))
    assert directory.find("01", "事", Kind.OTHER, ()) is not None
    assert directory.find("01", "事", Kind.OTHER, ("东镇",)) is None
    assert directory.find("01", "别的", Kind.OTHER, ()) is None


def test_overlaps_are_found_in_either_order() -> None:
    directory, _ = built(rule("甲局"))
    assert directory.overlapping(("东镇", "新区")) == ("东镇", "新区")
    assert directory.overlapping(("新区", "西镇", "东镇")) == ("新区", "东镇")
    assert directory.overlapping(("东镇", "西镇")) is None
    assert directory.overlapping(("不在表内",)) is None


def test_every_mistake_is_named_with_its_line() -> None:
    _, wrong = built(
        rule("没有局", 2), rule("甲局", 3, assisting=("也没有",), kind=Kind.REPORT), rule("甲局", 4),
    )
    assert [sentence for sentence in wrong if "第2行" in sentence and "没有局" in sentence]
    assert [sentence for sentence in wrong if "第3行" in sentence and "也没有" in sentence]
    assert [sentence for sentence in wrong if "第4行" in sentence and "第2行" in sentence]


def test_overlaps_must_be_told_by_both() -> None:
    lone = Unit(name="东镇", kind=UnitKind.TOWN, overlaps=frozenset({"甲局"}))
    _, wrong = built(rule("甲局"), units=(UNITS[0], lone))
    assert len(wrong) == 1
    assert "东镇" in wrong[0]


def test_place_may_lead_without_being_a_unit() -> None:
    assert built(rule("{place}", place=PlaceRule.KNOWN))[1] == []


def test_a_person_may_lead_and_not_assist() -> None:
    assert built(rule("{person}", assisting=("甲局",)))[1] == []
    _, wrong = built(rule("甲局", 2, assisting=("{person}",)))
    assert len(wrong) == 1
    assert "{person}" in wrong[0]


def test_towns_and_parks_are_places_and_nothing_else() -> None:
    assert [unit.name for unit in UNITS if unit.is_place] == ["东镇", "西镇", "新区"]
