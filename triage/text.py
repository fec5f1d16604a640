"""Normalising text, one character for one, so that spans found in the clean text point into the original.

Full-width forms become half-width, traditional characters simplified, control characters spaces. The only characters
removed are invisible ones and the spaces of spaced-out writing (跳 楼 了); `Text.span` maps back over them. A whole
batch is looked up in one table with numpy: about a microsecond a text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST = 20_000
"""Characters of a text that are looked at; what lies beyond changes no verdict and costs time."""

Codes = NDArray[np.uint32]
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufe0f\ufeff"
_REMOVED = re.compile(rf"[{_INVISIBLE}]")
_SPACED_OUT = re.compile(r"(?<![\u4e00-\u9fff])(?:[\u4e00-\u9fff][ \t]{1,3}){2,}[\u4e00-\u9fff](?![\u4e00-\u9fff])")
_SENTENCE = re.compile(r"[^。!?！？;；\n]+[。!?！？;；\n]*")
_PLANE = 0x10000
_HAN = re.compile("[\u4e00-\u9fff]+")
_LETTER = re.compile(r"[^\W\d_\u4e00-\u9fff]")
_ENGLISH = re.compile(
    r"(?<![A-Za-z0-9])(?!(?i:app|wifi|ktv|vivo|oppo|logo|excel|ipad|iphone)(?![A-Za-z]))[A-Za-z]*[a-z]{2}[A-Za-z]*(?:['’][a-z]+)?"
)
_SAMPLE = 64
_FEW_LETTERS, _LETTERS_A_WORD = 8, 4


class Text(NamedTuple):
    """A text and its clean form. `offsets[i]` is where clean character `i` stands in `raw`; None when at `i`."""

    raw: str
    clean: str
    offsets: tuple[int, ...] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in `raw` of clean characters `start` to `end` (not empty)."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[end - 1] + 1


@cache
def _table() -> Codes:
    table = np.arange(_PLANE, dtype=np.uint32)
    table[0xFF01:0xFF5F] = np.arange(0x21, 0x7F)
    table[0x3000] = 0x20
    table[0xD800:0xE000] = 0x20
    table[:0x20] = 0x20
    table[0x7F:0xA1] = 0x20
    table[ord("\n")] = ord("\n")
    data = resources.files("triage").joinpath("data/simplified.txt").read_text("utf-8").split()
    for traditional, simplified in zip(data[0], data[1], strict=True):
        table[ord(traditional)] = ord(simplified)
    return table


def sentences(clean: str) -> list[tuple[int, int]]:
    """Return where each sentence of a clean text begins and ends, its stops included."""
    bounds = (found.span() for found in _SENTENCE.finditer(clean))
    return [(start, end) for start, end in bounds if clean[start:end].strip()]


def legible(clean: str) -> bool:
    """Tell whether the models can read a text: they know Chinese; what they say of other languages means nothing."""
    sample = clean[:: max(1, len(clean) // _SAMPLE)]
    han = sum(map(len, _HAN.findall(sample)))
    if 2 * han >= len(sample):
        return True
    letters = len(_LETTER.findall(sample))
    return letters < _FEW_LETTERS or _LETTERS_A_WORD * han >= letters


def without_english(clean: str) -> str:
    """Return a text as the models may read it: hardly anybody used an English word in training who was in no danger,
    so that coffee and a landlord alarmed."""
    return _ENGLISH.sub("", clean)


def codes_of(texts: Sequence[str]) -> tuple[Codes, NDArray[np.int64]]:
    """Return the code points of all texts on end, each followed by one 0, and where each text starts.

    Shapes: (characters + texts,) and (texts + 1,); text `i` is `codes[starts[i] : starts[i + 1] - 1]`.
    """
    lengths = np.fromiter((len(text) + 1 for text in texts), dtype=np.int64, count=len(texts))
    starts = np.concatenate(([0], np.cumsum(lengths)))
    joined = "\0".join(texts) + "\0" if texts else ""
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).copy()
    return codes, starts


def normalise(texts: Sequence[str]) -> list[Text]:
    """Return the texts with their clean forms. Never raises, whatever the characters."""
    cut = [text[:LONGEST] for text in texts]
    codes, starts = codes_of(cut)
    low = codes < _PLANE
    codes = np.where(low, _table()[np.where(low, codes, 0)], codes)
    clean = codes.tobytes().decode("utf-32-le")
    bounds = starts.tolist()
    return [
        _squeezed(raw, clean[start : end - 1])
        for raw, start, end in zip(texts, bounds[:-1], bounds[1:], strict=True)
    ]


def _squeezed(raw: str, clean: str) -> Text:
    gone = {m.start() for m in _REMOVED.finditer(clean)} if not clean.isascii() else set()
    if " " in clean:
        for match in _SPACED_OUT.finditer(clean):
            gone.update(i for i in range(match.start(), match.end()) if clean[i] in " \t")
    if not gone:
        return Text(raw, clean)
    kept = tuple(i for i in range(len(clean)) if i not in gone)
    return Text(raw, "".join(clean[i] for i in kept), kept)
