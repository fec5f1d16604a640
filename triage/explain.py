"""Which words led to a category: the n-grams of the linear model, each with what it says for it and against its rivals.

For people who must judge a proposal; nothing is decided by it. The encoder's opinion has no words to point at, so that
where it has overruled the linear model the words are those that speak for the category all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hotline.appeal import Evidence
from triage.features import Floats
from triage.linear import LinearModel
from triage.text import Text, normalise

MOST = 4
"""Spans that are shown at most: more would mark everything and tell nothing."""
_SHARE = 0.3
"""A character counts if it says at least this much of what the strongest one says."""
_LEAST = 0.1
"""Words that say less of the whole than this are left out: none of a text that speaks for it a little everywhere."""
_STOPS = frozenset(" \n\t,.;:、。，；：！？!?\"'“”‘’()（）")


Cut = Callable[[str], Sequence[tuple[int, int]]]
"""Cuts a clean text into words: where each begins and ends."""


def explain(
    model: LinearModel, raw: str, label: str, rivals: Sequence[str] = (), *, cut: Cut | None = None
) -> tuple[Evidence, ...]:
    """Return the words of `raw` that speak most for a category, in their order.

    Args:
        label: the category as the model names it (`l1 + l2`); none is found for one that it does not know.
        rivals: categories that it is weighed against; empty: all others.
        cut: what cuts words, so that none is shown in part; without it runs of characters are shown.
    """
    [text] = normalise([raw])
    weights = model.characters(text.clean, label, rivals)
    if weights is None or not text.clean.strip():
        return ()
    marked = [text.clean[at] not in _STOPS for at in range(len(text.clean))]
    weights = np.where(np.array(marked, dtype=bool), weights, 0.0).astype(np.float32)
    spans = _spans(weights if cut is None else _by_word(weights, cut(text.clean)))
    return tuple(_evidence(text, start, end, label) for start, end in spans)


def _evidence(text: Text, start: int, end: int, label: str) -> Evidence:
    begin, finish = text.span(start, end)
    return Evidence(f"category:{label}", text.raw[begin:finish], begin, finish)


def _by_word(weights: Floats, words: Sequence[tuple[int, int]]) -> Floats:
    """Give each character of a word what the word says on the whole; single characters say nothing by themselves."""
    found = np.zeros_like(weights)
    for start, end in words:
        if end - start >= 2:
            found[start:end] = weights[start:end].mean()
    return found


def _spans(weights: Floats) -> list[tuple[int, int]]:
    """Return the runs of two and more characters that say most, the strongest first chosen, then in order."""
    top = float(weights.max(initial=0.0))
    if top <= 0:
        return []
    strong = _accompanied(weights, weights >= top * _SHARE)
    bounds = np.flatnonzero(np.diff(np.concatenate(([False], strong, [False])).astype(np.int8)))
    runs: list[tuple[int, int]] = [(int(a), int(b)) for a, b in bounds.reshape(-1, 2) if b - a >= 2]
    said = {run: float(weights[run[0] : run[1]].sum()) for run in runs}
    least = _LEAST * float(weights[weights > 0].sum())
    telling = sorted((run for run in runs if said[run] >= least), key=lambda run: -said[run])
    return sorted(telling[:MOST])


def _accompanied(weights: Floats, strong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Give a strong character that stands alone, which is no word, the neighbour that says more; stops say nothing."""
    around = np.pad(strong, 1)
    found = strong.copy()
    for at in np.flatnonzero(strong & ~around[:-2] & ~around[2:]).tolist():
        beside = [near for near in (at - 1, at + 1) if 0 <= near < len(weights) and weights[near] != 0]
        if beside:
            found[max(beside, key=lambda near: float(weights[near]))] = True
    return found
