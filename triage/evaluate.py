"""Figures of a model on the tenth kept aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from hotline.appeal import Category, Triage
from hotline.terms import Verdict
from routing.directory import Directory
from routing.dispatch import best_guess
from triage.card import SHORT
from triage.corpus import HARD, Example, variety
from triage.fit import calibration_error

Judge = Callable[[Sequence[str]], Sequence[Triage]]


def evaluate(judge: Judge, examples: Sequence[Example], directory: Directory) -> dict[str, float]:
    """Return the figures on those `examples` that are kept aside, and the variety of all texts."""
    apart = [example for example in examples if example.apart]
    found = judge([example.text for example in apart])
    return {
        "texts": len(examples),
        "kept_aside": len(apart),
        **_category(apart, found),
        **_department(apart, found, directory),
        **_verdict(apart, found),
        **{name: round(value, 4) for name, value in variety([example.text for example in examples]).items()},
    }


def of_tickets(judge: Judge, tickets: Sequence[Example], directory: Directory) -> dict[str, float]:
    """Return what tickets, which bear a category and nothing else, can tell of a model."""
    found = judge([ticket.text for ticket in tickets])
    figures = _category(tickets, found) | _department(tickets, found, directory)
    return {name: figures[name] for name in ("l2_accuracy", "dispatch_coverage", "dispatch_precision")}


def _share(hits: Sequence[bool]) -> float:
    return round(float(np.mean(hits)), 4) if hits else 0.0


def _category(apart: Sequence[Example], found: Sequence[Triage]) -> dict[str, float]:
    pairs = [(example, one, one.category) for example, one in zip(apart, found, strict=True) if one.category]
    named = [pair for pair in pairs if pair[0].label]
    right = np.array([(c.l1, c.l2) == (example.l1, example.l2) for example, _, c in named])
    near = [example.label in {c.l1 + c.l2, *(a.l1 + a.l2 for a in one.alternatives)} for example, one, c in named]
    stated = np.array([c.confidence for _, _, c in named])
    return {
        "l1_accuracy": _share([c.l1 == example.l1 for example, _, c in named]),
        "l2_accuracy": _share(right.tolist()),
        "l2_among_first_four": _share(near),
        "l2_ece": round(calibration_error(stated, right), 4) if named else 0.0,
        "kind_accuracy": _share([one.kind is example.kind for example, one, _ in pairs]),
        "towns_exact": _share([set(one.towns) == set(example.towns) for example, one, _ in pairs]),
    }


def _department(apart: Sequence[Example], found: Sequence[Triage], directory: Directory) -> dict[str, float]:
    """Judge the department by what the directory says of the right category at the place and of the kind found."""
    right, guessed, sure = [], [], []
    for example, one in zip(apart, found, strict=True):
        if example.verdict is not Verdict.NON_EMERGENCY or not example.label:
            continue
        truth = msgspec.structs.replace(one, category=Category(example.l1, example.l2, 1.0), needs_person=False)
        owner = best_guess(truth, directory).department
        sure.append(not one.needs_person)
        guessed.append(best_guess(one, directory).department == owner)
        right += [one.department == owner] if not one.needs_person else []
    return {
        "department_accuracy": _share(guessed),
        "dispatch_coverage": _share(sure),
        "dispatch_precision": _share(right),
    }


def _verdict(apart: Sequence[Example], found: Sequence[Triage]) -> dict[str, float]:
    pairs = list(zip(apart, found, strict=True))
    grave = [one.verdict for example, one in pairs if example.verdict is Verdict.EMERGENCY]
    calm = [(example, one.verdict) for example, one in pairs if example.verdict is Verdict.NON_EMERGENCY]
    hard = [verdict for example, verdict in calm if example.source.startswith(HARD)]
    usual = [verdict for example, verdict in calm if not example.source.startswith(HARD)]
    short = [verdict for example, verdict in calm if len(example.text) <= SHORT]
    return {
        "emergency_recall": _share([verdict is Verdict.EMERGENCY for verdict in grave]),
        "emergency_raised_at_all": _share([verdict is not Verdict.NON_EMERGENCY for verdict in grave]),
        "false_alarms_hard_negatives": _share([verdict is Verdict.EMERGENCY for verdict in hard]),
        "false_alarms_ordinary": _share([verdict is Verdict.EMERGENCY for verdict in usual]),
        "unclear_on_ordinary": _share([verdict is Verdict.UNCLEAR for verdict in usual]),
        "raised_short_calm": _share([verdict is not Verdict.NON_EMERGENCY for verdict in short]),
    }
