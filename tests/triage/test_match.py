"""The matcher finds exactly what a plain search finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triage.match import Matcher, Together, batch_of

ALPHABET = st.text("东莞城南厚街a😭", max_size=30)
WORDS = st.sets(st.text("东莞城南厚街a😭", min_size=1, max_size=4), min_size=1, max_size=12)


def plainly(words: set[str], text: str) -> list[tuple[int, int, str]]:
    return sorted(
        ((at, at + len(word), word) for word in words for at in range(len(text)) if text.startswith(word, at)),
        key=lambda hit: (hit[0], -hit[1]),
    )


@given(WORDS, st.lists(ALPHABET, max_size=4))
def test_it_agrees_with_a_plain_search(words: set[str], texts: list[str]) -> None:
    found = Matcher({word: word for word in words}).find(batch_of(texts))
    assert found == [plainly(words, text) for text in texts]


@given(WORDS, WORDS, st.lists(ALPHABET, max_size=4))
def test_together_each_finds_what_it_finds_alone(one: set[str], other: set[str], texts: list[str]) -> None:
    matchers = [Matcher({word: word for word in words}) for words in (one, other)]
    batch = Together(matchers).search(texts)
    assert [matcher.find(batch) for matcher in matchers] == [matcher.find(batch_of(texts)) for matcher in matchers]


def test_hits_come_in_order_long_before_short() -> None:
    matcher = Matcher({"东莞": 1, "东莞大道": 2, "大道": 3})
    assert matcher.find(batch_of(["去东莞大道"])) == [[(1, 5, 2), (1, 3, 1), (3, 5, 3)]]


def test_a_word_never_reaches_into_the_next_text() -> None:
    assert Matcher({"东莞": 1}).find(batch_of(["东", "莞"])) == [[], []]


def test_nothing_to_find_and_nowhere_to_look() -> None:
    empty: Matcher[int] = Matcher({})
    assert empty.find(batch_of(["东莞"])) == [[]]
    assert Matcher({"东莞": 1}).find(batch_of([])) == []
