"""What the linear model says of itself beside its weights: questions, labels, thresholds (`linear.json`). Pure."""

from __future__ import annotations

import hashlib

import msgspec

RECALL = 0.95
"""Share of the emergencies that go to 110 without a person between, in cross-validation. More would send 110 every
hundredth ordinary appeal; the others are not missed but `unclear`: a person asks at once (东莞: a three-way call)."""
RAISED = 0.99
"""Share of the emergencies that are raised at all. A missed emergency is the gravest fault: recall is chosen here, and
how many are asked for nothing follows."""
OF_PASSAGES = (0.002, 0.01)
"""Shares of the long ordinary texts, in cross-validation, of which a passage may raise an emergency, and one or a
doubtful case: of each letter many sentences are asked."""
PRECISION = 0.95
"""Share of what is dispatched without a person that should go to the right department, where nobody states another."""
SHORT = 20
"""Characters up to which a text says so little that a single word can make it look grave."""
DANGER = "danger"
"""Label of the head for kinds, after the kinds, of what is an emergency or doubtful. All of that asks for help (求助),
but so do repairs, and how likely a text is one of these says nothing of a danger."""
NEVER = 2.0
"""A threshold that no probability reaches."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """One question put to the model. Probabilities are softmax(scale × (scores + bias)), or the logistic function of
    each where several answers may hold (`many`). `curve` maps the first probability to how often it is right."""

    name: str
    labels: tuple[str, ...]
    bias: tuple[float, ...]
    scale: float
    many: bool = False
    curve: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 1.0))


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Chosen in training.

    Attributes:
        dispatch: least probability of a department for the stated precision of automatic dispatch.
        tie: least lead of that department over the next.
        emergency: probability of an emergency from which the model raises it.
        unclear: probability of an emergency or an unclear case from which the model asks for a person.
        doubt: the probability of either, below which an emergency raised by the rules alone becomes unclear.
        passage: probability of an emergency in a passage of a long text from which it is raised (`triage.passages`).
        passage_unclear: the same, from which a person is asked. Models older than passages never do either.
        precision: that of automatic dispatch at which training aimed; cards tell it where it is not PRECISION.
    """

    dispatch: float
    tie: float
    emergency: float
    unclear: float
    doubt: float
    passage: float = NEVER
    passage_unclear: float = NEVER
    precision: float = PRECISION


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What linear.json holds: the heads category, kind, verdict and services, in this order.

    Attributes:
        weights: digest of the file of weights that biases and thresholds were chosen for; "" in older cards.
    """

    version: str
    heads: tuple[Head, ...]
    thresholds: Thresholds
    weights: str = ""


class EncoderCard(msgspec.Struct, frozen=True, kw_only=True):
    """What encoder.json holds.

    Attributes:
        version: `encoder-` and the beginning of the network's digest.
        beside: version of the linear model that the blend was tuned beside; with another it would not be calibrated.
        longest: tokens of a text that are looked at.
        shares, scales: for category, kind and verdict the encoder's share of the blend, 0 to 1, and its temperature.
        card: heads, calibration and thresholds of the blend.
        tokenizer: digest of the tokenizer's file; "" in older cards.
    """

    version: str
    beside: str
    longest: int
    shares: tuple[float, float, float]
    scales: tuple[float, float, float]
    card: Card
    tokenizer: str = ""


def digest_of(data: bytes) -> str:
    """Return what a card knows a file by."""
    return hashlib.sha256(data).hexdigest()[:12]
