"""The training pipeline for any labelled texts: a city's own categories, or a public set. Training only.

What is learnt – n-grams, their weight, machines – comes from the texts given to `learn` and from nothing else, so that
a fold of a cross-validation sees only its own training texts. Cue words (`data/cues.txt`) are knowledge, not data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from triage.fit import Fitted, Space, make_space, matrix
from triage.mixture import mixture, view_of
from triage.text import normalise

FOLDS = 5
SEED = 42


class Learnt(NamedTuple):
    """Classes in order, the features, and one weight an n-gram and class."""

    classes: tuple[str, ...]
    space: Space
    fitted: Fitted

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the score of each class, shape (texts, classes)."""
        return np.asarray(matrix(self.space, clean(texts)) @ self.fitted.weights + self.fitted.bias)


def clean(texts: Sequence[str]) -> list[str]:
    """Return the texts as the run-time model sees them."""
    return [text.clean for text in normalise(texts)]


def learn(texts: Sequence[str], labels: Sequence[str]) -> Learnt:
    """Learn to tell the labels apart."""
    cleaned, truth = clean(texts), np.array(labels)
    classes = tuple(sorted(set(labels)))
    space = make_space(cleaned)
    grams = matrix(space, cleaned)
    view = view_of(grams, space.cues, labels, classes)
    return Learnt(classes, space, view.folded(mixture(view.features(grams), truth, classes, None)))


def folds_of(labels: Sequence[str], groups: Sequence[Any]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return (seen, unseen) rows of each fold; texts of one group are never torn apart."""
    rows = np.zeros(len(labels))
    return list(StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED).split(rows, labels, groups))


def cross_validated(texts: Sequence[str], labels: Sequence[str], groups: Sequence[Any]) -> list[str]:
    """Return for each text the label found by a model that has seen neither it nor its group."""
    found = [""] * len(texts)
    for seen, unseen in folds_of(labels, groups):
        learnt = learn([texts[row] for row in seen], [labels[row] for row in seen])
        for row, best in zip(unseen, learnt.scores([texts[row] for row in unseen]).argmax(axis=1), strict=True):
            found[row] = learnt.classes[best]
    return found
