"""The statistic of hot spots: a Poisson tail, what is usual, and which window is most unusual."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.hotspot import LEAST, RARE, chance, hottest, told, usual


@pytest.mark.parametrize(
    ("count", "expected", "exact"),
    [
        (0, 3.0, 1.0), (1, 0.5, 1 - math.exp(-0.5)), (2, 1.0, 1 - 2 * math.exp(-1)),
        (5, 0.1, 7.667e-8), (10, 1.0, 1.1143e-7), (30, 1.0, 1.43e-33),
    ],
)
def test_the_tail_of_poisson(count: int, expected: float, exact: float) -> None:
    assert chance(count, expected) == pytest.approx(exact, rel=2e-2)


@given(st.integers(0, 400), st.floats(0.001, 200))
def test_more_reports_are_less_likely(count: int, expected: float) -> None:
    assert 0.0 <= chance(count + 1, expected) <= chance(count, expected) + 1e-12 <= 1.0 + 1e-12


def test_what_is_usual_grows_with_window_and_past() -> None:
    assert usual(0, 24) > 0
    assert usual(28, 24) == pytest.approx(28.5 / 28)
    assert usual(10, 6) < usual(10, 24) < usual(10, 168)


@pytest.mark.parametrize(
    ("counts", "before", "hours"),
    [
        ({6: 8, 24: 8, 168: 8}, 0, 6), ({6: 4, 24: 4, 168: 4}, 0, None), ({6: 0, 24: 0, 168: 30}, 4, 168),
        ({6: 9, 24: 20, 168: 60}, 280, None), ({6: 40, 24: 60, 168: 120}, 280, 6), ({6: 0, 24: 0, 168: 0}, 0, None),
    ],
)
def test_the_most_unusual_window_is_named(counts: dict[int, int], before: int, hours: int | None) -> None:
    found = hottest(counts, before)
    assert (found[0] if found else None) == hours


@given(st.integers(0, 60), st.integers(0, 2000))
def test_hot_means_rare_and_several(count: int, before: int) -> None:
    found = hottest({24: count}, before)
    assert (found is not None) == (count >= LEAST and chance(count, usual(before, 24)) < RARE)


def test_the_alarm_says_where_what_and_how_unusual() -> None:
    words = told("大朗", "巷头", "停水", hours=6, count=12, expected=0.24)
    assert words == "热点:大朗巷头「停水」6小时内12人反映,平常约0.2人"
