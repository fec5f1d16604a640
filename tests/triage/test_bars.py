"""Bars, reliability and the figures of classes, on numbers small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from triage.bars import BINS, Bar, bins_of, diagram, error_of, macro_f1, scored, table_text
from triage.fit import calibration_error

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60)


@pytest.mark.parametrize(
    ("bar", "cleared", "barred", "words"),
    [
        (Bar("recall", 0.995, least=0.995), True, True, "ok"),
        (Bar("recall", 0.994, least=0.995), False, True, "MISSED"),
        (Bar("alarms", 0.02, most=0.02), True, True, "ok"),
        (Bar("alarms", 0.03, most=0.02), False, True, "MISSED"),
        (Bar("coverage", 0.1), True, False, "0.1000"),
    ],
)
def test_a_bar_is_cleared_on_its_own_side(bar: Bar, cleared: bool, barred: bool, words: str) -> None:
    assert (bar.cleared, bar.barred) == (cleared, barred)
    assert bar.name in bar.line()
    assert bar.line().endswith(words)


@given(ANSWERS)
def test_bins_hold_every_answer_once_and_agree_with_the_error_in_arrays(answers: list[tuple[float, bool]]) -> None:
    stated, right = [one for one, _ in answers], [hit for _, hit in answers]
    bins = bins_of(stated, right)
    assert len(bins) == BINS
    assert sum(one.size for one in bins) == len(answers)
    expected = calibration_error(np.array(stated), np.array(right)) if answers else 0.0
    assert error_of(bins) == pytest.approx(expected, abs=1e-9)
    assert len(diagram(bins).splitlines()) == BINS + 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=40))
def test_the_macro_f1_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, found = [t for t, _ in pairs], [f for _, f in pairs]
    table = scored(truth, found, "abc")
    expected = f1_score(truth, found, labels=list("abc"), average="macro", zero_division=0)
    assert macro_f1(table) == pytest.approx(expected)
    assert table_text(table).count("\n") == 2
