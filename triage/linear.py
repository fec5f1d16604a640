"""The linear model at run time: one look-up of weight rows gives the scores of every head, in numpy alone.

The file (safetensors) holds the n-gram keys, their idf and one row of 8-bit weights each; the JSON beside it holds
labels, biases, temperatures and thresholds. Nothing in either can run code. `triage.train` writes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from hotline.errors import InvalidInput
from triage.card import Card, Head, digest_of
from triage.features import Floats, Vocabulary
from triage.text import codes_of

WEIGHTS = "linear.safetensors"
CARD = "linear.json"
PREVIOUS = "previous"
"""Where the model that was there before is kept, beside the present one."""


log = structlog.get_logger(__name__)
MEND = f"请运行 python -m hotline train, 或放回 {PREVIOUS}/ 中的旧模型"


@cache
def tell_undigested(folder: str, card: str) -> None:
    """Say once that nothing proves the files of a model to be of one training: it is older than such proofs."""
    log.info("model_without_digest", folder=folder, card=card)


class Scores(NamedTuple):
    """Probabilities by head, each of shape (texts, labels)."""

    category: Floats
    kind: Floats
    verdict: Floats
    services: Floats

    def silent(self, rows: Sequence[int]) -> Scores:
        """Return the scores without an opinion on the verdict and the services of these texts."""
        if not rows:
            return self
        verdict, services = self.verdict.copy(), self.services.copy()
        verdict[rows] = (0.0, 0.0, 1.0)
        services[rows] = 0.0
        return self._replace(verdict=verdict, services=services)


class LinearModel:
    """Scores texts. Cheap to share; holds no state between calls."""

    def __init__(
        self, card: Card, vocabulary: Vocabulary, *, idf: Floats, weights: NDArray[np.int8], steps: Floats
    ) -> None:
        self.card = card
        self._cuts = np.cumsum([len(head.labels) for head in card.heads])[:-1]
        self._biases = [np.array(head.bias, dtype=np.float32) for head in card.heads]
        self._vocabulary = vocabulary
        self._idf = idf
        self._weights = weights
        self._steps = steps
        self._of_danger = np.ascontiguousarray(weights[:, self._cuts[1] :])

    def __call__(self, texts: Sequence[str]) -> Scores:
        """Return the probabilities for clean texts."""
        parts = np.split(self._scores(texts), self._cuts, axis=1)
        return Scores(*map(_probabilities, parts, self.card.heads, self._biases))

    def danger(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """Return the probabilities of verdict and services alone, each (texts, labels); categories are not weighed."""
        bag = self._vocabulary.bag(*codes_of(texts), self._idf)
        said = (bag.values * self._steps[bag.columns])[:, None] * self._of_danger[bag.columns]
        scores = np.zeros((len(texts), said.shape[1]), dtype=np.float32)
        told = np.flatnonzero(np.diff(bag.starts))
        scores[told] = np.add.reduceat(said, bag.starts[told], axis=0) if len(told) else 0.0
        verdict, services = np.split(scores, [self._cuts[2] - self._cuts[1]], axis=1)
        heads, biases = self.card.heads, self._biases
        return _probabilities(verdict, heads[2], biases[2]), _probabilities(services, heads[3], biases[3])

    def characters(self, text: str, label: str, rivals: Sequence[str] = ()) -> Floats | None:
        """Return what each character of a clean text says for a category against its rivals (none: the mean of all).

        None for a category that the model does not know. An n-gram's weight is shared among its characters.
        """
        labels = self.card.heads[0].labels
        if label not in labels:
            return None
        others = [labels.index(rival) for rival in rivals if rival in labels and rival != label]
        said = np.zeros(len(text), dtype=np.float32)
        for size, numbers in enumerate(self._vocabulary.numbers(text), start=1):
            known = np.flatnonzero(numbers >= 0)
            columns = numbers[known]
            rows = self._weights.take(columns, axis=0)[:, : len(labels)].astype(np.float32)
            against = rows[:, others].mean(axis=1) if others else rows.mean(axis=1)
            values = (rows[:, labels.index(label)] - against) * self._steps[columns] * self._idf[columns] / size
            for offset in range(size):
                inside = known + offset < len(text)  # the end of the text is a character of an n-gram, not of the text
                np.add.at(said, known[inside] + offset, values[inside])
        return said

    def _scores(self, texts: Sequence[str]) -> Floats:
        codes, starts = codes_of(texts)
        bag = self._vocabulary.bag(codes, starts, self._idf)
        values = bag.values * self._steps[bag.columns]
        scores = np.zeros((len(texts), self._weights.shape[1]), dtype=np.float32)
        bounds = bag.starts.tolist()
        most = max((end - start for start, end in pairwise(bounds)), default=0)
        # Once a batch, as fresh memory costs more than the sums; `clip` lets take write straight into it.
        coarse = np.empty((most, self._weights.shape[1]), dtype=np.int8)
        exact = np.empty(coarse.shape, dtype=np.float32)
        for row, (start, end) in enumerate(pairwise(bounds)):
            count = end - start
            self._weights.take(bag.columns[start:end], axis=0, out=coarse[:count], mode="clip")
            exact[:count] = coarse[:count]
            np.dot(values[start:end], exact[:count], out=scores[row])
        return scores


def _probabilities(scores: Floats, head: Head, bias: Floats) -> Floats:
    logits = (scores + bias) * np.float32(head.scale)
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
        written = (folder / WEIGHTS).read_bytes()
        arrays = load(written)
        vocabulary = Vocabulary(arrays["keys"].astype(np.uint64))
        weights, steps, idf = arrays["weights"], arrays["steps"], arrays["idf"]
    except (OSError, msgspec.MsgspecError, SafetensorError, KeyError) as error:
        raise InvalidInput(f"模型 {folder} 无法读取: {error}; {MEND}", error_id="model_invalid") from error
    if not card.weights:
        tell_undigested(str(folder), CARD)
    outputs = sum(len(head.labels) for head in card.heads)
    same = not card.weights or card.weights == digest_of(written)
    if not same or len(card.heads) != 4 or weights.shape != (len(vocabulary), outputs):
        raise InvalidInput(f"模型 {folder} 的两个文件不是同一次训练的结果; {MEND}", error_id="model_invalid")
    return LinearModel(
        card, vocabulary, idf=idf.astype(np.float32), weights=weights, steps=steps.astype(np.float32)
    )
