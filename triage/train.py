"""`train(data, out)`: from labelled texts to models/linear.*; the same input gives the same files.

Needs scikit-learn (requirements for training). Protocol: the tenth kept aside by hash is never looked at; calibration,
thresholds and every choice come from cross-validation on the rest; the model card quotes the tenth once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from tqdm import tqdm

from hotline.city import City
from hotline.errors import InvalidInput
from hotline.terms import Kind, Service, Verdict
from triage.card import Card, Head
from triage.corpus import Example, read_corpus
from triage.encoder import load_blend
from triage.evaluate import evaluate
from triage.fit import (
    Fitted,
    Space,
    calibration_curve,
    cross_scores,
    fit,
    make_space,
    matrix,
    numbers_of,
    read_cues,
    softmax,
    temperature,
)
from triage.linear import CARD, WEIGHTS, load_linear
from triage.mixture import cross_mixture, mixture, view_of
from triage.model_card import card_text
from triage.opinion import Use
from triage.pipeline import Pipeline
from triage.text import normalise
from triage.thresholds import thresholds_for

_STEPS = ("读取", "特征", "事项分类", "诉求类型", "紧急判断", "救援力量", "阈值", "写入", "评测")


class _Data(NamedTuple):
    examples: list[Example]
    space: Space
    grams: Any


class Trained(NamedTuple):
    """A card, and the cross-validated log-probabilities of category, kind and verdict, each (texts, labels)."""

    card: Card
    opinions: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


Second = Callable[[Sequence[Example], City, Path, Trained], object]
"""Trains an encoder on the same texts into the same folder (`triage.encoder_train`)."""


def train(
    data: Path, out: Path, city: City, *, second: Second | None = None, progress: bool = True
) -> dict[str, float]:
    """Train on the labelled texts in `data`, write the model and its card to `out`, return the figures of the card.

    Args:
        second: what trains the encoder; without it the linear model stands alone.

    Raises:
        InvalidInput: the texts are wrong, or bear labels that the city's categories lack.
    """
    with _steps(progress) as step:
        step()
        examples = _checked(read_corpus(data), city)
        seen = [example for example in examples if not example.apart]
        step()
        prepared = _prepare(seen)
        trained, weights = _model(prepared, city, step)
        step()
        _write(out, prepared.space, weights, trained.card)
        if second is not None:
            second(seen, city, out, trained)
        step()
        alone = evaluate(Pipeline.load(city, out, encoder=Use.OFF), examples, city.directory)
        blend = load_blend(out, load_linear(out))
        figures = evaluate(Pipeline.load(city, out), examples, city.directory) if blend else alone
        card = card_text(trained.card, alone, len(seen), blend.own if blend else None, figures)
        (out / "README.md").write_text(card, "utf-8")
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
    return _Data(examples, space, matrix(space, texts))


def _model(data: _Data, city: City, step: Any) -> tuple[Trained, NDArray[np.float64]]:
    step()
    category, category_weights, category_scores = _category(data, city)
    step()
    kind, kind_weights, kind_scores = _kind(data)
    step()
    verdict, verdict_weights, verdict_scores = _verdict(data)
    step()
    services, service_weights = _services(data)
    step()
    card = Card(
        version=_version(data.examples),
        heads=(category, kind, verdict, services),
        thresholds=thresholds_for(data.examples, city, (category, category_scores), (verdict, verdict_scores)),
    )
    weights = np.hstack((category_weights, kind_weights, verdict_weights, service_weights))
    opinions = (category_scores, kind_scores, verdict_scores)
    return Trained(card, tuple(np.log(softmax(scores) + 1e-9) for scores in opinions)), weights  # type: ignore[arg-type]


def _version(examples: Sequence[Example]) -> str:
    digest = hashlib.sha256(msgspec.json.encode(list(examples)) + repr(read_cues()).encode()).hexdigest()
    return f"linear-{digest[:12]}"


def _head(name: str, labels: Sequence[str], fitted: Fitted, scale: float, *, many: bool = False) -> Head:
    bias = tuple(round(float(b), 6) for b in fitted.bias)
    return Head(name=name, labels=tuple(labels), bias=bias, scale=round(scale, 6), many=many)


def _category(data: _Data, city: City) -> tuple[Head, NDArray[np.float64], NDArray[np.float64]]:
    classes = [label.l1 + label.l2 for label in city.categories]
    labels = np.array([example.label for example in data.examples])
    outer = [label.l1 for label in city.categories]
    view = view_of(data.grams, data.space.cues)
    features = view.features(data.grams)
    scores = cross_mixture(features, labels, classes, outer)
    fitted = view.folded(mixture(features, labels, classes, outer))
    scale = temperature(scores, numbers_of(labels, classes))
    head = _head("category", classes, fitted, scale)
    chances = softmax(scores * scale)
    curve = calibration_curve(chances.max(axis=1), chances.argmax(axis=1) == numbers_of(labels, classes))
    return msgspec.structs.replace(head, curve=curve), fitted.weights, scores * scale


def _kind(data: _Data) -> tuple[Head, NDArray[np.float64], NDArray[np.float64]]:
    classes = [kind.value for kind in Kind]
    labels = np.array([example.kind.value for example in data.examples])
    scores = cross_scores(data.grams, labels, classes, strength=0.6, balanced=True)
    fitted = fit(data.grams, labels, classes, strength=0.6, balanced=True)
    scale = temperature(scores, numbers_of(labels, classes))
    return _head("kind", classes, fitted, scale), fitted.weights, scores * scale


def _verdict(data: _Data) -> tuple[Head, NDArray[np.float64], NDArray[np.float64]]:
    classes = [verdict.value for verdict in Verdict]
    labels = np.array([example.verdict.value for example in data.examples])
    scores = cross_scores(data.grams, labels, classes, strength=1.0, balanced=True)
    fitted = fit(data.grams, labels, classes, strength=1.0, balanced=True)
    scale = temperature(scores, numbers_of(labels, classes))
    return _head("verdict", classes, fitted, scale), fitted.weights, scores * scale


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


def _write(out: Path, space: Space, weights: NDArray[np.float64], card: Card) -> None:
    """Write 8-bit weights with one step a row. No n-gram is left out: the rows' length, and with it every confidence,
    would change."""
    steps = np.maximum(np.abs(weights).max(axis=1) / 127, 1e-9).astype(np.float32)
    rounded = np.rint(weights / steps[:, None]).astype(np.int8)
    out.mkdir(parents=True, exist_ok=True)
    arrays = {
        "keys": space.vocabulary.keys, "idf": space.idf.astype(np.float16), "weights": rounded, "steps": steps,
    }
    (out / WEIGHTS).write_bytes(save(arrays))
    (out / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=1))
