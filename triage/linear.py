"""The linear model at run time: one look-up of weight rows gives the scores of every head, in numpy alone.

The file (safetensors) holds the n-gram keys, their idf and one row of 8-bit weights each; the JSON beside it holds
labels, biases, temperatures and thresholds. Nothing in either can run code. `triage.train` writes both.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from hotline.errors import InvalidInput
from triage.features import Floats, Vocabulary
from triage.text import codes_of

WEIGHTS = "linear.safetensors"
CARD = "linear.json"


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """One question put to the model. Probabilities are softmax(scale × (scores + bias)), or the logistic function of
    each where several answers may hold (`many`)."""

    name: str
    labels: tuple[str, ...]
    bias: tuple[float, ...]
    scale: float
    many: bool = False


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """Chosen in training: `dispatch` for the stated precision, `tie` the least lead over the next department,
    `emergency` and `unclear` for the recall of emergencies."""

    dispatch: float
    tie: float
    emergency: float
    unclear: float


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What linear.json holds: the heads category, kind, verdict and services, in this order.

    `signals` are the rule signals that the verdict head listens to, with their weights.
    """

    version: str
    heads: tuple[Head, ...]
    thresholds: Thresholds
    signals: dict[str, tuple[float, ...]] = {}


class Scores(NamedTuple):
    """Probabilities by head, each of shape (texts, labels)."""

    category: Floats
    kind: Floats
    verdict: Floats
    services: Floats


class LinearModel:
    """Scores texts. Cheap to share; holds no state between calls."""

    def __init__(
        self, card: Card, vocabulary: Vocabulary, *, idf: Floats, weights: NDArray[np.int8], steps: Floats
    ) -> None:
        self.card = card
        self.category, self.kind, self.verdict, self.services = card.heads
        self._vocabulary = vocabulary
        self._idf = idf
        self._weights = weights
        self._steps = steps
        self._signal_rows = {name: np.array(row, dtype=np.float32) for name, row in card.signals.items()}

    def __call__(self, texts: list[str], signals: list[frozenset[str]]) -> Scores:
        """Return the probabilities for clean texts and the rule signals raised in each."""
        widths = [len(head.labels) for head in self.card.heads]
        category, kind, verdict, services = np.split(self._scores(texts), np.cumsum(widths)[:-1], axis=1)
        return Scores(
            _probabilities(category, self.category),
            _probabilities(kind, self.kind),
            _probabilities(verdict + self._signal_scores(signals), self.verdict),
            _probabilities(services, self.services),
        )

    def _scores(self, texts: list[str]) -> Floats:
        codes, starts = codes_of(texts)
        bag = self._vocabulary.bag(codes, starts, self._idf)
        values = bag.values * self._steps[bag.columns]
        scores = np.zeros((len(texts), self._weights.shape[1]), dtype=np.float32)
        bounds = bag.starts.tolist()
        for row, (start, end) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
            rows = self._weights[bag.columns[start:end]]
            np.dot(values[start:end], rows.astype(np.float32), out=scores[row])
        return scores

    def _signal_scores(self, signals: list[frozenset[str]]) -> Floats:
        scores = np.zeros((len(signals), len(self.verdict.labels)), dtype=np.float32)
        for row, names in enumerate(signals):
            for name in names:
                if name in self._signal_rows:
                    scores[row] += self._signal_rows[name]
        return scores


def _probabilities(scores: Floats, head: Head) -> Floats:
    logits = (scores + np.array(head.bias, dtype=np.float32)) * np.float32(head.scale)
    if head.many:
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True), dtype=np.float32)


def load_linear(folder: Path) -> LinearModel:
    """Read the model in `folder`.

    Raises:
        InvalidInput: a file is missing or damaged, or the two do not fit together.
    """
    try:
        card = msgspec.json.decode((folder / CARD).read_bytes(), type=Card)
        arrays = load_file(folder / WEIGHTS)
        vocabulary = Vocabulary(arrays["keys"].astype(np.uint64))
        weights, steps, idf = arrays["weights"], arrays["steps"], arrays["idf"]
    except (OSError, msgspec.MsgspecError, SafetensorError, KeyError) as error:
        detail = f"模型 {folder} 无法读取: {error}; 请运行 python -m hotline train"
        raise InvalidInput(detail, error_id="model_invalid") from error
    outputs = sum(len(head.labels) for head in card.heads)
    if len(card.heads) != 4 or weights.shape != (len(vocabulary), outputs):
        raise InvalidInput(f"模型 {folder} 的两个文件不是同一次训练的结果", error_id="model_invalid")
    return LinearModel(
        card, vocabulary, idf=idf.astype(np.float32), weights=weights, steps=steps.astype(np.float32)
    )
