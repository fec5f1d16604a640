"""Choices and verdicts from plain numbers: refusal, near-ties, calibration, and rules OR model."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.terms import Kind, Service, Verdict
from triage.card import DANGER, Head, Thresholds
from triage.judge import (
    USUAL_HELP,
    asked,
    choose,
    helping,
    model_evidence,
    raised,
    rule_evidence,
    services_for,
    shifted,
)
from triage.match import batch_of
from triage.rules import CALM, Assessment, assess_all
from triage.text import normalise

LIMITS = Thresholds(
    dispatch=0.8, tie=0.1, emergency=0.3, unclear=0.4, doubt=0.05
)
LABELS = ("01欠薪", "01工伤", "04扬尘")
HEAD = Head(name="category", labels=LABELS, bias=(0.0,) * 3, scale=1.0)
UNIT_OF = np.array([0, 0, 1])
GROUPING = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)


def chosen(*chances: float, head: Head = HEAD, limits: Thresholds = LIMITS) -> list[object]:
    table = np.array([chances], dtype=np.float32)
    choice = choose(head, table, table @ GROUPING, UNIT_OF, limits)[0]
    return [choice.category.l2, choice.sure, [one.l2 for one in choice.alternatives], choice.category.confidence]


def test_two_categories_of_one_department_add_up() -> None:
    assert chosen(0.5, 0.35, 0.15)[:2] == ["欠薪", True]


@pytest.mark.parametrize(
    ("chances", "sure"), [((0.7, 0.05, 0.25), False), ((0.79, 0.02, 0.19), True), ((0.1, 0.1, 0.8), True)]
)
def test_below_the_threshold_a_person_decides(chances: tuple[float, ...], sure: bool) -> None:
    assert chosen(*chances)[1] is sure


def test_a_near_tie_goes_to_a_person_even_above_the_threshold() -> None:
    low = msgspec.structs.replace(LIMITS, dispatch=0.4)
    assert chosen(0.52, 0.0, 0.48, limits=low)[1] is False
    assert chosen(0.60, 0.0, 0.40, limits=low)[1] is True


def test_alternatives_are_the_next_likeliest_and_never_likelier() -> None:
    name, _, rivals, confidence = chosen(0.2, 0.5, 0.3)
    assert (name, rivals) == ("工伤", ["扬尘", "欠薪"])
    assert confidence == pytest.approx(0.5)


def test_confidence_is_read_off_the_curve() -> None:
    curved = msgspec.structs.replace(HEAD, curve=((0.0, 0.2), (0.5, 0.4), (1.0, 0.9)))
    assert chosen(0.75, 0.15, 0.1, head=curved)[3] == pytest.approx(0.65)


FIRE = Assessment(Verdict.EMERGENCY, (Service.FIRE,), ())
DOUBTFUL = Assessment(Verdict.UNCLEAR, (Service.POLICE,), ())


@pytest.mark.parametrize(
    ("assessment", "chances", "expected"),
    [
        (CALM, (0.1, 0.1, 0.8), (Verdict.NON_EMERGENCY, False)),
        (CALM, (0.3, 0.0, 0.7), (Verdict.EMERGENCY, True)),
        (CALM, (0.2, 0.2, 0.6), (Verdict.UNCLEAR, True)),
        (FIRE, (0.1, 0.0, 0.9), (Verdict.EMERGENCY, False)),
        (FIRE, (0.01, 0.01, 0.98), (Verdict.UNCLEAR, False)),
        (DOUBTFUL, (0.0, 0.0, 1.0), (Verdict.UNCLEAR, False)),
        (DOUBTFUL, (0.9, 0.0, 0.1), (Verdict.EMERGENCY, False)),
    ],
)
def test_rules_or_model_raise_and_neither_silences_the_other(
    assessment: Assessment, chances: tuple[float, ...], expected: tuple[Verdict, bool]
) -> None:
    assert raised(assessment, chances, LIMITS) == expected


@pytest.mark.parametrize(
    ("lean", "expected"),
    [
        (-1.5, Verdict.NON_EMERGENCY),
        (-0.5, Verdict.UNCLEAR),
        (0.0, Verdict.UNCLEAR),
        (0.5, Verdict.EMERGENCY),
    ],
)
def test_words_that_lean_to_calm_or_alarm_shift_the_model(lean: float, expected: Verdict) -> None:
    assert raised(CALM._replace(lean=lean), (0.25, 0.3, 0.45), LIMITS)[0] is expected


@pytest.mark.parametrize(
    ("helped", "expected"),
    [
        (0.0, Verdict.NON_EMERGENCY),
        (0.001, Verdict.NON_EMERGENCY),
        (USUAL_HELP, Verdict.UNCLEAR),
        (0.95, Verdict.EMERGENCY),
        (1.0, Verdict.EMERGENCY),
    ],
)
def test_who_asks_for_help_is_raised_sooner(helped: float, expected: Verdict) -> None:
    assert raised(CALM, (0.25, 0.3, 0.45), LIMITS, helped)[0] is expected


KINDS = ("enquiry", "assistance", "report")


@pytest.mark.parametrize(
    ("chances", "verdict", "kind"),
    [
        ((0.2, 0.1, 0.15, 0.55), Verdict.EMERGENCY, Kind.ASSISTANCE),
        ((0.2, 0.1, 0.15, 0.55), Verdict.UNCLEAR, Kind.ASSISTANCE),
        ((0.2, 0.1, 0.15, 0.55), Verdict.NON_EMERGENCY, Kind.ENQUIRY),
        ((0.1, 0.1, 0.6, 0.2), Verdict.UNCLEAR, Kind.REPORT),  # who told is hidden then: not to be given up lightly
        ((0.2, 0.7, 0.1), Verdict.NON_EMERGENCY, Kind.ASSISTANCE),
        ((0.2, 0.1, 0.7), Verdict.EMERGENCY, Kind.REPORT),
    ],
)
def test_danger_asks_for_help_where_there_is_danger(
    chances: tuple[float, ...], verdict: Verdict, kind: Kind
) -> None:
    assert asked((*KINDS, DANGER)[: len(chances)], chances, verdict) is kind


def test_what_speaks_for_an_emergency_is_danger_or_in_older_models_asking_for_help() -> None:
    assert (helping((*KINDS, DANGER)), helping(KINDS)) == (3, 1)


def test_what_is_certain_stands_whatever_the_model_thinks() -> None:
    assert raised(FIRE._replace(certain=True), (0.0, 0.0, 1.0), LIMITS)[0] is Verdict.EMERGENCY


@given(st.floats(0, 1), st.floats(-5, 5), st.floats(-5, 5))
def test_a_shift_keeps_chances_chances_and_their_order(chance: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= shifted(chance, low) <= shifted(chance, high) + 1e-12 <= 1.0 + 1e-9


NUMBERS = ("110", "119", "120", "122")


def test_services_of_rules_and_model_are_joined_in_order() -> None:
    assert services_for(FIRE, NUMBERS, (0.1, 0.1, 0.9, 0.1)) == (Service.FIRE, Service.AMBULANCE)


def test_where_the_model_alone_raises_a_word_that_was_turned_off_helps_to_choose() -> None:
    [feared] = assess_all(batch_of(["要是着火了怎么办"]))
    assert (feared.verdict, feared.services) == (Verdict.NON_EMERGENCY, ())
    assert services_for(feared, NUMBERS, (0.1, 0.3, 0.6, 0.4)) == (Service.FIRE, Service.AMBULANCE)
    assert services_for(feared, NUMBERS, (0.1, 0.2, 0.6, 0.4)) == (Service.AMBULANCE,)


def test_where_the_rules_raise_their_services_and_the_models_sure_ones_are_called() -> None:
    [known] = assess_all(batch_of(["楼下着火了。要是有人晕倒了"]))
    assert known.services == (Service.FIRE,)
    assert services_for(known, NUMBERS, (0.1, 0.1, 0.4, 0.1)) == (Service.FIRE,)


def test_an_emergency_always_has_a_service() -> None:
    assert services_for(CALM, NUMBERS, (0.1, 0.1, 0.3, 0.2)) == (Service.AMBULANCE,)


def test_rule_evidence_points_into_the_original() -> None:
    text = normalise(["快来人！樓下着火了"])[0]
    evidence = rule_evidence(text, assess_all(batch_of([text.clean]))[0])
    assert [(one.rule, one.text, text.raw[one.start : one.end]) for one in evidence] == [
        ("rule:fire", "着火了", "着火了")
    ]


def test_model_evidence_is_the_most_alarming_sentence() -> None:
    text = normalise(["你好。他不动了！谢谢"])[0]
    evidence = model_evidence(text, "m", lambda parts: [float("不动" in part) for part in parts])
    assert [(one.rule, one.text) for one in evidence] == [("model:m", "他不动了！")]
    assert model_evidence(normalise(["  "])[0], "m", lambda parts: [0.0 for _ in parts]) == ()
