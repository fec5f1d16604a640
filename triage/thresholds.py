"""The thresholds of a model, chosen in cross-validation: when to dispatch, when to alarm, when to ask a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hotline.city import City
from hotline.terms import Verdict
from triage.card import NEVER, OF_PASSAGES, PRECISION, RAISED, RECALL, Head, Thresholds
from triage.corpus import Example
from triage.fit import numbers_of, softmax
from triage.judge import helping, leads_of, shifted, tilt
from triage.match import batch_of
from triage.passages import LONG
from triage.rules import Assessment, assess_all
from triage.text import normalise

Answers = tuple[Head, NDArray[np.float64]]

SURELY = 1.645
"""Standard errors that the precision must stay above the stated one by: one-sided, 95 %. Chosen at that one itself,
every second set of new texts would fall below it."""
DOUBT = 0.03
"""Probability of an emergency or a doubtful case below which the rules alone raise no more than `unclear`."""
ALARMS = (0.05, 0.5)
"""No threshold of an alarm lies outside, however well or badly the training texts are told apart."""
PASSAGES = (0.3, 0.95)
"""The same for passages."""
ENOUGH = 400
"""Long ordinary texts below which no share of theirs can be told."""
_READ = 256


def thresholds_for(
    examples: Sequence[Example],
    city: City,
    category: Answers,
    kind: Answers,
    verdict: Answers,
    told: NDArray[Any],
    alarming: NDArray[np.float64],
    *,
    of_passages: tuple[float, float] | None = None,
    precision: float = PRECISION,
) -> Thresholds:
    """Choose the thresholds from cross-validation.

    Args:
        category, kind, verdict: the head, and its scores on texts it was not trained on, shape (texts, labels).
            Texts without a category of the city count for the alarms only.
        told: rows whose kind and verdict are known.
        alarming: the chance of each text's most alarming passage, shape (texts,).
        of_passages: the thresholds of passages where they are chosen already.
        precision: of the department, where it is dispatched to without a person.
    """
    leads = leads_of(category[0].labels, city.directory)
    named = [row for row, example in enumerate(examples) if example.label]
    truth = leads.unit_of[numbers_of(np.array([examples[row].label for row in named]), category[0].labels)]
    chances = softmax(category[1][named])
    chosen = leads.unit_of[chances.argmax(axis=1)]
    mass = (chances @ leads.table)[np.arange(len(chosen)), chosen]
    usual = np.array([examples[row].verdict is Verdict.NON_EMERGENCY for row in named])
    helped = softmax(kind[1][told])[:, helping(kind[0].labels)]
    known = [examples[row] for row in told]
    passage = of_passages or passage_thresholds(known, alarming[told])
    emergency, unclear = alarm_thresholds(known, softmax(verdict[1][told]), helped, alarming[told], passage)
    dispatch = least_confidence(mass[usual], (chosen == truth)[usual], precision, surely=SURELY)
    return Thresholds(
        dispatch=dispatch,
        tie=0.1,
        emergency=emergency,
        unclear=unclear,
        doubt=DOUBT,
        passage=passage[0],
        passage_unclear=passage[1],
        precision=precision,
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


def passage_thresholds(examples: Sequence[Example], alarming: NDArray[np.float64]) -> tuple[float, float]:
    """Return what passages of OF_PASSAGES of the long ordinary texts reach; NEVER where these are few."""
    ordinary = [
        row for row, one in enumerate(examples) if one.verdict is Verdict.NON_EMERGENCY and len(one.text) > LONG
    ]
    if len(ordinary) < ENOUGH:
        return NEVER, NEVER
    first, second = np.clip(np.quantile(alarming[ordinary], [1 - share for share in OF_PASSAGES]), *PASSAGES)
    return float(first), float(second)


def alarm_thresholds(
    examples: Sequence[Example],
    chances: NDArray[np.float64],
    helped: NDArray[np.float64],
    alarming: NDArray[np.float64],
    of_passages: tuple[float, float],
) -> tuple[float, float]:
    """Return the highest thresholds at which rules, model and passages together raise RECALL and RAISED of the
    emergencies."""
    grave = [row for row, example in enumerate(examples) if example.verdict is Verdict.EMERGENCY]
    if not grave:
        return ALARMS
    emergency, either = [], []
    both = chances[grave, 0] + chances[grave, 1]
    for row, total, one in zip(grave, both, _assessed([examples[row].text for row in grave], both), strict=True):
        lean = tilt(one, float(helped[row]))
        surely = one.verdict is Verdict.EMERGENCY and (one.certain or total >= DOUBT)
        asked = one.verdict is not Verdict.NON_EMERGENCY
        passages = [bool(alarming[row] >= limit) for limit in of_passages]
        emergency.append(1.0 if surely or passages[0] else shifted(float(chances[row, 0]), lean))
        either.append(1.0 if asked or passages[1] else shifted(float(total), lean))
    first, second = np.clip((np.quantile(emergency, 1 - RECALL), np.quantile(either, 1 - RAISED)), *ALARMS)
    return float(first), float(second)


def _assessed(texts: Sequence[str], chances: NDArray[np.float64]) -> Iterator[Assessment]:
    """Yield what the rules say of each text, of which the model thinks so much."""
    for start in range(0, len(texts), _READ):
        batch = batch_of([text.clean for text in normalise(texts[start : start + _READ])])
        yield from assess_all(batch, np.flatnonzero(chances[start : start + _READ] > DOUBT).tolist())
