"""Emergencies told in many ways, and what only sounds like one: the rules alone, and with the shipped models."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from hotline.city import load_city
from hotline.terms import Service, Verdict
from tests.triage.test_english import ENGLISH_ALARMS, ENGLISH_CALM
from triage.card import RECALL
from triage.match import batch_of
from triage.pipeline import Pipeline
from triage.rules import assess_all
from triage.text import normalise, without_english


class Case(NamedTuple):
    """A text with the verdict and the services that it must get."""

    verdict: Verdict
    services: frozenset[Service]
    text: str


def cases(verdict: Verdict) -> list[Case]:
    lines = Path("tests/triage/data/emergencies.txt").read_text("utf-8").splitlines()
    found = [line.split("|") for line in lines if not line.startswith("#")]
    rows = [Case(Verdict(one), frozenset(Service(n) for n in two.split(",") if n), text) for one, two, text in found]
    return [row for row in rows if row.verdict is verdict]


@cache
def pipeline() -> Pipeline:
    return Pipeline.load(load_city(Path("cities/441900")), Path("models"))


def by_rules(texts: list[str]) -> list[Verdict]:
    clean = [text.clean for text in normalise(texts)]
    return [found.verdict for found in assess_all(batch_of(clean))]


def test_the_rules_alone_find_nine_in_ten() -> None:
    found = by_rules([case.text for case in cases(Verdict.EMERGENCY)])
    assert found.count(Verdict.EMERGENCY) >= 0.9 * len(found)


def test_the_rules_alone_leave_calm_what_is_calm() -> None:
    texts = [case.text for case in cases(Verdict.NON_EMERGENCY)]
    assert [text for text, found in zip(texts, by_rules(texts), strict=True) if found is Verdict.EMERGENCY] == []


def test_with_the_models_hardly_one_is_missed_and_none_cried_in_vain() -> None:
    grave = cases(Verdict.EMERGENCY)
    found = pipeline()([case.text for case in grave])
    asked = [case.text for case, one in zip(grave, found, strict=True) if one.verdict is not Verdict.EMERGENCY]
    assert len(asked) <= (1 - RECALL) * len(grave) + 1e-9, asked
    missed = [case.text for case, one in zip(grave, found, strict=True) if one.verdict is Verdict.NON_EMERGENCY]
    assert len(missed) <= 1, missed
    calm = [case.text for case in cases(Verdict.NON_EMERGENCY)]
    cried = [text for text, one in zip(calm, pipeline()(calm), strict=True) if one.verdict is Verdict.EMERGENCY]
    assert len(cried) <= 2, cried


def test_the_right_services_are_named() -> None:
    grave = [case for case in cases(Verdict.EMERGENCY) if case.services]
    found = pipeline()([case.text for case in grave])
    wrong = [case.text for case, one in zip(grave, found, strict=True) if not case.services <= set(one.services)]
    assert len(wrong) <= 0.08 * len(grave), wrong


def test_what_may_be_a_swindle_goes_to_a_person() -> None:
    doubtful = cases(Verdict.UNCLEAR)
    assert {one.verdict for one in pipeline()([case.text for case in doubtful])} == {Verdict.UNCLEAR}


def test_in_english_the_rules_decide_and_a_person_dispatches() -> None:
    """The models have read Chinese only: of whatever else there was they made an emergency."""
    grave = pipeline()([text for text, _ in ENGLISH_ALARMS])
    assert [(one.verdict, set(one.services)) for one in grave] == [
        (Verdict.EMERGENCY, services) for _, services in ENGLISH_ALARMS
    ]
    letter = "Dear mayor, I have been living here for many years and I like this city. " * 4 + "The market is far away."
    calm = pipeline()([*ENGLISH_CALM, letter, "Xin chào, tôi cần giúp đỡ về giấy phép cư trú"])
    assert {(one.verdict, one.services, one.category, one.needs_person) for one in calm} == {
        (Verdict.NON_EMERGENCY, (), None, True)
    }
    [mixed] = pipeline()(["Hello 我家里着火了，在寮步，please come"])
    assert (mixed.verdict, mixed.category is None) == (Verdict.EMERGENCY, False)


def test_english_words_in_a_chinese_text_alarm_nobody() -> None:
    """Hardly anybody but people in danger used one in training, so a landlord and an elevator alarmed."""
    calm = [
        "Dear sir, 我住in寮步香市花园，楼上装修too noisy，please help", "hotel不退押金", "小区elevator又坏了",
        "APP一直loading登录不了help一下",
    ]
    assert {one.verdict for one in pipeline()(calm)} == {Verdict.NON_EMERGENCY}
    grave = [
        "我同事被machine夹住手了 help", "有人lock咗我喺房入面，我唔识佢", "我老公collapse了没有呼吸，快call 120",
        "my friend割腕了，好多血",
    ]
    assert {one.verdict for one in pipeline()(grave)} == {Verdict.EMERGENCY}


def test_names_that_everybody_writes_in_english_are_still_read() -> None:
    assert without_english("粤省事APP的wifi登录不了, 10km外的KTV") == "粤省事APP的wifi登录不了, 10km外的KTV"
    assert without_english("my landlord不退deposit") == " 不退"
