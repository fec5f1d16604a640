"""The machine for categories: several linear ones over n-grams, cue words and themes, folded into one. Training only.

*Themes* are the directions in which the n-grams of all training texts vary together (a truncated singular value
decomposition of the texts themselves, without their labels): words that keep the same company count a little for each
other. *Cues* are words known to speak for a category. Both are linear in the n-grams, and so are the machines – support
vectors for the label, the same for its first level, and naive Bayes – so that all of it becomes one weight an n-gram
and label, and costs nothing at run time. What each adds in cross-validation stands in docs/triage.md.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.naive_bayes import ComplementNB

from triage.fit import FOLDS, SEED, Fitted, fit

THEMES = 300
PLENTY = 200
"""Texts of a class, on average, from which themes and naive Bayes add nothing: the n-grams tell enough."""
_CUES = 0.5
"""What a cue counts beside an n-gram: less, and unknown words are not understood; more, and the n-grams are drowned."""
_FIRST_LEVEL = 0.5
_BAYES = 0.1


class View(NamedTuple):
    """How n-grams become features: each with itself, cues and themes; both (n-grams × columns)."""

    cues: Any
    themes: NDArray[np.float64]

    def features(self, grams: Any) -> Any:
        """Return the wide matrix (texts × (n-grams + cues + themes))."""
        return sp.hstack((grams, _CUES * (grams @ self.cues), sp.csr_matrix(grams @ self.themes))).tocsr()

    def folded(self, fitted: Fitted) -> Fitted:
        """Return a machine over the n-grams alone that answers as the wide one does."""
        size, cues = self.cues.shape
        plain, spoken, themed = np.split(fitted.weights, (size, size + cues))
        return Fitted(np.asarray(plain + _CUES * (self.cues @ spoken) + self.themes @ themed), fitted.bias)


def plenty(labels: Sized, classes: Sized) -> bool:
    """Tell whether there are so many texts for each class that themes and naive Bayes are left out."""
    return len(labels) >= PLENTY * len(classes)


def view_of(grams: Any, cues: Any, labels: Sized, classes: Sized) -> View:
    """Find the themes of the texts in `grams`, none where there are plenty of texts."""
    most = 0 if plenty(labels, classes) else min(THEMES, min(grams.shape) - 1)
    if most < 1:
        return View(cues, np.zeros((grams.shape[1], 0)))
    return View(cues, TruncatedSVD(most, random_state=SEED).fit(grams).components_.T)


def mixture(features: Any, labels: NDArray[Any], classes: Sequence[str], outer: Sequence[str] | None) -> Fitted:
    """Fit the machines and add them up.

    Args:
        outer: the first level of each of `classes`; None where there is but one level.
    """
    weights, bias = fit(features, labels, classes, strength=1.0, balanced=True)
    if not plenty(labels, classes):
        bayes = _naive_bayes(features, labels, classes)
        weights, bias = weights + _BAYES * bayes.weights, bias + _BAYES * bayes.bias
    if outer is not None:
        names = sorted(set(outer))
        column = [names.index(name) for name in outer]
        of = dict(zip(classes, outer, strict=True))
        coarse = fit(features, np.array([of[label] for label in labels]), names, strength=1.0, balanced=False)
        weights, bias = weights + _FIRST_LEVEL * coarse.weights[:, column], bias + _FIRST_LEVEL * coarse.bias[column]
    return Fitted(weights, bias)


def _naive_bayes(features: Any, labels: NDArray[Any], classes: Sequence[str]) -> Fitted:
    """Complement naive Bayes as a linear machine; themes, which can be negative, count nothing."""
    positive = features.maximum(0)
    machine = ComplementNB(alpha=0.05).fit(positive, labels)
    found = machine.feature_log_prob_ - machine.feature_log_prob_.mean(axis=0)
    weights = np.zeros((features.shape[1], len(classes)))
    bias = np.full(len(classes), float(machine.class_log_prior_.min()) - 20.0)
    for row, name in enumerate(machine.classes_):
        column = classes.index(str(name))
        weights[:, column], bias[column] = found[row], 0.0
    return Fitted(weights, bias)


def cross_mixture(
    features: Any,
    labels: NDArray[Any],
    classes: Sequence[str],
    outer: Sequence[str] | None,
    *,
    groups: Sequence[str],
) -> NDArray[np.float64]:
    """Return for each text the scores by a mixture that has seen neither it nor its group (stratified folds)."""
    scores = np.zeros((len(labels), len(classes)))
    plain = len(set(groups)) == len(groups)
    folds = (StratifiedKFold if plain else StratifiedGroupKFold)(FOLDS, shuffle=True, random_state=SEED)
    for seen, unseen in folds.split(features, labels, None if plain else groups):
        fitted = mixture(features[seen], labels[seen], classes, outer)
        scores[unseen] = features[unseen] @ fitted.weights + fitted.bias
    return scores
