"""The vocabulary of our own encoder: characters and frequent words of the training texts. Training only.

jieba cuts the texts into words; the frequent ones and every character seen twice become the pieces of a unigram
tokenizer, which at run time finds the likeliest cut by itself, so that jieba is not needed there. A text
becomes a quarter shorter than in characters, and the encoder that much faster.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Sequence

import jieba
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LEAST_WORD, LEAST_CHARACTER = 12, 2
_LONGEST_WORD = 4


def own_tokenizer(texts: Sequence[str]) -> Tokenizer:
    """Return a tokenizer made from clean texts; digits are all one, capitals small."""
    jieba.setLogLevel(logging.ERROR)
    folded = [_fold(text) for text in texts]
    characters = Counter(one for text in folded for one in text if not one.isspace())
    words = Counter(word for text in folded for word in jieba.cut(text) if 2 <= len(word) <= _LONGEST_WORD)
    kept = {piece: count for piece, count in characters.items() if count >= LEAST_CHARACTER}
    kept |= {word: count for word, count in words.items() if count >= LEAST_WORD and not any(map(str.isspace, word))}
    return _unigram(kept)


def _fold(text: str) -> str:
    return "".join("0" if one.isdigit() else one for one in text.lower())


def _unigram(counts: dict[str, int]) -> Tokenizer:
    total = sum(counts.values()) or 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    pieces = [(name, -100.0) for name in SPECIAL] + [(piece, math.log(count / total)) for piece, count in ordered]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=SPECIAL.index("[UNK]")))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(Regex(r"\d"), "0")])
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(list(SPECIAL))
    ends = [(name, SPECIAL.index(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return tokenizer
