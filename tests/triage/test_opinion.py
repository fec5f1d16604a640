"""When the encoder is asked: never for large batches or while it rests, unless always; and how two opinions blend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from triage.card import Card
from triage.encoder import blended
from triage.linear import Scores
from triage.opinion import MOST, SHARE, Opinions, Use


class Counted:
    """A scorer that takes `cost` seconds of the clock it shares, and counts the texts it was asked about."""

    card = cast(Card, None)

    def __init__(self, clock: list[float], cost: float) -> None:
        self.asked: list[int] = []
        self._clock, self._cost = clock, cost

    def __call__(self, texts: Sequence[str]) -> Scores:
        self.asked.append(len(texts))
        self._clock[0] += self._cost * len(texts)
        nothing = np.zeros((len(texts), 1), dtype=np.float32)
        return Scores(nothing, nothing, nothing, nothing)


def opinions(use: Use) -> tuple[Opinions, Counted, Counted, list[float]]:
    clock = [100.0]
    quick, careful = Counted(clock, 0.0), Counted(clock, 0.004)
    return Opinions(quick, careful, use, clock=lambda: clock[0]), quick, careful, clock


@pytest.mark.parametrize(
    ("use", "count", "asked"),
    [
        (Use.AUTO, 1, True),
        (Use.AUTO, MOST, True),
        (Use.AUTO, MOST + 1, False),
        (Use.ALWAYS, MOST + 1, True),
        (Use.OFF, 1, False),
    ],
)
def test_who_is_asked(use: Use, count: int, asked: bool) -> None:
    both, quick, careful, _ = opinions(use)
    scorer, scores = both(["x"] * count)
    assert scorer is (careful if asked else quick)
    assert len(scores.category) == count
    assert (careful.asked, quick.asked) == (([count], []) if asked else ([], [count]))
    assert both.best is (quick if use is Use.OFF else careful)


def test_in_auto_the_encoder_takes_no_more_than_its_share_of_the_time() -> None:
    both, quick, careful, clock = opinions(Use.AUTO)
    began = clock[0]
    for _ in range(2000):
        both(["x"] * 2)
        clock[0] += 0.001
    spent = sum(careful.asked) * 0.004
    assert 0.8 * SHARE < spent / (clock[0] - began) <= SHARE * 1.05
    assert len(careful.asked) + len(quick.asked) == 2000


def test_without_an_encoder_the_linear_model_answers_whatever_is_set() -> None:
    quick = Counted([0.0], 0.0)
    both = Opinions(quick, None, Use.ALWAYS)
    assert both(["x"])[0] is quick
    assert both.best is quick


def test_a_blend_is_each_opinion_at_its_ends_and_sums_to_one() -> None:
    first, second = np.log(np.array([[0.7, 0.2, 0.1]])), np.log(np.array([[0.1, 0.1, 0.8]]))
    assert blended(first, second, 0.0, 1.0) == pytest.approx(np.exp(first), abs=1e-6)
    assert blended(first, second, 1.0, 1.0) == pytest.approx(np.exp(second), abs=1e-6)
    middle = blended(first, second, 0.5, 2.0)
    assert middle.sum() == pytest.approx(1.0, abs=1e-6)
    assert middle.argmax() == 2
