"""The heads of the linear model – category, kind, verdict, services – from labelled texts. Training only.

Texts of the corpus bear every label, but no category where the city has none such. Tickets of a city (`TICKET`) bear a
category and nothing else. Each head leaves out what does not bear its label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from hotline.city import City
from hotline.errors import InvalidInput
from hotline.terms import Kind, Service, Verdict
from triage.card import DANGER, PRECISION, Card, Head, digest_of
from triage.corpus import TICKET, Example
from triage.fit import (
    Fitted,
    Space,
    calibration_curve,
    cross_fits,
    cross_scores,
    fit,
    make_space,
    matrix,
    numbers_of,
    softmax,
    temperature,
)
from triage.lexicon import dangers
from triage.match import batch_of
from triage.mixture import cross_mixture, mixture, view_of
from triage.passages import LONG, Reading, alarms, glimpsed, read
from triage.text import normalise
from triage.thresholds import thresholds_for

Scores = NDArray[np.float64]
Step = Callable[[], object]


class Data(NamedTuple):
    """Texts, clean and as features; `named` are the rows that bear a category, `told` those that bear the other labels,
    `groups` is what folds leave whole."""

    examples: Sequence[Example]
    texts: Sequence[str]
    space: Space
    grams: Any
    named: NDArray[np.int64]
    told: NDArray[np.int64]
    groups: Sequence[str]


class Trained(NamedTuple):
    """A card, and the cross-validated log-probabilities of category, kind and verdict, each (texts, labels).

    The rows of texts that do not bear a label are nan. `alarming` is the chance of the most alarming passage of each,
    0 where no passages are read, shape (texts,).
    """

    card: Card
    opinions: tuple[Scores, Scores, Scores]
    alarming: NDArray[np.float64]


class Weighed(NamedTuple):
    """A head with its weights (n-grams × labels), and its cross-validated, scaled scores (texts × labels)."""

    head: Head
    weights: NDArray[np.float64]
    scores: Scores


def prepare(examples: Sequence[Example], groups: Sequence[str] | None = None) -> Data:
    """Turn texts into features; without `groups` every text stands for itself."""
    texts = [text.clean for text in normalise([example.text for example in examples])]
    space = make_space(texts)
    told = np.flatnonzero([example.source != TICKET for example in examples])
    named = np.flatnonzero([bool(example.label) for example in examples])
    return Data(examples, texts, space, matrix(space, texts), named, told, groups or texts)


def heads_of(
    data: Data, city: City, step: Step, precision: float = PRECISION
) -> tuple[Trained, NDArray[np.float64]]:
    """Return the card with its cross-validated opinions, and the weights of all heads (n-grams × labels).

    Args:
        precision: of automatic dispatch.
    """
    step()
    category = category_head(data, city)
    step()
    kind = _told_head(data, "kind", [*(kind.value for kind in Kind), DANGER], [e.asks for e in data.examples], 0.6)
    step()
    verdict, alarming = _verdict_head(data)
    step()
    services, service_weights = _services(data)
    step()
    weights = np.hstack((category.weights, kind.weights, verdict.weights, service_weights))
    card = Card(
        version=f"linear-{digest_of(weights.astype(np.float32).tobytes())}",
        heads=(category.head, kind.head, verdict.head, services),
        thresholds=thresholds_for(
            data.examples,
            city,
            (category.head, category.scores),
            (kind.head, kind.scores),
            (verdict.head, verdict.scores),
            data.told,
            alarming,
            precision=precision,
        ),
    )
    opinions = (_log(category.scores), _log(kind.scores), _log(verdict.scores))
    return Trained(card, opinions, alarming), weights


def _log(scores: Scores) -> Scores:
    return np.asarray(np.log(softmax(scores) + 1e-9))


def _head(name: str, labels: Sequence[str], fitted: Fitted, scale: float, *, many: bool = False) -> Head:
    bias = tuple(round(float(b), 6) for b in fitted.bias)
    return Head(name=name, labels=tuple(labels), bias=bias, scale=round(scale, 6), many=many)


def category_head(data: Data, city: City) -> Weighed:
    """Fit the category on every text that bears one."""
    classes = [label.l1 + label.l2 for label in city.categories]
    labels = np.array([data.examples[row].label for row in data.named])
    truth = numbers_of(labels, classes)
    outer = [label.l1 for label in city.categories]
    view = view_of(data.grams, data.space.cues, labels, classes)
    features = view.features(data.grams[data.named])
    found = cross_mixture(features, labels, classes, outer, groups=[data.groups[row] for row in data.named])
    fitted = view.folded(mixture(features, labels, classes, outer))
    scale = temperature(found, truth)
    chances = softmax(found * scale)
    curve = calibration_curve(chances.max(axis=1), chances.argmax(axis=1) == truth)
    head = msgspec.structs.replace(_head("category", classes, fitted, scale), curve=curve)
    scores = np.full((len(data.examples), len(classes)), np.nan)
    scores[data.named] = found * scale
    return Weighed(head, fitted.weights, scores)


def _told_head(data: Data, name: str, classes: Sequence[str], answers: Sequence[str], strength: float) -> Weighed:
    """Fit a head on the texts that bear its label."""
    labels, grams = np.array(answers)[data.told], data.grams[data.told]
    found = cross_scores(grams, labels, classes, strength=strength, balanced=True)
    fitted = fit(grams, labels, classes, strength=strength, balanced=True)
    scale = temperature(found, numbers_of(labels, classes))
    scores = np.full((len(answers), len(classes)), np.nan)
    scores[data.told] = found * scale
    return Weighed(_head(name, classes, fitted, scale), fitted.weights, scores)


def _verdict_head(data: Data) -> tuple[Weighed, NDArray[np.float64]]:
    """Fit the verdict, and tell how alarming the passages of long texts are to a machine that has not seen the text."""
    classes = [verdict.value for verdict in Verdict]
    labels = np.array([example.verdict.value for example in data.examples])[data.told]
    texts = [data.texts[row] for row in data.told]
    hits = dangers().find(batch_of(texts))
    reading = read(texts, [row for row, text in enumerate(texts) if len(text) > LONG], hits)
    found, of_parts = _cross_read(data, labels, classes, reading)
    fitted = fit(data.grams[data.told], labels, classes, strength=1.0, balanced=True)
    scale = temperature(found, numbers_of(labels, classes))
    scores, alarming = np.full((len(data.examples), len(classes)), np.nan), np.zeros(len(data.examples))
    scores[data.told] = found * scale
    seen = set(glimpsed(texts, softmax(found * scale), hits))
    for row, alarm in alarms(reading, softmax(of_parts * scale)[:, 0]).items():
        alarming[data.told[row]] = alarm.chance if row in seen else 0.0
    return Weighed(_head("verdict", classes, fitted, scale), fitted.weights, scores), alarming


def _cross_read(
    data: Data, labels: NDArray[Any], classes: Sequence[str], reading: Reading
) -> tuple[Scores, Scores]:
    """Return the scores of texts and of their passages by a machine that has seen neither."""
    grams, parts, owners = data.grams[data.told], matrix(data.space, reading.passages), np.array(reading.owners)
    found, of_parts = np.zeros((len(labels), len(classes))), np.zeros((len(owners), len(classes)))
    for machine, unseen in cross_fits(grams, labels, classes, strength=1.0, balanced=True):
        mine = np.flatnonzero(np.isin(owners, unseen))
        found[unseen] = grams[unseen] @ machine.weights + machine.bias
        of_parts[mine] = parts[mine] @ machine.weights + machine.bias
    return found, of_parts


def _services(data: Data) -> tuple[Head, NDArray[np.float64]]:
    """One yes-or-no machine a service, on the texts that call for any."""
    chosen = np.flatnonzero([bool(example.services) for example in data.examples])
    weights, bias = [], []
    for service in Service:
        labels = np.array(["yes" if service in data.examples[int(row)].services else "no" for row in chosen])
        if len(set(labels)) < 2:
            raise InvalidInput(f"标注中{service.value}的例子不足", error_id="corpus_invalid")
        fitted = fit(data.grams[chosen], labels, ["no", "yes"], strength=0.5, balanced=True)
        weights.append(fitted.weights[:, 1])
        bias.append(fitted.bias[1])
    together = Fitted(np.stack(weights, axis=1), np.array(bias))
    return _head("services", [s.value for s in Service], together, 3.0, many=True), together.weights
