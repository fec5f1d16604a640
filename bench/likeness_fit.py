"""Fits the weights of `triage.likeness` anew, each held to its sign: `python -m bench.likeness_fit`. Half a minute.

From tests/triage/data/incidents_*.txt: all pairs within each file but `incidents_held.txt`, and the pairs that grouping
would compare among `STRANGERS` texts of the project. Prints the weights to be written into triage/likeness.py, and
B-cubed of the grouping on each file, fitted on all and on all others; `incidents_held.txt` is only measured on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from hotline.city import load_city
from tests.triage.incidents import b_cubed, incidents
from triage import likeness as weights
from triage.cluster_cli import Clusterer
from triage.corpus import read_corpus
from triage.gazetteer import load_gazetteer
from triage.group import candidates
from triage.likeness import About, Evidence, Place, elsewhere, evidence
from triage.linear import load_linear
from triage.text import normalise

FILES = ("[a-c]", "d", "e", "f")
HELD = "held"
STRANGERS = 3_000
PLACES, ABOUTS = len(Place._fields), len(About._fields)
AGAINST = {"other_name", "other_spot", "other_matter", "days", "brief_days"}
"""What can only speak against one incident; all else only for it."""
KEPT = {"other_town", "other_number"}
"""What stays as it is: who tells another town or house and has copied nothing is never compared, so few such pairs are
there."""
_HELD_DOWN = 3e-6
Floats = NDArray[np.float64]


class Pairs(NamedTuple):
    """Evidence of pairs, shape (pairs, weights), and whether each is of one incident. What is copied is left out: there
    are no copies among incidents, and its weight stays as it is."""

    evidence: Floats
    same: Floats


def row_of(found: Evidence) -> list[float]:
    """Return what is weighed of a pair."""
    return [*found.place, *found.about, found.soon, found.days, found.brief_days]


def pairs_of(clusterer: Clusterer, files: Sequence[str], strangers: Sequence[str]) -> Pairs:
    """Return the pairs of these files and strangers that are compared."""
    told = [one for file in files for one in incidents(file)]
    others = random.Random(1)
    at = [*(one.at for one in told), *(others.choice(told).at for _ in strangers)]
    names = [*(one.incident for one in told), *(f"stranger {number}" for number in range(len(strangers)))]
    clean = [text.clean for text in normalise([*(one.text for one in told), *strangers])]
    tellings = clusterer.tellings(clean, at)
    compared = set(candidates(clean, tellings)) | set(_within(files))
    near = [pair for pair in sorted(compared) if not elsewhere(*(tellings[number] for number in pair))]
    rows = [row_of(evidence(tellings[one], tellings[other])) for one, other in near]
    return Pairs(np.array(rows), np.array([names[one] == names[other] for one, other in near], dtype=np.float64))


def _within(files: Sequence[str]) -> Iterator[tuple[int, int]]:
    start = 0
    for file in files:
        end = start + len(incidents(file))
        yield from combinations(range(start, end), 2)
        start = end


def fitted(pairs: Pairs) -> Floats:
    """Return the weights and the two biases that make the pairs likeliest."""
    begin = np.array([
        *weights.PLACE, *weights.ABOUT, weights.SOON, weights.DAYS, weights.BRIEF_DAYS, weights.PLACE_BIAS,
        weights.ABOUT_BIAS,
    ])
    names = (*Place._fields, *About._fields, "soon", "days", "brief_days")
    bounds = [_bounds(name, value) for name, value in zip(names, begin, strict=False)]
    found = minimize(_loss, begin, (pairs,), "L-BFGS-B", jac=True, bounds=[*bounds, (None, None), (None, None)])
    return np.asarray(found.x)


def _bounds(name: str, value: float) -> tuple[float | None, float | None]:
    if name in KEPT:
        return value, value
    return (None, 0.0) if name in AGAINST else (0.0, None)


def _loss(values: Floats, pairs: Pairs) -> tuple[float, Floats]:
    """Return the mean log loss, and its gradient; likeness is the softer of the two odds, moved by time."""
    cut, end = PLACES, PLACES + ABOUTS
    place = values[-2] + pairs.evidence[:, :cut] @ values[:cut]
    about = values[-1] + pairs.evidence[:, cut:end] @ values[cut:end]
    odds = -np.logaddexp(-place, -about) + pairs.evidence[:, end:] @ values[end:-2]
    off = 1.0 / (1.0 + np.exp(-odds)) - pairs.same
    ours = 1.0 / (1.0 + np.exp(place - about))  # how much of the change of the odds is the place's
    parts = [
        (off * ours) @ pairs.evidence[:, :cut], (off * (1 - ours)) @ pairs.evidence[:, cut:end],
        off @ pairs.evidence[:, end:], [(off * ours).sum()], [(off * (1 - ours)).sum()],
    ]
    loss = float(np.logaddexp(0.0, -odds * (2 * pairs.same - 1)).mean() + _HELD_DOWN * (values**2).sum())
    return loss, np.concatenate(parts) / len(odds) + 2 * _HELD_DOWN * values


def use(values: Floats) -> None:
    """Weigh by these from now on, in this process."""
    told = [round(float(value), 2) + 0.0 for value in values]
    weights.PLACE, weights.ABOUT = Place(*told[:PLACES]), About(*told[PLACES : PLACES + ABOUTS])
    weights.SOON, weights.DAYS, weights.BRIEF_DAYS, weights.PLACE_BIAS, weights.ABOUT_BIAS = told[PLACES + ABOUTS :]


def show(title: str, clusterer: Clusterer, files: Sequence[str]) -> None:
    """Print B-cubed of each file."""
    for file in files:
        told = incidents(file)
        found = clusterer([one.text for one in told], [one.at for one in told])
        print(f"{title:<28}{file:<8}" + "{:8.3f}{:8.3f}{:8.3f}".format(*b_cubed([one.incident for one in told], found)))


def main() -> None:
    """Fit and print."""
    city = load_city(Path("cities/441900"))
    clusterer = Clusterer(load_linear(Path("models")), load_gazetteer(city.places, city.name))
    texts = [example.text for example in read_corpus(Path("triage/data/appeals"))]
    strangers = random.Random(5).sample(texts, STRANGERS)
    print(f"{'B-cubed':<28}{'file':<8}{'P':>8}{'R':>8}{'F1':>8}")
    show("as it is", clusterer, [*FILES, HELD])
    for file in FILES:
        use(fitted(pairs_of(clusterer, [other for other in FILES if other != file], strangers)))
        show("fitted on the others", clusterer, [file])
    use(fitted(pairs_of(clusterer, FILES, strangers)))
    show("fitted on all but held", clusterer, [*FILES, HELD])
    for name in ("PLACE", "PLACE_BIAS", "ABOUT", "ABOUT_BIAS", "SOON", "DAYS", "BRIEF_DAYS"):
        print(f"{name} = {getattr(weights, name)}")


if __name__ == "__main__":
    main()
