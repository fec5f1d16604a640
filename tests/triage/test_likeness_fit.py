"""The fit of the weights of likeness: it weighs as the service does, and keeps each weight to its sign."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench import likeness_fit as fit
from triage import likeness as weights
from triage.likeness import About, Evidence, Place, likeness

NAMES = (*Place._fields, *About._fields, "soon", "days", "brief_days")
BEGIN = [
    *weights.PLACE, *weights.ABOUT, weights.SOON, weights.DAYS, weights.BRIEF_DAYS, weights.PLACE_BIAS,
    weights.ABOUT_BIAS,
]


@pytest.fixture(autouse=True)
def _weights_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLACE", "ABOUT", "SOON", "DAYS", "BRIEF_DAYS", "PLACE_BIAS", "ABOUT_BIAS"):
        monkeypatch.setattr(weights, name, getattr(weights, name))


def pairs(count: int = 400) -> fit.Pairs:
    """Pairs of which those of one incident have more of everything, even of what speaks against it."""
    draw = np.random.default_rng(1)
    same = (np.arange(count) % 2).astype(np.float64)
    return fit.Pairs(draw.random((count, len(NAMES))) * (0.8 + 0.2 * same[:, None]), same)


def test_every_weight_held_to_a_sign_is_one_of_likeness() -> None:
    assert set(NAMES) >= fit.AGAINST | fit.KEPT
    assert not fit.AGAINST & fit.KEPT


@pytest.mark.parametrize("values", [BEGIN, [float(n) / 4 - 2 for n in range(len(BEGIN))]], ids=["shipped", "other"])
def test_what_is_fitted_is_what_the_service_weighs(monkeypatch: pytest.MonkeyPatch, values: list[float]) -> None:
    shares = [n / len(NAMES) for n in range(len(NAMES))]
    cut, end = len(Place._fields), len(Place._fields) + len(About._fields)
    found = Evidence(Place(*shares[:cut]), About(*shares[cut:end]), 0.0, *shares[end:])
    monkeypatch.setattr(weights, "evidence", lambda *_: found)
    monkeypatch.setattr(weights, "elsewhere", lambda *_: False)
    told: Any = None
    fit.use(np.array(values))
    pair = fit.Pairs(np.array([fit.row_of(found)]), np.array([1.0]))
    loss, _ = fit._loss(np.array(values), pair)
    assert loss == pytest.approx(np.logaddexp(0.0, -likeness(told, told)), abs=0.01)  # but for what holds weights down


def test_the_gradient_is_that_of_the_loss() -> None:
    values, step, some = np.array(BEGIN), 1e-6, pairs()
    _, slope = fit._loss(values, some)
    for number in range(len(values)):
        aside = np.zeros(len(values))
        aside[number] = step
        rise = (fit._loss(values + aside, some)[0] - fit._loss(values - aside, some)[0]) / (2 * step)
        assert slope[number] == pytest.approx(rise, abs=1e-6)


def test_weights_keep_their_sign_whatever_the_pairs_say_and_tell_incidents_apart() -> None:
    some = pairs()
    values = fit.fitted(some)
    for name, value, before in zip(NAMES, values, BEGIN, strict=False):
        if name in fit.KEPT:
            assert value == before
        else:
            assert (value <= 0) if name in fit.AGAINST else (value >= 0), name
    assert fit._loss(values, some)[0] < fit._loss(np.array(BEGIN), some)[0]
