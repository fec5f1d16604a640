"""The thresholds of a model, chosen in cross-validation: when to dispatch, when to alarm, when to ask a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hotline.city import City
from hotline.terms import Verdict
from triage.card import Head, Thresholds
from triage.corpus import HARD, Example
from triage.fit import numbers_of, softmax
from triage.pipeline import departments_of

PRECISION = 0.95
SURELY = 1.645
"""Standard errors that the precision must stay above PRECISION by: one-sided, 95 %. Chosen at PRECISION itself, every
second set of new texts would fall below it."""
DOUBT = 0.1
"""Share of the emergency threshold below which the rules alone raise no more than `unclear`. In cross-validation 0.969
of the emergencies are found so, 0.964 at twice the share, for 0.4 % more false alarms on hard negatives."""
DESPITE = (0.5, 0.35)
"""Thresholds for `emergency` and `unclear` where the words lean to calm: in cross-validation 9 of 582 emergencies were
missed by it and 12 of 17 false alarms were gone."""
FALSE_ALARMS = 0.04
"""Share of the hard negatives that the model may raise to `emergency` in cross-validation; half more to `unclear`."""
LEAST_ALARM = 0.1
"""No threshold goes lower, however well the training texts are told apart."""


def thresholds_for(
    examples: Sequence[Example],
    city: City,
    category: tuple[Head, NDArray[np.float64]],
    verdict: tuple[Head, NDArray[np.float64]],
    told: NDArray[np.int64],
) -> Thresholds:
    """Choose the thresholds from cross-validation.

    Args:
        category, verdict: the head, and its scores on texts it was not trained on, shape (texts, labels).
        told: rows whose verdict is known.
    """
    units, unit_of = departments_of(category[0].labels, city.directory)
    truth = unit_of[numbers_of(np.array([example.label for example in examples]), category[0].labels)]
    chances = softmax(category[1])
    chosen = unit_of[chances.argmax(axis=1)]
    mass = (chances @ np.eye(len(units))[unit_of])[np.arange(len(chosen)), chosen]
    usual = np.array([example.verdict is Verdict.NON_EMERGENCY for example in examples])
    emergency, unclear = _alarm_thresholds([examples[row] for row in told], softmax(verdict[1][told]))
    dispatch = least_confidence(mass[usual], (chosen == truth)[usual], PRECISION, surely=SURELY)
    return Thresholds(
        dispatch=dispatch,
        tie=0.1,
        emergency=emergency,
        unclear=unclear,
        emergency_despite=max(emergency, DESPITE[0]),
        unclear_despite=max(unclear, DESPITE[1]),
        doubt=emergency * DOUBT,
    )


def least_confidence(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], precision: float, *, surely: float = 0.0
) -> float:
    """Return the lowest confidence above which the answers are right at least `precision` of the time.

    Args:
        surely: standard errors of the share found by which it must be above.
    """
    order = np.argsort(-confidence, kind="stable")
    count = np.arange(1, len(order) + 1)
    so_far = np.cumsum(right[order]) / count
    good = np.flatnonzero(so_far - surely * np.sqrt(precision * (1 - precision) / count) >= precision)
    return float(confidence[order[good[-1]]]) if len(good) else 1.0


def _alarm_thresholds(examples: Sequence[Example], chances: NDArray[np.float64]) -> tuple[float, float]:
    """Return the lowest thresholds that keep the model's false alarms on hard negatives within FALSE_ALARMS."""
    calm = np.array([example.verdict is Verdict.NON_EMERGENCY for example in examples])
    hard = calm & np.array([example.source.startswith(HARD) for example in examples])
    tested = chances[hard if hard.any() else calm]
    emergency = np.quantile(tested[:, 0], 1 - FALSE_ALARMS)
    unclear = np.quantile(tested[:, 0] + tested[:, 1], 1 - 1.5 * FALSE_ALARMS)
    return max(float(emergency), LEAST_ALARM), max(float(unclear), LEAST_ALARM)
