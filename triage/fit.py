"""Fitting the linear heads with scikit-learn: matrices in, weights and cross-validated scores out. Training only.

Cue words (data/cues.txt) enter as a second block: how strongly each category is spoken for in a text. Being linear in
the n-grams, the block is folded into the n-gram weights afterwards, so it costs nothing at run time, and a cue never
seen in training still carries the weight its category's cues have earned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from triage.features import Floats, Keys, Vocabulary, counted, key_of, ngrams
from triage.text import codes_of

FOLDS = 5
SEED = 12345
_RARE = {False: 3, True: 4}
_LARGEST = 150_000
"""N-grams at most, the commonest first: about 27 MB of weights."""
_LONG = np.uint64(1 << 63)


class Space(NamedTuple):
    """The feature space of a training run. `cues` is (n-grams × categories with cues)."""

    vocabulary: Vocabulary
    idf: Floats
    cues: Any


class Fitted(NamedTuple):
    """Weights (features × outputs) and biases (outputs,) of one head."""

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]


def read_cues() -> dict[str, tuple[str, ...]]:
    """Return the cue words by label (`04施工噪声`)."""
    text = resources.files("triage").joinpath("data/cues.txt").read_text("utf-8")
    lines = [line.partition(": ") for line in text.splitlines() if line and not line.startswith("#")]
    return {head.replace(" ", ""): tuple(words.split()) for head, _, words in lines}


def make_space(texts: Sequence[str]) -> Space:
    """Choose the n-grams (seen in at least 3 texts, four in a row in 4, and every cue) and weigh them."""
    keys, owners = ngrams(*codes_of(texts))
    distinct, numbers = np.unique(keys, return_inverse=True)
    cells, _ = counted(owners * len(distinct) + numbers)
    seen = np.bincount(cells % len(distinct), minlength=len(distinct))
    long = distinct >= _LONG
    kept = (seen >= _RARE[False]) & ~long | (seen >= _RARE[True]) & long
    cues = {label: [key_of(word) for word in words] for label, words in read_cues().items()}
    wanted = np.array(sorted({key for words in cues.values() for key in words}), dtype=np.uint64)
    chosen = np.union1d(distinct[kept], wanted)
    counts = _counts(chosen, distinct, seen)
    order = np.lexsort((chosen, -counts))[:_LARGEST]
    vocabulary = Vocabulary(chosen[order])
    reached = vocabulary.reachable()
    vocabulary = Vocabulary(chosen[order][reached])
    idf = np.log((1 + len(texts)) / (1 + counts[order][reached])) + 1
    return Space(vocabulary, idf.astype(np.float32), _cue_matrix(vocabulary, cues))


def _counts(chosen: Keys, distinct: Keys, seen: NDArray[np.int64]) -> NDArray[np.int64]:
    place = np.minimum(np.searchsorted(distinct, chosen), len(distinct) - 1)
    return np.where(distinct[place] == chosen, seen[place], 0)


def _cue_matrix(vocabulary: Vocabulary, cues: dict[str, list[int]]) -> Any:
    """Return (n-grams × labels); a word that speaks for many categories counts less for each."""
    labels = list(cues)
    keys = np.array([key for words in cues.values() for key in words], dtype=np.uint64)
    columns = np.repeat(np.arange(len(labels)), [len(words) for words in cues.values()])
    rows = vocabulary.find(keys)
    known = rows >= 0
    shared = np.bincount(rows[known], minlength=len(vocabulary))
    values = 1.0 / np.sqrt(shared[rows[known]])
    return sp.csr_matrix((values, (rows[known], columns[known])), shape=(len(vocabulary), len(labels)))


def matrix(space: Space, texts: Sequence[str]) -> Any:
    """Return the sparse matrix (texts × n-grams), the same features as at run time."""
    bag = space.vocabulary.bag(*codes_of(texts), space.idf)
    return sp.csr_matrix((bag.values, bag.columns, bag.starts), shape=(len(texts), len(space.vocabulary)))


def fit(features: Any, labels: NDArray[Any], classes: Sequence[str], *, strength: float, balanced: bool) -> Fitted:
    """Fit one-against-rest linear machines; a class without examples gets a bias that never wins."""
    machine = LinearSVC(C=strength, class_weight="balanced" if balanced else None, random_state=SEED)
    machine.fit(features, labels)
    found = [str(name) for name in machine.classes_]
    coefficients, intercepts = machine.coef_, machine.intercept_
    if len(found) == 2:
        coefficients, intercepts = np.vstack((-coefficients, coefficients)), np.array([-intercepts[0], intercepts[0]])
    weights = np.zeros((features.shape[1], len(classes)))
    bias = np.full(len(classes), -2.0)
    for row, name in enumerate(found):
        column = classes.index(name)
        weights[:, column], bias[column] = coefficients[row], intercepts[row]
    return Fitted(weights, bias)


def cross_scores(
    features: Any, labels: NDArray[Any], classes: Sequence[str], *, strength: float, balanced: bool
) -> NDArray[np.float64]:
    """Return for each text the scores by a machine that has not seen it."""
    scores = np.zeros((len(labels), len(classes)))
    for fitted, unseen in cross_fits(features, labels, classes, strength=strength, balanced=balanced):
        scores[unseen] = features[unseen] @ fitted.weights + fitted.bias
    return scores


def cross_fits(
    features: Any, labels: NDArray[Any], classes: Sequence[str], *, strength: float, balanced: bool
) -> Iterator[tuple[Fitted, NDArray[np.int64]]]:
    """Yield a machine for each of some stratified folds, and the rows that it has not seen."""
    for seen, unseen in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(features, labels):
        yield fit(features[seen], labels[seen], classes, strength=strength, balanced=balanced), unseen


def temperature(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Return the scale at which softmax(scale × scores) is likeliest to give the truth, by grid search."""
    grid = np.geomspace(0.5, 60, 80)
    losses = [-np.mean(np.log(softmax(scores * scale)[np.arange(len(truth)), truth] + 1e-12)) for scale in grid]
    return float(grid[int(np.argmin(losses))])


def numbers_of(labels: NDArray[Any], classes: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of each label among `classes`, shape (texts,). Raises ValueError for one that is not there."""
    return np.array([classes.index(name) for name in labels])


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows of probabilities."""
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))


def calibration_curve(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """Return (stated, found) knots of a rising curve: how often an answer of that confidence is right (isotonic)."""
    knots = np.linspace(0, 1, 21)
    isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(confidence, right)
    return tuple((round(float(k), 2), round(float(v), 4)) for k, v in zip(knots, isotonic.predict(knots), strict=True))


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Return the expected calibration error: |confidence − accuracy| averaged over equal-width bins by size."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[which == b].mean() - right[which == b].mean()) * (which == b).sum()
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps) / len(confidence))
