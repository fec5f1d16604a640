"""From probabilities and rules to the parts of a `Triage`: pure, so that every choice can be tested by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hotline.appeal import Category, Evidence
from hotline.terms import GRAVITY, Kind, Service, Verdict
from routing.directory import Directory
from triage.card import DANGER, Head, Thresholds
from triage.features import Floats, Ints
from triage.rules import Assessment, services_of
from triage.text import Text, sentences

ALTERNATIVES = 3
_LEAST_ALTERNATIVE = 0.02
_LEAST_SERVICE = 0.5
_LEAST_HEARD = 0.3
"""Chance from which a service is called that a word of danger speaks for, although the rules turned it off or found it
too weak. Of the emergencies kept apart that the model alone raised: 7 more with every service that they need, for 13
that one more service is called to; whatever the model thinks it would be 12 for 50."""
_MOST_SENTENCES = 64
USUAL_HELP = 0.1
"""A text as likely to ask for help in danger (`card.DANGER`) as this leans neither way: the share of such texts."""
_HELP = 0.3
"""What the log odds of asking for help in danger count beside those of an emergency: a second look at it, by a head
that has to tell it from seven ways to ask, complain and praise. In cross-validation of the linear model, with 0.95 of
the emergencies at once to 110: 3.9 % of the hard negatives and 1.0 % of the ordinary texts alarm, instead of 4.6 and
1.3 %. Of the blend with the encoder, on the part spared in fine-tuning, 0.2 to 0.6 are alike."""
_ORDER = {Service.POLICE: 0, Service.FIRE: 1, Service.AMBULANCE: 2, Service.TRAFFIC: 3}


class Choice(NamedTuple):
    """The category and whether the model is sure enough of the department to dispatch by itself."""

    category: Category
    alternatives: tuple[Category, ...]
    sure: bool


class Leads(NamedTuple):
    """Which unit leads each category in one version of the directory: its number, and the same as ones in a table."""

    unit_of: NDArray[np.int64]
    table: Floats


def leads_of(labels: Sequence[str], directory: Directory) -> Leads:
    """Return which unit leads each label's category, whatever the place ({place} is one of them)."""
    leads = []
    for label in labels:
        rule = directory.find(label[:2], label[2:], Kind.COMPLAINT, ())
        leads.append(rule.lead if rule else "")
    units = list(dict.fromkeys(leads))
    unit_of = np.array([units.index(lead) for lead in leads], dtype=np.int64)
    return Leads(unit_of, np.eye(len(units), dtype=np.float32)[unit_of])


def choose(head: Head, chances: Floats, departments: Floats, unit_of: Ints, limits: Thresholds) -> list[Choice]:
    """Return for each text the likeliest category with its rivals; confidences are read off the head's curve.

    Args:
        chances: probability of each label of `head`, shape (texts, labels).
        departments: probability of each department, shape (texts, units).
        unit_of: number of each label's department, shape (labels,).
    """
    count = min(ALTERNATIVES + 1, chances.shape[1])
    order = np.argpartition(chances, -count, axis=1)[:, -count:]  # a few of two hundred: no need to sort them all
    best = np.argsort(-np.take_along_axis(chances, order, axis=1), axis=1, kind="stable")
    order = np.take_along_axis(order, best, axis=1)
    top = np.take_along_axis(chances, order, axis=1)
    stated, found = zip(*head.curve, strict=True)
    confidence = np.interp(top[:, 0], stated, found)
    top = np.minimum(top * ((1 - confidence) / np.maximum(1e-6, 1 - top[:, 0]))[:, None], confidence[:, None])
    sure = _sure(departments, unit_of[order[:, 0]], limits)
    rows = zip(order.tolist(), confidence.tolist(), top[:, 1:].tolist(), sure.tolist(), strict=True)
    return [_choice(head.labels, *row) for row in rows]


def _sure(departments: Floats, chosen: Ints, limits: Thresholds) -> NDArray[np.bool_]:
    """Tell where the chosen department is likely enough and no other comes near."""
    rows = np.arange(len(chosen))
    own = departments[rows, chosen]
    others = departments.copy()
    others[rows, chosen] = 0.0
    return np.asarray((own >= limits.dispatch) & (own - others.max(axis=1) >= limits.tie))


def _choice(
    labels: Sequence[str], order: list[int], confidence: float, rivals: list[float], sure: bool
) -> Choice:
    alternatives = tuple(
        _category(labels[number], chance)
        for number, chance in zip(order[1:], rivals, strict=True)
        if chance >= _LEAST_ALTERNATIVE
    )
    return Choice(_category(labels[order[0]], confidence), alternatives, sure)


def _category(label: str, confidence: float) -> Category:
    return Category(label[:2], label[2:], round(confidence, 4))


