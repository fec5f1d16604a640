"""Thresholds of an alarm: the stated share of the emergencies is raised, by rules and model together."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from hotline.city import load_city
from hotline.terms import Kind, Verdict
from triage.card import NEVER, PRECISION, RAISED, RECALL, Card, Head, Thresholds
from triage.corpus import Example
from triage.judge import USUAL_HELP
from triage.model_card import card_text
from triage.thresholds import ALARMS, alarm_thresholds, thresholds_for

COUNT = 400


NOTHING = np.zeros(COUNT)


def limits_of(examples: list[Example], table: NDArray[np.float64], helped: float) -> tuple[float, float]:
    """The thresholds where no passage says anything."""
    return alarm_thresholds(examples, table, np.full(COUNT, helped), NOTHING, (NEVER, NEVER))


def texts(words: str, verdict: Verdict = Verdict.EMERGENCY) -> list[Example]:
    return [
        Example(text=f"{words}{number}", l1="05", l2="治安线索", kind=Kind.ASSISTANCE, verdict=verdict)
        for number in range(COUNT)
    ]


def chances(first: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack((first, first / 10, 1 - 1.1 * first), axis=1)


def test_the_stated_shares_are_raised() -> None:
    table = chances(np.random.default_rng(3).permutation(np.linspace(0.06, 0.45, COUNT)))
    emergency, unclear = limits_of(texts("门牌"), table, USUAL_HELP)
    assert np.mean(table[:, 0] >= emergency) == pytest.approx(RECALL, abs=2 / COUNT)
    assert np.mean(table[:, 0] + table[:, 1] >= unclear) == pytest.approx(RAISED, abs=2 / COUNT)


def test_asking_for_help_counts_for_the_thresholds_too() -> None:
    table = chances(np.linspace(0.06, 0.3, COUNT))
    calm = limits_of(texts("门牌"), table, USUAL_HELP)
    loud = limits_of(texts("门牌"), table, 0.6)
    assert loud[0] > calm[0]
    assert loud[1] > calm[1]


@pytest.mark.parametrize("first", [0.001, 0.999])
def test_no_threshold_leaves_its_bounds(first: float) -> None:
    for limit in limits_of(texts("门牌"), chances(np.full(COUNT, first)), USUAL_HELP):
        assert ALARMS[0] <= limit <= ALARMS[1]


def test_what_the_rules_raise_asks_nothing_of_the_model() -> None:
    table = chances(np.full(COUNT, 0.04))
    assert limits_of(texts("救命，楼上着火了，快来人"), table, USUAL_HELP) == ALARMS[1:] * 2


def test_without_emergencies_there_is_nothing_to_choose_by() -> None:
    found = limits_of(texts("门牌", Verdict.NON_EMERGENCY), chances(np.full(COUNT, 0.2)), 0.1)
    assert found == ALARMS


def dispatching(precision: float) -> Thresholds:
    """The thresholds at a stated precision where the surer half is always right, the other every second time."""
    examples = texts("门牌", Verdict.NON_EMERGENCY)
    sure, row = np.linspace(0.55, 0.99, COUNT), np.arange(COUNT)
    right = (row >= COUNT // 2) | (row % 2 == 0)
    first = np.log(np.where(right, sure, 1 - sure))
    scores = np.stack((first, np.log(1 - np.exp(first))), axis=1)
    heads = [
        Head(name=name, labels=labels, bias=(0.0,) * len(labels), scale=1.0)
        for name, labels in (("category", ("05治安线索", "09供水")), ("kind", tuple(Kind)), ("verdict", tuple(Verdict)))
    ]
    even = [np.zeros((COUNT, len(head.labels))) for head in heads]
    return thresholds_for(
        examples, load_city(Path("cities/441900")), (heads[0], scores), (heads[1], even[1]), (heads[2], even[2]),
        np.arange(COUNT), NOTHING, precision=precision,
    )


def test_who_states_a_higher_precision_has_less_dispatched() -> None:
    low, usual, high = (dispatching(precision) for precision in (0.8, PRECISION, 0.97))
    assert low.dispatch < usual.dispatch < high.dispatch
    assert (low.precision, usual.precision, high.precision) == (0.8, PRECISION, 0.97)
    assert b"precision" not in msgspec.json.encode(usual), "who states none has the same card as before"
    assert msgspec.json.decode(msgspec.json.encode(high), type=Thresholds) == high
    told = [card_text(Card(version="v", heads=(), thresholds=one), {}, 1, None, {}) for one in (usual, high)]
    assert ["a precision of 95 %" in told[0], "a precision of 97 %" in told[1]] == [True, True]
