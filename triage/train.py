"""`train(data, out)`: from labelled texts to models/linear.*; the same input gives the same files.

Needs scikit-learn (requirements for training). Protocol: the tenth kept aside by hash is never looked at; calibration,
thresholds and every choice come from cross-validation on the rest; the model card quotes the tenth once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from tqdm import tqdm

from hotline.city import City
from hotline.errors import InvalidInput
from triage.card import PRECISION, Card, digest_of
from triage.corpus import Example, fitting, read_corpus
from triage.encoder import load_blend
from triage.evaluate import evaluate
from triage.fit import Space
from triage.heads import Trained, heads_of, prepare
from triage.linear import CARD, WEIGHTS, load_linear
from triage.model_card import MODEL_CARD, Own, card_text
from triage.opinion import Use
from triage.pipeline import Pipeline

_STEPS = ("读取", "特征", "事项分类", "诉求类型", "紧急判断", "救援力量", "阈值", "写入", "评测")


Second = Callable[[Sequence[Example], City, Path, Trained, Sequence[str] | None], object]
"""Trains an encoder on the same texts, with their groups where there are any, into the same folder
(`triage.encoder_train`)."""


def train(
    data: Path, out: Path, city: City, *, second: Second | None = None, precision: float = PRECISION,
    progress: bool = True,
) -> dict[str, float]:
    """Train on the labelled texts in `data`, write the model and its card to `out`, return the figures of the card.

    Args:
        second: what trains the encoder; without it the linear model stands alone.
        precision: of automatic dispatch.

    Raises:
        InvalidInput: the texts are wrong, or none bears a label of the city's categories.
    """
    with steps(_STEPS, progress) as step:
        step()
        examples = checked(read_corpus(data), city)
        seen = [example for example in examples if not example.apart]
        step()
        prepared = prepare(seen)
        trained, weights = heads_of(prepared, city, step, precision)
        step()
        write_model(out, prepared.space, weights, trained.card)
        if second is not None:
            second(seen, city, out, trained, None)
        step()
        return write_card(out, city, trained.card, examples, len(seen))


def write_card(
    out: Path, city: City, card: Card, examples: Sequence[Example], trained_on: int, own: Own | None = None
) -> dict[str, float]:
    """Measure the model in `out` on those `examples` that are kept aside, write its model card, return the figures."""
    alone = evaluate(Pipeline.load(city, out, encoder=Use.OFF), examples, city.directory)
    blend = load_blend(out, load_linear(out))
    figures = evaluate(Pipeline.load(city, out), examples, city.directory) if blend else alone
    text = card_text(card, alone, trained_on, blend.own if blend else None, figures, own)
    (out / MODEL_CARD).write_text(text, "utf-8")
    return figures


@contextmanager
def steps(names: Sequence[str], progress: bool) -> Iterator[Any]:
    """Show a bar; what is yielded begins the next of the named steps."""
    with tqdm(total=len(names), disable=not progress, desc="训练") as bar:
        waiting = iter(names)
        done = iter((0, *[1] * len(names)))

        def step() -> None:
            bar.update(next(done))
            bar.set_postfix_str(next(waiting))

        yield step
        bar.update(1)


def checked(examples: Sequence[Example], city: City) -> list[Example]:
    """Return the examples as they fit the city; raises InvalidInput where none bears a category of it."""
    found = fitting(examples, city)
    if not any(example.label for example in found):
        strange = sorted({example.label for example in examples})
        raise InvalidInput(f"标注中的事项都不在分类表中: {'、'.join(strange[:20])}", error_id="corpus_invalid")
    return found


def write_model(out: Path, space: Space, weights: NDArray[np.float64], card: Card) -> None:
    """Write 8-bit weights with one step a row. No n-gram is left out: the rows' length, and with it every confidence,
    would change."""
    steps = np.maximum(np.abs(weights).max(axis=1) / 127, 1e-9).astype(np.float32)
    rounded = np.rint(weights / steps[:, None]).astype(np.int8)
    out.mkdir(parents=True, exist_ok=True)
    arrays = {
        "keys": space.vocabulary.keys, "idf": space.idf.astype(np.float16), "weights": rounded, "steps": steps,
    }
    written = save(arrays)
    (out / WEIGHTS).write_bytes(written)
    card = msgspec.structs.replace(card, weights=digest_of(written))
    (out / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=1))
