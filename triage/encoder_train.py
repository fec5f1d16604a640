"""`train_encoder`: pre-train or load an encoder, fine-tune it, tune its blend with the linear model, write the files.

A stratified tenth of the training texts, of groups whole ones, is spared in fine-tuning: on these development texts,
which neither encoder nor (in its own cross-validation) linear model has seen, the blend is tuned – how much each of the
two says, its calibration and its thresholds. What was measured is what ships.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from tokenizers import Tokenizer
from tqdm import tqdm
from transformers import AutoModel, AutoTokenizer

from hotline.city import City
from hotline.errors import InvalidInput
from triage.card import Card, EncoderCard, digest_of
from triage.corpus import TICKET, Example
from triage.encoder import NETWORK, TOKENIZER, blended
from triage.encoder_export import export, write_card
from triage.encoder_fit import UNKNOWN, Marks, Network, Shape, Targets, fine_tune, new_body, predict, pretrain
from triage.encoder_start import first_vectors
from triage.encoder_vocab import own_tokenizer
from triage.fit import SEED, calibration_curve, numbers_of
from triage.heads import Trained
from triage.text import normalise
from triage.thresholds import thresholds_for

_PARTS = 10
"""One part of so many is spared in fine-tuning: a tenth of 50,000 texts tunes a blend as surely as a fifth did."""
_SHARES = np.linspace(0, 1, 11)
_SCALES = np.geomspace(0.5, 4, 25)


class Effort(NamedTuple):
    """How long to train: passes over the texts, and the rates of fine-tuning for body and heads."""

    pretraining: int = 6
    fine_tuning: int = 4
    rate: float = 5e-4
    heads: float = 5e-3


LOADED = Effort(pretraining=0, fine_tuning=4, rate=5e-5, heads=1e-3)
"""For a checkpoint that knows the language already."""


class _Start(NamedTuple):
    body: Any
    tokenizer: Tokenizer
    longest: int


def train_encoder(
    examples: Sequence[Example],
    city: City,
    out: Path,
    beside: Trained,
    groups: Sequence[str] | None = None,
    *,
    checkpoint: Path | None = None,
    effort: Effort | None = None,
    shape: Shape = Shape(),
    progress: bool = True,
) -> EncoderCard:
    """Train on `examples` and write the encoder's files to `out`.

    Args:
        groups: the group of each text; those of a group are all spared in fine-tuning, or none. None: every text
            stands for itself.
        checkpoint: folder of a BERT-family checkpoint to start from; None pre-trains our own.

    Raises:
        InvalidInput: the checkpoint cannot be read.
    """
    chosen = effort or (LOADED if checkpoint else Effort())
    texts = [text.clean for text in normalise([example.text for example in examples])]
    start = _loaded(checkpoint, shape) if checkpoint else _Start(None, own_tokenizer(texts), shape.longest)
    marks = _marks(start.tokenizer)
    start.tokenizer.enable_truncation(start.longest)
    rows = [encoding.ids for encoding in start.tokenizer.encode_batch(texts)]
    targets = _targets(examples, beside.card)
    seen, unseen = spared(targets.category, groups)
    total = chosen.pretraining * -(-len(rows) // 64) + chosen.fine_tuning * -(-len(seen) // 32)
    with tqdm(total=total, disable=not progress, desc="编码器") as bar:
        body = start.body or new_body(first_vectors(rows, marks.size, shape.width), shape)
        if chosen.pretraining:
            pretrain(body, rows, marks, epochs=chosen.pretraining, tick=bar.update)
        network = _tuned(body, rows, targets, seen, marks, chosen, bar)
        found = predict(network, [rows[row] for row in unseen], marks)
    export(network, start.tokenizer, out)
    held_out = [examples[row] for row in unseen]
    category, kind, verdict = (one[unseen] for one in beside.opinions)
    held = Trained(beside.card, (category, kind, verdict), beside.alarming[unseen])
    card = _card(held_out, city, held, found, start.longest, out)
    write_card(card, out)
    return card


def spared(category: NDArray[np.int64], groups: Sequence[str] | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to fine-tune on and those spared, like each other in category; no group is in both."""
    folds = StratifiedKFold if groups is None else StratifiedGroupKFold
    seen, unseen = next(folds(_PARTS, shuffle=True, random_state=SEED).split(category, category, groups))
    return seen, unseen


def _loaded(checkpoint: Path, shape: Shape) -> _Start:
    """Load any local checkpoint of the BERT family; nothing is fetched from anywhere, and no code of it is run."""
    try:
        body = AutoModel.from_pretrained(
            checkpoint,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            attn_implementation="eager",
        )
        tokenizer = AutoTokenizer.from_pretrained(checkpoint, local_files_only=True, use_fast=True)
        backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    except (OSError, ValueError, AttributeError, KeyError) as error:
        detail = f"{checkpoint} 不是可用的BERT类模型目录(需要config.json、model.safetensors和分词器): {error}"
        raise InvalidInput(detail, error_id="checkpoint_invalid") from error
    return _Start(body.float(), backend, min(shape.longest, body.config.max_position_embeddings - 2))


