"""Figures of a model on the tenth kept aside, and the model card that quotes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from hotline.appeal import Category, Triage
from hotline.terms import Verdict
from routing.directory import Directory
from routing.dispatch import best_guess
from triage.card import Card
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


def _share(hits: Sequence[bool]) -> float:
    return round(float(np.mean(hits)), 4) if hits else 0.0


def _category(apart: Sequence[Example], found: Sequence[Triage]) -> dict[str, float]:
    pairs = [(example, one, one.category) for example, one in zip(apart, found, strict=True) if one.category]
    right = np.array([(c.l1, c.l2) == (example.l1, example.l2) for example, _, c in pairs])
    near = [example.label in {c.l1 + c.l2, *(a.l1 + a.l2 for a in one.alternatives)} for example, one, c in pairs]
    return {
        "l1_accuracy": _share([c.l1 == example.l1 for example, _, c in pairs]),
        "l2_accuracy": _share(right.tolist()),
        "l2_among_first_four": _share(near),
        "l2_ece": round(calibration_error(np.array([c.confidence for _, _, c in pairs]), right), 4),
        "kind_accuracy": _share([one.kind is example.kind for example, one, _ in pairs]),
        "towns_exact": _share([set(one.towns) == set(example.towns) for example, one, _ in pairs]),
    }


def _department(apart: Sequence[Example], found: Sequence[Triage], directory: Directory) -> dict[str, float]:
    """Judge the department by what the directory says of the right category at the place and of the kind found."""
    right, guessed, sure = [], [], []
    for example, one in zip(apart, found, strict=True):
        if example.verdict is not Verdict.NON_EMERGENCY:
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
    return {
        "emergency_recall": _share([verdict is Verdict.EMERGENCY for verdict in grave]),
        "emergency_raised_at_all": _share([verdict is not Verdict.NON_EMERGENCY for verdict in grave]),
        "false_alarms_hard_negatives": _share([verdict is Verdict.EMERGENCY for verdict in hard]),
        "false_alarms_ordinary": _share([verdict is Verdict.EMERGENCY for verdict in usual]),
        "unclear_on_ordinary": _share([verdict is Verdict.UNCLEAR for verdict in usual]),
    }


_NAMES = {
    "texts": "texts", "kept_aside": "of them kept aside, never trained on",
    "l1_accuracy": "first level right", "l2_accuracy": "second level right",
    "l2_among_first_four": "second level among the answer and its alternatives",
    "l2_ece": "expected calibration error of the second level (10 bins)",
    "department_accuracy": "department right, ordinary texts, best guess",
    "dispatch_coverage": "ordinary texts dispatched without a person",
    "dispatch_precision": "department right where dispatched without a person",
    "kind_accuracy": "kind right", "towns_exact": "towns exactly right",
    "emergency_recall": "emergencies found", "emergency_raised_at_all": "emergencies found or called unclear",
    "false_alarms_hard_negatives": "false alarms on hard negatives",
    "false_alarms_ordinary": "false alarms on ordinary texts", "unclear_on_ordinary": "ordinary texts called unclear",
    "distinct_4grams": "distinct 4-grams ÷ all 4-grams", "near_duplicates": "texts that nearly repeat an earlier one",
}


def card_text(card: Card, figures: dict[str, float], trained_on: int) -> str:
    """Return the model card in Markdown."""
    rows = "\n".join(f"| {_NAMES.get(name, name)} | {value} |" for name, value in figures.items())
    limits = card.thresholds
    return f"""# Model card: {card.version}

**What it is.** Linear machines over characters 1–3 in a row (four for frequent ones and cue words), one set of weights
for category, kind, emergency verdict and emergency services. Run by numpy alone; `python -m hotline train` makes it.

**Data.** {trained_on} texts in `triage/data/appeals/`, all synthetic: written for this project by a language model,
each a situation of its own, in nine registers; no text of a real citizen. Cue words (`triage/data/cues.txt`) and
emergency words (`triage/data/emergency.txt`) were written for this project too.

**Protocol.** A tenth of the texts, chosen by a hash of the text, is kept aside and only measured on. Temperatures and
thresholds come from five stratified folds of the rest. Automatic dispatch aims at a precision of 95 % for the
department in cross-validation: least confidence {limits.dispatch:.3f}, least lead over the next department
{limits.tie:.2f}. The model raises `emergency` from {limits.emergency:.3f} and `unclear` from
{limits.unclear:.3f}. The rules (`triage/rules.py`) raise on their own, to `unclear` only where the model gives less
than {limits.doubt:.3f}.

| figure on the tenth kept aside | value |
|---|---|
{rows}

**Limits.** The texts are not real appeals: measure on your own before trusting the figures. Many texts of the corpus
bear a town that their words do not tell, so the towns figure is a lower bound. Irony, long stories with several
matters, and emergencies told without any alarming word are its weak points; where it is unsure a person decides.
Much of the corpus stands on purpose at the border of two categories; real appeals are easier.
"""