def helping(labels: Sequence[str]) -> int:
    """Return which label of the head for kinds speaks for an emergency: 求助 in models older than DANGER."""
    return labels.index(DANGER if DANGER in labels else Kind.ASSISTANCE.value)


def asked(labels: Sequence[str], chances: Sequence[float], verdict: Verdict) -> Kind:
    """Return the likeliest kind, given what a text was judged to be: one that is grave asks for help, mostly.

    Args:
        labels: of the head for kinds, DANGER at the end of them or not at all.
    """
    found = dict(zip(labels, chances, strict=True))
    danger = found.pop(DANGER, 0.0)
    if verdict is not Verdict.NON_EMERGENCY:
        found[Kind.ASSISTANCE.value] += danger
    return Kind(max(found, key=found.__getitem__))


def raised(
    assessment: Assessment, chances: Sequence[float], limits: Thresholds, helped: float = USUAL_HELP,
    passage: float = 0.0,
) -> tuple[Verdict, bool]:
    """Return the higher of the rules' and the model's verdict, and whether the model alone raised it.

    `chances` are those of emergency, unclear and non_emergency, in this order, and `helped` that of asking for help in
    danger;
    the words that the rules know shift them, so that the model must be surer where all is past, settled or asked
    about, and less sure where it happens now. `passage` is the chance of the most alarming passage of a long text.
    """
    by_model = Verdict.NON_EMERGENCY
    by_rules = assessment.verdict
    if by_rules is Verdict.EMERGENCY and not assessment.certain and chances[0] + chances[1] < limits.doubt:
        by_rules = Verdict.UNCLEAR
    lean = tilt(assessment, helped)
    if shifted(chances[0], lean) >= limits.emergency or passage >= limits.passage:
        by_model = Verdict.EMERGENCY
    elif shifted(chances[0] + chances[1], lean) >= limits.unclear or passage >= limits.passage_unclear:
        by_model = Verdict.UNCLEAR
    if GRAVITY[by_model] > GRAVITY[by_rules]:
        return by_model, assessment.verdict is Verdict.NON_EMERGENCY
    return by_rules, False


def graver(one: Assessment, other: Assessment) -> bool:
    """Tell whether the rules say worse of one than of another."""
    return (GRAVITY[one.verdict], one.certain) > (GRAVITY[other.verdict], other.certain)


def tilt(assessment: Assessment, helped: float) -> float:
    """Return how far the words of a text and what it asks for move the log odds of an emergency."""
    return assessment.lean + _HELP * (_log_odds(helped) - _log_odds(USUAL_HELP))


def _log_odds(chance: float) -> float:
    kept = min(max(chance, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))


def shifted(chance: float, lean: float) -> float:
    """Return a probability whose log odds are moved by `lean`."""
    grown = chance * math.exp(lean)
    return grown / (grown + 1.0 - chance)


def services_for(
    assessment: Assessment, names: Sequence[str], chances: Sequence[float]
) -> tuple[Service, ...]:
    """Return the services that the rules or the model call for; at least the likeliest one.

    Where the model alone raises, a word of danger that the rules did not go by makes up for some of its doubt.
    """
    heard = () if assessment.services else services_of(assessment.heard)
    wanted = {
        service for service, chance in zip(map(Service, names), chances, strict=True)
        if chance >= (_LEAST_HEARD if service in heard else _LEAST_SERVICE)
    }
    wanted.update(assessment.services)
    if not wanted:
        wanted.add(Service(max(zip(chances, names, strict=True))[1]))
    return tuple(sorted(wanted, key=_ORDER.__getitem__))


def rule_evidence(text: Text, assessment: Assessment) -> tuple[Evidence, ...]:
    """Return the words that the rules went by, in order, pointing into the original text."""
    spans = {(hit.start, hit.end): hit.word.danger for hit in assessment.hits}
    return tuple(_shown(text, f"rule:{danger}", start, end) for (start, end), danger in sorted(spans.items()))


def model_evidence(
    text: Text, version: str, weigh: Callable[[list[str]], Sequence[float]], told: tuple[int, int] | None = None
) -> tuple[Evidence, ...]:
    """Return as the model's evidence the passage that `told` it, else the sentence that `weigh` finds most alarming."""
    if told is None:
        bounds = sentences(text.clean)[:_MOST_SENTENCES]
        if not bounds:
            return ()
        alarm = weigh([text.clean[start:end] for start, end in bounds])
        told = bounds[max(range(len(bounds)), key=lambda number: alarm[number])]
    return (_shown(text, f"model:{version}", *told),)


def _shown(text: Text, rule: str, start: int, end: int) -> Evidence:
    begin, finish = text.span(start, end)
    return Evidence(rule, text.raw[begin:finish], begin, finish)