def _marks(tokenizer: Tokenizer) -> Marks:
    special = tuple(number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special)
    pad = _number(tokenizer, "[PAD]", "<pad>", otherwise=0)
    mask = _number(tokenizer, "[MASK]", "<mask>", otherwise=pad)
    return Marks(pad, mask, special or (pad,), tokenizer.get_vocab_size())


def _number(tokenizer: Tokenizer, *names: str, otherwise: int) -> int:
    return next((number for name in names if (number := tokenizer.token_to_id(name)) is not None), otherwise)


def _targets(examples: Sequence[Example], card: Card) -> Targets:
    category, kind, verdict, _ = (head.labels for head in card.heads)
    outer = sorted({label[:2] for label in category})
    return Targets(
        np.array([category.index(example.label) if example.label else UNKNOWN for example in examples]),
        _unless_ticket(examples, numbers_of(np.array([example.asks for example in examples]), kind)),
        _unless_ticket(examples, numbers_of(np.array([example.verdict.value for example in examples]), verdict)),
        np.array([outer.index(label[:2]) for label in category]),
        (len(category), len(kind), len(verdict)),
    )


def _unless_ticket(examples: Sequence[Example], numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where([example.source == TICKET for example in examples], UNKNOWN, numbers)


def _tuned(
    body: Any,
    rows: Sequence[Sequence[int]],
    targets: Targets,
    chosen: NDArray[np.int64],
    marks: Marks,
    effort: Effort,
    bar: Any,
) -> Network:
    """Fine-tune the body on the chosen rows."""
    network = Network(body, targets)
    part = targets._replace(
        category=targets.category[chosen], kind=targets.kind[chosen], verdict=targets.verdict[chosen]
    )
    some = [rows[row] for row in chosen]
    epochs, rate, heads = effort.fine_tuning, effort.rate, effort.heads
    fine_tune(network, some, part, marks, epochs=epochs, rate=rate, heads=heads, tick=bar.update)
    return network


def best_blend(
    first: NDArray[np.float64], second: NDArray[np.float64], truth: NDArray[np.int64]
) -> tuple[float, float, NDArray[np.float64]]:
    """Return the encoder's share, the scale, and the blended probabilities that make the known truth likeliest."""
    rows = np.flatnonzero(truth != UNKNOWN)

    def loss(share: float, scale: float) -> float:
        chances = blended(first[rows], second[rows], share, scale)
        return float(-np.log(chances[np.arange(len(rows)), truth[rows]] + 1e-9).mean())

    _, share, scale = min((loss(float(a), float(b)), float(a), float(b)) for a in _SHARES for b in _SCALES)
    if share == 0.0:
        scale = 1.0  # the linear model is calibrated on more texts than these
    return round(share, 2), round(scale, 4), np.asarray(blended(first, second, share, scale), dtype=np.float64)


def _card(
    examples: Sequence[Example],
    city: City,
    held: Trained,
    second: Sequence[NDArray[np.float64]],
    longest: int,
    out: Path,
) -> EncoderCard:
    linear = held.card
    targets = _targets(examples, linear)
    blends = [best_blend(*one) for one in zip(held.opinions, second, targets[:3], strict=True)]
    (first_share, first_scale, _), (second_share, second_scale, _), (third_share, third_scale, _) = blends
    chances = blends[0][2]
    named = np.flatnonzero(targets.category != UNKNOWN)
    right = chances[named].argmax(axis=1) == targets.category[named]
    curve = calibration_curve(chances[named].max(axis=1), right)
    category = msgspec.structs.replace(linear.heads[0], curve=curve)
    known = np.flatnonzero(targets.verdict != UNKNOWN)
    logs = [np.log(blend[2] + 1e-9) for blend in blends]
    limits = thresholds_for(
        examples,
        city,
        (category, logs[0]),
        (linear.heads[1], logs[1]),
        (linear.heads[2], logs[2]),
        known,
        held.alarming,
        of_passages=(linear.thresholds.passage, linear.thresholds.passage_unclear),
        precision=linear.thresholds.precision,
    )
    if third_share == 0.0:
        limits = msgspec.structs.replace(linear.thresholds, dispatch=limits.dispatch)
    digest = digest_of((out / NETWORK).read_bytes())
    version = f"{linear.version}+encoder-{digest}"
    card = Card(version=version, heads=(category, *linear.heads[1:]), thresholds=limits)
    return EncoderCard(
        version=f"encoder-{digest}",
        beside=linear.version,
        longest=longest,
        card=card,
        tokenizer=digest_of((out / TOKENIZER).read_bytes()),
        shares=(first_share, second_share, third_share),
        scales=(first_scale, second_scale, third_scale),
    )
