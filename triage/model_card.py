"""The model card: what the shipped model is, what from, how it was measured, and what it cannot do. Pure."""

from __future__ import annotations

from typing import NamedTuple

from triage.card import NEVER, OF_PASSAGES, RAISED, RECALL, SHORT, Card, EncoderCard, Thresholds

MODEL_CARD = "README.md"
"""The file of the model card, beside the model."""
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
    "raised_short_calm": f"no emergency, up to {SHORT} characters, raised at all",
    "distinct_4grams": "distinct 4-grams ÷ all 4-grams", "near_duplicates": "texts that nearly repeat an earlier one",
}


class Own(NamedTuple):
    """A city's own tickets: how many were trained on, how many held out, and the figures on these."""

    trained_on: int
    held_out: int
    figures: dict[str, float]


def card_text(
    card: Card, alone: dict[str, float], trained_on: int, encoder: EncoderCard | None, both: dict[str, float],
    own: Own | None = None,
) -> str:
    """Return the model card in Markdown.

    Args:
        alone: figures of the linear model by itself.
        encoder: the encoder's card, None where there is none.
        both: figures of the two together.
        own: the tickets of a city that it was trained on too.
    """
    limits = (encoder.card if encoder else card).thresholds
    aim = f"a precision of {100 * limits.precision:g} %"
    return f"""# Model card: {encoder.card.version if encoder else card.version}

**What it is.** Linear machines over characters 1–4 in a row, one set of weights for category, kind, emergency verdict
and emergency services. For the category, support vectors for both levels and naive Bayes over n-grams, cue words and
themes are folded into one. Run by numpy alone; `python -m hotline train` makes it.
{_encoder_text(encoder)}
**Data.** {trained_on} texts in `triage/data/appeals/`, all synthetic: written for this project by a language model,
each a situation of its own, in nine registers; no text of a real citizen. Cue words (`triage/data/cues.txt`) and
emergency words (`triage/data/emergency.txt`) were written for this project too.
{_own_text(own)}
**Protocol.** A tenth of the texts, chosen by a hash of the text, is kept aside and only measured on. Temperatures and
thresholds come from five stratified folds of the rest{" (the blend's from one of them)" if encoder else ""}. Automatic
dispatch aims at {aim} for the department, surely (one-sided, 95 %), in cross-validation: least confidence
{limits.dispatch:.3f}, least lead over the next department {limits.tie:.2f}. Alarms aim at recall
({RECALL:.1%} of the emergencies, {RAISED:.1%} raised at all): the model raises `emergency` from
{limits.emergency:.3f} and `unclear` from {limits.unclear:.3f}. The rules (`triage/rules.py`) raise on their own, to
`unclear` only where the model gives less than {limits.doubt:.3f}. {_passages_text(limits)}

{_table(alone, encoder, both)}

**Limits.** The texts are not real appeals: measure on your own before trusting the figures (`python -m hotline eval`).
Many texts of the corpus bear a town that their words do not tell, so the towns figure is a lower bound. Irony, long
stories with several matters, and emergencies told without any alarming word are its weak points; where it is unsure a
person decides. Much of the corpus stands on purpose at the border of two categories; real appeals are easier.
"""


def _own_text(own: Own | None) -> str:
    if own is None:
        return ""
    figures = "".join(f"| {_NAMES[name]} | {value} |\n" for name, value in own.figures.items())
    return f"""
**The city's own tickets.** {own.trained_on} tickets beside these texts taught the category, and nothing else: real
appeals, with the category that people gave them. {own.held_out} others are never trained on; on them, with the
category by the tickets and the department by the directory in force at training:

| figure on the tickets held out | value |
|---|---|
{figures}"""


def _passages_text(limits: Thresholds) -> str:
    if limits.passage >= NEVER:
        return "Passages of long texts raise nothing: there were too few long texts to choose thresholds by."
    first, second = (f"{share:.1%}" for share in OF_PASSAGES)
    return f"""A passage of a long text
(`triage/passages.py`) raises `emergency` from {limits.passage:.3f} and `unclear` from {limits.passage_unclear:.3f},
aimed at {first} and {second} of the long ordinary texts."""


def _encoder_text(encoder: EncoderCard | None) -> str:
    if encoder is None:
        return ""
    category, kind, verdict = (f"{share:.0%}" for share in encoder.shares)
    return f"""
**Beside it** a small transformer, `{encoder.version}`: pre-trained on the same texts by guessing masked tokens, or
loaded from a city's checkpoint, fine-tuned with heads for category, kind and verdict, 8-bit weights, run by
onnxruntime on one core. Its share of the blend, chosen on development texts neither had seen: category {category},
kind {kind}, verdict {verdict}. What it adds is the difference of the two columns below.
"""


def _table(alone: dict[str, float], encoder: EncoderCard | None, both: dict[str, float]) -> str:
    if encoder is None:
        head = ["| figure on the tenth kept aside | value |", "|---|---|"]
        return "\n".join(head + [f"| {_NAMES.get(name, name)} | {value} |" for name, value in alone.items()])
    head = ["| figure on the tenth kept aside | linear alone | with the encoder |", "|---|---|---|"]
    rows = [f"| {_NAMES.get(name, name)} | {value} | {both[name]} |" for name, value in alone.items()]
    return "\n".join(head + rows)
