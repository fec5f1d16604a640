"""The matcher finds exactly what a plain search finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triage.match import Matcher, batch_of

ALPHABET = st.text("东莞城南厚街a😭", max_size=30)
WORDS = st.sets(st.text("东莞城南厚街a😭", min_size=1, max_size=4), min_size=1, max_size=12)


def plainly(words: set[str], text: str) -> set[tuple[int, int, str]]:
    return {
        (start, start + len(word), word)
        for word in words
        for start in range(len(text))
        if text.startswith(word, start) and ord(text[start]) < 0x10000
    }


@given(WORDS, st.lists(ALPHABET, max_size=4))
def test_it_agrees_with_a_plain_search(words: set[str], texts: list[str]) -> None:
    words = {word for word in words if len(word) > 1 or ord(word) < 0x10000}
    found = Matcher({word: word for word in words}).find(batch_of(texts))
    assert len(found) == len(texts)
    for text, hits in zip(texts, found, strict=True):
        wide = {(start, start + len(w), w) for w in words for start in range(len(text)) if text.startswith(w, start)}
        assert plainly(words, text) <= set(hits) <= wide


def test_hits_come_in_order_long_before_short() -> None:
    matcher = Matcher({"东莞": 1, "东莞大道": 2, "大道": 3})
    assert matcher.find(batch_of(["去东莞大道"])) == [[(1, 5, 2), (1, 3, 1), (3, 5, 3)]]


def test_a_word_never_reaches_into_the_next_text() -> None:
    assert Matcher({"东莞": 1}).find(batch_of(["东", "莞"])) == [[], []]


def test_nothing_to_find_and_nowhere_to_look() -> None:
    empty: Matcher[int] = Matcher({})
    assert empty.find(batch_of(["东莞"])) == [[]]
    assert Matcher({"东莞": 1}).find(batch_of([])) == []
