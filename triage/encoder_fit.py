"""Pre-training and fine-tuning the encoder with torch and transformers. Training only.

Pre-training guesses masked tokens of unlabelled texts. Fine-tuning puts heads for category (both levels), kind and
verdict on the mean and the maximum of the last layer. Both run in bfloat16 where the processor is quick at it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from transformers import BertConfig, BertModel

SEED = 12345
_BATCH_WORDS, _BATCH_HEADS = 64, 32
_MASKED = 0.2
_SMOOTHED = 0.1
_HIDDEN_TOKENS = 0.1
"""Share of tokens hidden in fine-tuning, so that no single word decides."""

UNKNOWN = -100
"""The number of a label that a text does not bear: it teaches nothing (torch's own sign for that)."""

Rows = Sequence[Sequence[int]]
Tick = Callable[[], object]


class Shape(NamedTuple):
    """Size of our own encoder."""

    layers: int = 3
    width: int = 256
    inner: int = 768
    longest: int = 128


class Marks(NamedTuple):
    """Numbers of the tokens that training must know, all special ones, and how many tokens there are."""

    pad: int
    mask: int
    special: tuple[int, ...]
    size: int


class Targets(NamedTuple):
    """Labels of each text as numbers, and the first level of each category; `rows` arrays are (texts,)."""

    category: NDArray[np.int64]
    kind: NDArray[np.int64]
    verdict: NDArray[np.int64]
    outer: NDArray[np.int64]
    sizes: tuple[int, int, int]


def new_body(vectors: NDArray[np.float32], shape: Shape) -> Any:
    """Return an untrained BERT of our size whose tokens begin at `vectors` (tokens × width), where not zero."""
    torch.manual_seed(SEED)
    config = BertConfig(
        vocab_size=len(vectors),
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=max(1, shape.width // 64),
        intermediate_size=shape.inner,
        max_position_embeddings=shape.longest,
        type_vocab_size=1,
        attn_implementation="eager",
    )
    body = BertModel(config, add_pooling_layer=False)
    known = torch.tensor(np.abs(vectors).sum(axis=1) > 0)
    with torch.no_grad():
        body.embeddings.word_embeddings.weight[known] = torch.tensor(vectors)[known]
    return body


class Network(nn.Module):
    """A body with heads. The first level's head also speaks for each of its categories."""

    def __init__(self, body: Any, targets: Targets) -> None:
        super().__init__()
        torch.manual_seed(SEED)
        width = 2 * body.config.hidden_size
        self.body, self.drop = body, nn.Dropout(0.3)
        self.inner, self.kind, self.verdict = (nn.Linear(width, size) for size in targets.sizes)
        self.outer = nn.Linear(width, int(targets.outer.max()) + 1)
        self.register_buffer("column", torch.tensor(targets.outer))

    def forward(self, input_ids: Any, attention_mask: Any) -> tuple[Any, Any, Any, Any]:
        """Return the logits of category, kind, verdict and first level, each (texts, labels)."""
        last = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(last.dtype)
        mean = (last * mask).sum(1) / mask.sum(1)
        most = (last + (mask - 1) * 1e4).max(1).values
        pooled = self.drop(torch.cat((mean, most), 1))
        outer = self.outer(pooled)
        return self.inner(pooled) + outer[:, self.column], self.kind(pooled), self.verdict(pooled), outer


def pretrain(body: Any, rows: Rows, marks: Marks, *, epochs: int, rate: float = 5e-4, tick: Tick = int) -> None:
    """Teach the body to guess masked tokens."""
    _seed()
    width = body.config.hidden_size
    guess = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
    bias = nn.Parameter(torch.zeros(marks.size))
    words = body.embeddings.word_embeddings.weight
    steps = epochs * -(-len(rows) // _BATCH_WORDS)
    optimizer, schedule = _optimizer([*body.parameters(), *guess.parameters(), bias], rate, steps)
    body.train()
    for _ in range(epochs):
        for batch in _batches(rows, _BATCH_WORDS):
            ids, mask = _padded([rows[row] for row in batch], marks.pad)
            chosen = _some(ids, _MASKED, marks)
            if chosen.any():
                with _half():
                    last = body(input_ids=_masked(ids, chosen, marks), attention_mask=mask).last_hidden_state
                    logits = guess(last[chosen]) @ words.T + bias
                _step(functional.cross_entropy(logits.float(), ids[chosen]), body, optimizer, schedule)
            tick()


def _some(ids: Any, share: float, marks: Marks) -> Any:
    """Draw a share of the tokens, never a special one."""
    return (torch.rand(ids.shape) < share) & ~torch.isin(ids, torch.tensor(marks.special))


def _masked(ids: Any, chosen: Any, marks: Marks) -> Any:
    """Hide eight in ten of the chosen tokens, put another in place of one, leave one."""
    lot = torch.rand(ids.shape)
    hidden = ids.masked_fill(chosen & (lot < 0.8), marks.mask)
    other = chosen & (lot > 0.9)
    hidden[other] = torch.randint(0, marks.size, (int(other.sum()),))
    return hidden


def fine_tune(
    network: Network, rows: Rows, targets: Targets, marks: Marks, *, epochs: int, rate: float, heads: float,
    tick: Tick = int,
) -> None:
    """Teach body and heads together, each at its own rate."""
    _seed()
    truth = [torch.tensor(part) for part in targets[:3]]
    outer = torch.where(truth[0] == UNKNOWN, UNKNOWN, torch.tensor(targets.outer)[truth[0].clamp(min=0)])
    steps = epochs * -(-len(rows) // _BATCH_HEADS)
    own = [part for name, part in network.named_parameters() if not name.startswith("body.")]
    both = [{"params": list(network.body.parameters())}, {"params": own, "lr": heads}]
    optimizer, schedule = _optimizer(both, rate, steps)
    network.train()
    for _ in range(epochs):
        for batch in _batches(rows, _BATCH_HEADS):
            ids, mask = _padded([rows[row] for row in batch], marks.pad)
            ids = ids.masked_fill(_some(ids, _HIDDEN_TOKENS, marks), marks.mask)
            with _half():
                category, kind, verdict, first = network(ids, mask)
            loss = _of_category(category, first, truth[0][batch], outer[batch])
            loss = loss + 0.3 * _where_known(kind, truth[1][batch]) + 0.3 * _where_known(verdict, truth[2][batch])
            _step(loss, network, optimizer, schedule)
            tick()
    network.eval()


def _of_category(category: Any, first: Any, truth: Any, outer: Any) -> Any:
    if bool((truth == UNKNOWN).all()):
        return 0.0  # their mean would be no number
    loss = functional.cross_entropy(category.float(), truth, label_smoothing=_SMOOTHED)
    return loss + 0.5 * functional.cross_entropy(first.float(), outer)


def _where_known(logits: Any, truth: Any) -> Any:
    return functional.cross_entropy(logits.float(), truth, reduction="sum") / max(1, int((truth != UNKNOWN).sum()))


def predict(network: Network, rows: Rows, marks: Marks) -> list[NDArray[np.float64]]:
    """Return the log-probabilities of category, kind and verdict, each (texts, labels)."""
    network.eval()
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    parts = []
    with torch.no_grad():
        for at in range(0, len(order), _BATCH_WORDS):
            found = network(*_padded([rows[row] for row in order[at : at + _BATCH_WORDS]], marks.pad))[:3]
            parts.append([functional.log_softmax(one.float(), 1).numpy().astype(np.float64) for one in found])
    back = np.argsort(order)
    return [np.concatenate(head)[back] for head in zip(*parts, strict=True)]


def _seed() -> None:
    random.seed(SEED)
    torch.manual_seed(SEED)


def _half() -> Any:
    return torch.autocast("cpu", torch.bfloat16, enabled=torch.backends.mkldnn.is_available())


def _optimizer(parameters: Any, rate: float, steps: int) -> tuple[Any, Any]:
    """Return AdamW, and a schedule that rises for a tenth of the steps and then falls to nothing."""
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01, betas=(0.9, 0.98))
    rising = max(1, steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / rising) * max(0.02, 1 - step / max(1, steps))
    )
    return optimizer, schedule


def _step(loss: Any, network: Any, optimizer: Any, schedule: Any) -> None:
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    schedule.step()


def _batches(rows: Rows, size: int) -> Iterator[list[int]]:
    """Yield the numbers of the rows in random order, rows of like length together."""
    numbers = random.sample(range(len(rows)), len(rows))
    pools = [
        sorted(numbers[at : at + 50 * size], key=lambda row: len(rows[row])) for at in range(0, len(numbers), 50 * size)
    ]
    batches = [pool[at : at + size] for pool in pools for at in range(0, len(pool), size)]
    random.shuffle(batches)
    yield from batches


def _padded(rows: Rows, pad: int) -> tuple[Any, Any]:
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask
