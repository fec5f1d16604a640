"""When the encoder is asked besides the linear model: it is better, and some thirty times slower."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from triage.card import Card
from triage.linear import Scores

MOST = 8
"""Texts of a batch up to which the encoder is asked in `auto`: larger batches form when much is waiting."""
SHARE = 0.25
"""Share of a process's time that the encoder may take in `auto`."""


class Use(enum.Enum):
    """The setting `triage_encoder`."""

    AUTO = "auto"
    ALWAYS = "always"
    OFF = "off"


class Scorer(Protocol):
    """What gives probabilities: the linear model, or its blend with an encoder."""

    card: Card

    def __call__(self, texts: Sequence[str]) -> Scores:
        """Return the scores of clean texts."""
        ...


class Opinions:
    """The linear model for every text, the blend where it is wanted and time allows."""

    def __init__(
        self, quick: Scorer, careful: Scorer | None, use: Use, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._quick = quick
        self._careful = careful if use is not Use.OFF else None
        self._auto = use is Use.AUTO
        self._clock = clock
        self._rests_until = float("-inf")

    @property
    def best(self) -> Scorer:
        """Return the scorer that is asked when nothing is in the way."""
        return self._careful or self._quick

    def __call__(self, texts: Sequence[str]) -> tuple[Scorer, Scores]:
        """Return the scores of clean texts, and who gave them."""
        began = self._clock()
        if self._careful is None or (self._auto and (len(texts) > MOST or began < self._rests_until)):
            return self._quick, self._quick(texts)
        scores = self._careful(texts)
        ended = self._clock()
        self._rests_until = ended + (ended - began) * (1 / SHARE - 1)
        return self._careful, scores
