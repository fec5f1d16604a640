"""The learning curve of a training run: how much better the category gets with more of the city's tickets."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from hotline.city import City
from triage.corpus import TICKET
from triage.fit import FOLDS, SEED
from triage.heads import Data
from triage.mixture import mixture, view_of
from triage.svg import Point

SHARES = (0.0, 0.1, 0.3, 1.0)
LEAST = 2
"""Categories from which there is anything to tell apart: a city's own may have none in common with the project's."""


def growth(data: Data, city: City) -> list[Point]:
    """Return the share of one fold's tickets told right, after training on all texts of the project and a share of the
    other folds' tickets, whole groups in the order of their names."""
    classes = [label.l1 + label.l2 for label in city.categories]
    outer = [label.l1 for label in city.categories]
    labels = np.array([example.label for example in data.examples])
    tickets = np.flatnonzero([example.source == TICKET for example in data.examples])
    names = np.array(data.groups)[tickets]
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED).split(tickets, labels[tickets], names)
    others, fold = next(iter(folds))
    features = view_of(data.grams, data.space.cues, labels, classes).features(data.grams)
    order = sorted(others, key=lambda row: str(names[row]))
    known = np.intersect1d(data.told, data.named)
    points = []
    for share in SHARES:
        rows = np.concatenate((known, tickets[order[: round(share * len(order))]])).astype(int)
        if len({label[:2] for label in labels[rows]}) < LEAST:  # the first levels have a machine of their own
            continue
        machine = mixture(features[rows], labels[rows], classes, outer)
        best = (features[tickets[fold]] @ machine.weights + machine.bias).argmax(axis=1)
        right = np.array(classes)[best] == labels[tickets[fold]]
        points.append(Point(len(rows) - len(known), float(right.mean())))
    return points
