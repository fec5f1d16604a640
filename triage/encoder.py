"""A small transformer as a second opinion, run by onnxruntime on one core; no torch at run time.

Files beside the linear model: `encoder.onnx` (8-bit weights), `encoder.tokenizer.json` (the `tokenizers` format) and
`encoder.json` (this module's `EncoderCard`). Nothing in them can run code. `triage.encoder_train` writes them, from our
own checkpoint or from any local BERT-family one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from hotline.errors import InvalidInput
from triage.card import Card, EncoderCard, digest_of
from triage.features import Floats
from triage.linear import MEND, LinearModel, Scores, tell_undigested

NETWORK, TOKENIZER, CARD = "encoder.onnx", "encoder.tokenizer.json", "encoder.json"
HEADS = ("category", "kind", "verdict")
_FLOOR = 1e-6


class Heard(NamedTuple):
    """What the encoder says: log-probabilities of each head of `HEADS`, each (texts × labels), and the share of each
    text that it looked at, (texts × 1)."""

    heads: tuple[Floats, ...]
    seen: Floats


class Encoder:
    """Scores texts with the network. Cheap to share; holds no state between calls."""

    def __init__(self, session: onnxruntime.InferenceSession, tokenizer: Tokenizer, *, longest: int) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._longest = longest
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def __call__(self, texts: Sequence[str]) -> Heard:
        """Score clean texts.

        One text at a time: on one core no slower than many at once, nothing is padded, and what a text is taken for
        never depends on its neighbours (8-bit arithmetic would scale them together).
        """
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        found = [self._run(row) for row in rows]
        seen = np.array([[min(1.0, self._longest / max(1, len(row)))] for row in rows], dtype=np.float32)
        return Heard(tuple(_log_softmax(np.concatenate(head)) for head in zip(*found, strict=True)), seen)

    def words(self, text: str) -> list[tuple[int, int]]:
        """Return where each piece of a clean text begins and ends; of our own vocabulary these are words, mostly."""
        return [(start, end) for start, end in self._tokenizer.encode(text).offsets if end > start]

    def _run(self, row: Sequence[int]) -> list[Floats]:
        cut = row if len(row) <= self._longest else [*row[: self._longest - 1], row[-1]]
        ids = np.array([cut], dtype=np.int64)
        found: list[Floats] = self._session.run(list(HEADS), {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return found


class Blend:
    """The linear model and the encoder together; a `Scorer` as each is. Of a text too long for the encoder it says the
    less the less it has seen of it."""

    def __init__(self, linear: LinearModel, encoder: Encoder, own: EncoderCard) -> None:
        self.card: Card = own.card
        self._linear = linear
        self.encoder = encoder
        self.own = own

    def __call__(self, texts: Sequence[str]) -> Scores:
        """Return the probabilities for clean texts."""
        first = self._linear(texts)
        if not texts:
            return first
        second = self.encoder(texts)
        category, kind, verdict = (
            blended(np.log(own + _FLOOR), other, share * second.seen, scale)
            for own, other, share, scale in zip(first[:3], second.heads, self.own.shares, self.own.scales, strict=True)
        )
        return Scores(category, kind, verdict, first.services)


def blended(first: NDArray[Any], second: NDArray[Any], share: float | Floats, scale: float) -> Floats:
    """Return softmax(scale × ((1 − share) × first + share × second)) of two opinions' log-probabilities."""
    return np.asarray(np.exp(_log_softmax(scale * ((1 - share) * first + share * second))), dtype=np.float32)


def _log_softmax(logits: NDArray[Any]) -> NDArray[Any]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def load_blend(folder: Path, linear: LinearModel) -> Blend | None:
    """Read the encoder in `folder`; None where there is none, or it was tuned beside another linear model.

    Raises:
        InvalidInput: a file is missing or damaged.
    """
    if not (folder / CARD).exists():
        return None
    try:
        own = msgspec.json.decode((folder / CARD).read_bytes(), type=EncoderCard)
        if own.beside != linear.card.version:
            return None
        words, network = (folder / TOKENIZER).read_bytes(), (folder / NETWORK).read_bytes()
        tokenizer = Tokenizer.from_buffer(words)
        session = onnxruntime.InferenceSession(network, _options())
    except Exception as error:  # onnxruntime and tokenizers raise plain ones of their own
        raise InvalidInput(f"模型 {folder} 的编码器无法读取: {error}; {MEND}", error_id="model_invalid") from error
    if not own.tokenizer:
        tell_undigested(str(folder), CARD)
    if not own.version.endswith(digest_of(network)) or own.tokenizer not in ("", digest_of(words)):
        raise InvalidInput(f"模型 {folder} 的编码器文件不是同一次训练的结果; {MEND}", error_id="model_invalid")
    return Blend(linear, Encoder(session, tokenizer, longest=own.longest), own)


def _options() -> onnxruntime.SessionOptions:
    """One core, and no thread that spins while it waits: the process has other work."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options
