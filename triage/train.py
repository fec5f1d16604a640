"""`train(data, out)`: from labelled texts to models/linear.*; the same input gives the same files.

Needs scikit-learn (requirements for training). Protocol: the tenth kept aside by hash is never looked at; calibration,
thresholds and every choice come from cross-validation on the rest; the model card quotes the tenth once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from safetensors.numpy import save
from tqdm import tqdm

from hotline.city import City
from hotline.errors import InvalidInput
from hotline.terms import Kind, Service, Verdict
from triage.corpus import Example, read_corpus
from triage.evaluate import card_text, evaluate
from triage.fit import Fitted, Space, cross_scores, fit, make_space, matrix, read_cues, softmax, temperature
from triage.linear import CARD, WEIGHTS, Card, Head, Thresholds
from triage.pipeline import Pipeline, departments_of
from triage.rules import assess
from triage.text import normalise

PRECISION = 0.95
FALSE_ALARMS = 0.01
_STEPS = ("读取", "特征", "事项分类", "诉求类型", "紧急判断", "救援力量", "阈值", "写入", "评测")
_SIGNAL_WEIGHT = 0.3
_LARGEST = 60_000
"""N-grams in the file: about 11 MB."""


class _Data(NamedTuple):
    examples: list[Example]
    space: Space
    grams: Any
    signals: Any
    signal_names: tuple[str, ...]
    verdicts: tuple[Verdict, ...]


def train(data: Path, out: Path, city: City, *, progress: bool = True) -> dict[str, float]:
    """Train on the labelled texts in `data`, write the model and its card to `out`, return the figures of the card.

    Raises:
        InvalidInput: the texts are wrong, or bear labels that the city's categories lack.
    """
    with _steps(progress) as step:
        step()
        examples = _checked(read_corpus(data), city)
        seen = [example for example in examples if not example.apart]
        step()
        prepared = _prepare(seen)
        card, weights = _model(prepared, city, step)
        step()
        _write(out, prepared.space, weights, card)
        step()
        figures = evaluate(Pipeline.load(city, out), examples)
        (out / "README.md").write_text(card_text(card, figures, len(seen)), "utf-8")
    return figures


@contextmanager
def _steps(progress: bool) -> Iterator[Any]:
    with tqdm(total=len(_STEPS), disable=not progress, desc="训练") as bar:
        names = iter(_STEPS)
        done = iter((0, *[1] * len(_STEPS)))

        def step() -> None:
            bar.update(next(done))
            bar.set_postfix_str(next(names))

        yield step
        bar.update(1)


def _checked(examples: list[Example], city: City) -> list[Example]:
    known = {label.l1 + label.l2 for label in city.categories}
    strange = sorted({example.label for example in examples} - known)
    if strange:
        raise InvalidInput(f"标注中有分类表没有的事项: {'、'.join(strange[:20])}", error_id="corpus_invalid")
    return examples


def _prepare(examples: list[Example]) -> _Data:
    texts = [text.clean for text in normalise([example.text for example in examples])]
    space = make_space(texts)
    assessed = [assess(text) for text in texts]
    names = tuple(sorted({name for one in assessed for name in one.signals}))
    number = {name: column for column, name in enumerate(names)}
    cells = [(row, number[name]) for row, one in enumerate(assessed) for name in one.signals]
    rows, columns = zip(*cells, strict=True) if cells else ((), ())
    signals = sp.csr_matrix((np.full(len(cells), _SIGNAL_WEIGHT), (rows, columns)), shape=(len(texts), len(names)))
    verdicts = tuple(one.verdict for one in assessed)
    return _Data(examples, space, matrix(space, texts), signals, names, verdicts)


def _model(data: _Data, city: City, step: Any) -> tuple[Card, NDArray[np.float64]]:
    step()
    category, category_weights, category_scores = _category(data, city)
    step()
    kind, kind_weights = _kind(data)
    step()
    verdict, verdict_fit, verdict_scores = _verdict(data)
    step()
    services, service_weights = _services(data)
    step()
    size = data.grams.shape[1]
    card = Card(
        version=_version(data.examples),
        heads=(category, kind, verdict, services),
        thresholds=_thresholds(data, city, (category, category_scores), (verdict, verdict_scores)),
        signals={
            name: tuple(float(w) for w in verdict_fit.weights[size + column] * _SIGNAL_WEIGHT)
            for column, name in enumerate(data.signal_names)
        },
    )
    weights = np.hstack((category_weights, kind_weights, verdict_fit.weights[:size], service_weights))
    return card, weights


def _version(examples: Sequence[Example]) -> str:
    digest = hashlib.sha256(msgspec.json.encode(list(examples)) + repr(read_cues()).encode()).hexdigest()
    return f"linear-{digest[:12]}"


def _head(name: str, labels: Sequence[str], fitted: Fitted, scale: float, *, many: bool = False) -> Head:
    bias = tuple(round(float(b), 6) for b in fitted.bias)
    return Head(name=name, labels=tuple(labels), bias=bias, scale=round(scale, 6), many=many)


def _truth(labels: NDArray[Any], classes: Sequence[str]) -> NDArray[np.int64]:
    return np.array([classes.index(name) for name in labels])


def _category(data: _Data, city: City) -> tuple[Head, NDArray[np.float64], NDArray[np.float64]]:
    classes = [label.l1 + label.l2 for label in city.categories]
    labels = np.array([example.label for example in data.examples])
    features = sp.hstack((data.grams, data.grams @ data.space.cues)).tocsr()
    scores = cross_scores(features, labels, classes, strength=0.5, balanced=False)
    fitted = fit(features, labels, classes, strength=0.5, balanced=False)
    size = data.grams.shape[1]
    folded = fitted.weights[:size] + data.space.cues @ fitted.weights[size:]
    scale = temperature(scores, _truth(labels, classes))
    return _head("category", classes, fitted, scale), np.asarray(folded), scores * scale


def _kind(data: _Data) -> tuple[Head, NDArray[np.float64]]:
    classes = [kind.value for kind in Kind]
    labels = np.array([example.kind.value for example in data.examples])
    scores = cross_scores(data.grams, labels, classes, strength=0.3, balanced=False)
    fitted = fit(data.grams, labels, classes, strength=0.3, balanced=False)
    return _head("kind", classes, fitted, temperature(scores, _truth(labels, classes))), fitted.weights


def _verdict(data: _Data) -> tuple[Head, Fitted, NDArray[np.float64]]:
    classes = [verdict.value for verdict in Verdict]
    labels = np.array([example.verdict.value for example in data.examples])
    features = sp.hstack((data.grams, data.signals)).tocsr()
    scores = cross_scores(features, labels, classes, strength=0.5, balanced=True)
    fitted = fit(features, labels, classes, strength=0.5, balanced=True)
    scale = temperature(scores, _truth(labels, classes))
    return _head("verdict", classes, fitted, scale), fitted, scores * scale


def _services(data: _Data) -> tuple[Head, NDArray[np.float64]]:
    """One yes-or-no machine a service, on the texts that call for any."""
    chosen = np.flatnonzero([bool(example.services) for example in data.examples])
    weights, bias = [], []
    for service in Service:
        labels = np.array(["yes" if service in data.examples[row].services else "no" for row in chosen])
        if len(set(labels)) == 1:
            raise InvalidInput(f"标注中{service.value}的例子不足", error_id="corpus_invalid")
        fitted = fit(data.grams[chosen], labels, ["no", "yes"], strength=0.5, balanced=True)
        weights.append(fitted.weights[:, 1])
        bias.append(fitted.bias[1])
    together = Fitted(np.stack(weights, axis=1), np.array(bias))
    return _head("services", [s.value for s in Service], together, 3.0, many=True), together.weights


def _thresholds(
    data: _Data,
    city: City,
    category: tuple[Head, NDArray[np.float64]],
    verdict: tuple[Head, NDArray[np.float64]],
) -> Thresholds:
    units, unit_of = departments_of(category[0].labels, city.directory)
    truth = unit_of[_truth(np.array([example.label for example in data.examples]), category[0].labels)]
    mass = softmax(category[1]) @ np.eye(len(units))[unit_of]
    emergency, unclear = _alarm_thresholds(data, softmax(verdict[1]))
    dispatch = least_confidence(mass.max(axis=1), mass.argmax(axis=1) == truth, PRECISION)
    return Thresholds(dispatch=dispatch, tie=0.1, emergency=emergency, unclear=unclear)


def least_confidence(confidence: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """Return the lowest confidence above which the answers are right at least `precision` of the time."""
    order = np.argsort(-confidence, kind="stable")
    so_far = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(so_far >= precision)
    return float(confidence[order[good[-1]]]) if len(good) else 1.0


def _alarm_thresholds(data: _Data, chances: NDArray[np.float64]) -> tuple[float, float]:
    """Return the lowest thresholds that keep false alarms of the model within FALSE_ALARMS, twice that for unclear."""
    calm = np.array([example.verdict is Verdict.NON_EMERGENCY for example in data.examples])
    alarm = np.sort(chances[calm, 0])
    either = np.sort(chances[calm, 0] + chances[calm, 1])
    last = len(alarm) - 1
    emergency = alarm[int(last * (1 - FALSE_ALARMS))]
    unclear = either[int(last * (1 - 2 * FALSE_ALARMS))]
    return float(emergency), float(unclear)


def _write(out: Path, space: Space, weights: NDArray[np.float64], card: Card) -> None:
    """Write 8-bit weights with one step a row; the n-grams that can change a score least are left out."""
    largest = np.abs(weights).max(axis=1)
    worth = largest * space.idf
    kept = worth >= np.sort(worth)[-min(_LARGEST, len(worth))]
    steps = (largest[kept] / 127).astype(np.float32)
    rounded = np.rint(weights[kept] / steps[:, None]).astype(np.int8)
    out.mkdir(parents=True, exist_ok=True)
    arrays = {
        "keys": space.vocabulary.keys[kept], "idf": space.idf[kept].astype(np.float16),
        "weights": rounded, "steps": steps.astype(np.float32),
    }
    (out / WEIGHTS).write_bytes(save(arrays))
    (out / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=1))
