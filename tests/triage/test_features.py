"""The vectoriser against a plain, slow one."""

from __future__ import annotations

from collections import Counter
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.features import Vocabulary, key_of, ngrams
from triage.text import codes_of

TEXTS = st.lists(st.text("噪声工地ab12,。 😭", max_size=20), min_size=1, max_size=5)


def plain_ngrams(text: str) -> list[str]:
    folded = "".join("0" if c in "12" else "," if c in ",。 " else c for c in text) + "$"
    short = [folded[i : i + n] for n in (1, 2, 3) for i in range(len(folded) - n + 1) if folded[i : i + n][0] != "$"]
    long = [folded[i : i + 4] for i in range(len(folded) - 3) if "$" not in folded[i : i + 4]]
    return [gram for gram in short if gram != "$"] + long


@given(TEXTS)
def test_as_many_distinct_ngrams_as_a_plain_count(texts: list[str]) -> None:
    keys, owners = ngrams(*codes_of(texts))
    for row, text in enumerate(texts):
        own = Counter(keys[owners == row].tolist())
        assert sorted(own.values()) == sorted(Counter(plain_ngrams(text)).values())


@pytest.mark.parametrize("word", ["噪", "噪声", "噪声扰", "噪声扰民"])
def test_a_word_has_the_key_that_it_has_inside_a_text(word: str) -> None:
    keys, _ = ngrams(*codes_of([f"工地{word}很大"]))
    assert key_of(word) in keys.tolist()


@given(TEXTS)
def test_rows_are_sublinear_tfidf_of_length_one(texts: list[str]) -> None:
    codes, starts = codes_of(texts)
    vocabulary = Vocabulary(np.unique(ngrams(codes, starts)[0]))
    idf = np.linspace(1, 2, max(1, len(vocabulary))).astype(np.float32)
    bag = vocabulary.bag(codes, starts, idf)
    keys, owners = ngrams(codes, starts)
    for row, text in enumerate(texts):
        values = bag.values[bag.starts[row] : bag.starts[row + 1]]
        columns = bag.columns[bag.starts[row] : bag.starts[row + 1]]
        counts = Counter(vocabulary.find(keys[owners == row]).tolist())
        raw = [(1 + log(counts[int(c)])) * float(idf[int(c)]) for c in columns]
        length = sqrt(sum(value * value for value in raw))
        assert len(values) == len(set(plain_ngrams(text)))
        np.testing.assert_allclose(values, [value / length for value in raw], rtol=1e-4)


def test_unknown_ngrams_are_never_taken_for_known_ones() -> None:
    known = Vocabulary(np.array([key_of("噪声"), key_of("工地")], dtype=np.uint64))
    strangers = ngrams(*codes_of(["这里面没有那两个词, 写得再长也没有" * 50]))[0]
    assert set(known.find(strangers).tolist()) == {-1}
    assert known.find(np.array([key_of("工地")], dtype=np.uint64)).tolist() == [1]


def test_of_two_keys_in_one_slot_the_first_is_kept() -> None:
    rng = np.random.default_rng(7)
    keys = np.unique(rng.integers(1, 2**62, 100_000, dtype=np.uint64))
    vocabulary = Vocabulary(keys)
    reached = vocabulary.reachable()
    assert 0.9 < reached.mean() < 1
    assert (vocabulary.find(keys[reached]) == np.flatnonzero(reached)).all()
    assert (vocabulary.find(keys[~reached]) == -1).all()


def test_an_empty_batch_has_no_rows() -> None:
    vocabulary = Vocabulary(np.array([key_of("工")], dtype=np.uint64))
    bag = vocabulary.bag(*codes_of([]), np.ones(1, dtype=np.float32))
    assert (len(bag.columns), bag.starts.tolist()) == (0, [0])
