"""Choosing the department with Dongguan's own directory: every category, the refusals, and the reasons."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from hotline.appeal import Category, Triage
from hotline.city import City, load_city
from hotline.terms import Kind
from routing.dispatch import Dispatch, NeedsPerson, best_guess, choose_department


@cache
def city() -> City:
    return load_city(Path("cities/441900"))


def triage(l2: str, l1: str = "04", *towns: str, kind: Kind = Kind.COMPLAINT, needs_person: bool = False) -> Triage:
    return Triage(category=Category(l1, l2, 0.93), kind=kind, towns=towns, needs_person=needs_person)


def test_city_bureaus_lead_by_default() -> None:
    found = choose_department(triage("施工噪声", "04", "南城"), city().directory)
    assert isinstance(found, Dispatch)
    assert found.lead == "生态环境局"
    assert found.assisting == ()
    assert found.directory_version == city().directory.version


def test_reasons_name_category_place_and_line() -> None:
    found = choose_department(triage("施工噪声", "04", "南城"), city().directory)
    text = "\n".join(found.reasons)
    for word in ("施工噪声", "南城", "93%", "投诉", "第", "行", "生态环境局"):
        assert word in text


@pytest.mark.parametrize("label", city().categories, ids=lambda label: label.code)
@pytest.mark.parametrize("towns", [(), ("南城",), ("沙田", "东莞港")])
@pytest.mark.parametrize("kind", [Kind.COMPLAINT, Kind.ENQUIRY])
def test_every_category_has_an_owner_or_a_reason(label: object, towns: tuple[str, ...], kind: Kind) -> None:
    asked = triage(label.l2, label.l1, *towns, kind=kind)  # type: ignore[attr-defined]
    found = choose_department(asked, city().directory)
    units = city().directory.units
    if isinstance(found, Dispatch):
        assert found.lead in units
        assert set(found.assisting) <= set(units)
        assert found.lead not in found.assisting
    else:
        assert found.reasons


@pytest.mark.parametrize(
    ("l2", "suggested", "told"),
    [("骚扰", "公安局", "移交公安"), ("超范围", "", "途径"), ("外地", "", "12345"), ("其他", "", "不明确")],
)
def test_what_no_unit_leads_is_for_a_person_however_sure_the_model_is(l2: str, suggested: str, told: str) -> None:
    asked = triage(l2, "20", "南城")
    found = choose_department(asked, city().directory)
    assert isinstance(found, NeedsPerson)
    assert "不予受理" in found.reasons[0]
    assert told in found.reasons[1]
    guess = best_guess(asked, city().directory)
    assert (guess.department, guess.needs_person) == (suggested, True)


def test_the_place_leads_village_affairs() -> None:
    found = choose_department(triage("三资", "19", "寮步"), city().directory)
    assert isinstance(found, Dispatch)
    assert (found.lead, found.assisting) == ("寮步", ("农业农村局",))


def test_a_second_town_assists() -> None:
    found = choose_department(triage("村社区", "19", "寮步", "大朗"), city().directory)
    assert isinstance(found, Dispatch)
    assert found.lead == "寮步"
    assert "大朗" in found.assisting


def test_an_unknown_place_needs_a_person_with_a_suggestion() -> None:
    found = choose_department(triage("三资", "19"), city().directory)
    assert isinstance(found, NeedsPerson)
    assert found.suggestion is not None
    assert found.suggestion.lead == "农业农村局"


@pytest.mark.parametrize("towns", [("沙田", "东莞港"), ("水乡功能区", "麻涌"), ("虎门", "滨海湾新区")])
def test_overlapping_places_compete_only_where_the_place_leads(towns: tuple[str, str]) -> None:
    contested = choose_department(triage("三资", "19", *towns), city().directory)
    assert isinstance(contested, NeedsPerson)
    assert towns[0] in contested.reasons[0]
    assert contested.suggestion is not None
    assert contested.suggestion.lead == towns[0]
    assert isinstance(choose_department(triage("施工噪声", "04", *towns), city().directory), Dispatch)


def test_no_category_and_unknown_categories_need_a_person() -> None:
    for asked in (Triage(category=None), triage("没有这个", "04")):
        found = choose_department(asked, city().directory)
        assert isinstance(found, NeedsPerson)
        assert found.suggestion is None


def test_an_unsure_triage_keeps_its_suggestion_aside() -> None:
    asked = triage("施工噪声", needs_person=True)
    found = choose_department(asked, city().directory)
    assert isinstance(found, NeedsPerson)
    assert found.suggestion is not None
    assert best_guess(asked, city().directory).department == "生态环境局"
    assert best_guess(asked, city().directory).needs_person


def test_a_best_guess_fills_units_and_marks_what_a_person_decides() -> None:
    done = best_guess(triage("社保缴费", "01"), city().directory)
    assert (done.department, done.assisting, done.needs_person) == ("人力资源和社会保障局", ("税务局",), False)
    guessed = best_guess(triage("三资", "19"), city().directory)
    assert (guessed.department, guessed.needs_person) == ("农业农村局", True)
    nothing = best_guess(Triage(category=None), city().directory)
    assert (nothing.department, nothing.assisting, nothing.needs_person) == ("", (), True)


def test_a_best_guess_is_the_dispatch_where_it_is_sure() -> None:
    asked = triage("供水", "09", "虎门")
    found, guess = choose_department(asked, city().directory), best_guess(asked, city().directory)
    assert isinstance(found, Dispatch)
    assert (guess.department, guess.assisting, guess.needs_person) == (found.lead, found.assisting, False)
