"""Passages of long texts: every character is in one, none is too long, and the most alarming one is found."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.terms import Kind, Verdict
from triage.card import NEVER, OF_PASSAGES, Thresholds
from triage.corpus import Example
from triage.judge import raised
from triage.lexicon import dangers
from triage.match import batch_of
from triage.passages import ENDS, LONG, Reading, alarms, glimpsed, read
from triage.rules import CALM, assess_all
from triage.thresholds import ENOUGH, PASSAGES, alarm_thresholds, passage_thresholds

STORY = "物业费涨了两次，保安从十二个减到四个，我们业委会发了函也不换。前阵子有人家的电瓶丢了，物业说概不负责。"
DANGER = "现在楼道里全是烟，有人在喊救命！"
LIMITS = Thresholds(dispatch=0.8, tie=0.1, emergency=0.3, unclear=0.4, doubt=0.05, passage=0.9, passage_unclear=0.6)


WORDS = {chr(number) for number in range(0x4E00, 0x9000)}
STOPS = ["。", "！", "\n", "，", ",", " ", "？？"]


@given(st.lists(st.tuples(st.integers(0, 130), st.sampled_from(STOPS)), max_size=12))
def test_every_word_is_in_a_passage_and_none_is_too_long(sentences: list[tuple[int, str]]) -> None:
    words = iter(range(0x4E00, 0x9000))  # each character once
    text = "".join("".join(chr(next(words)) for _ in range(length)) + stop for length, stop in sentences)
    passages, _, spans = read([text], [0], [[]])
    assert passages == [text[start:end] for start, end in spans]
    assert all(len(passage) <= 90 + 2 for passage in passages)
    assert {one for one in "".join(passages) if one in WORDS} == {one for one in text if one in WORDS}


def test_of_a_text_of_very_many_sentences_the_ends_are_read() -> None:
    text = "".join(f"第{number}句。" for number in range(2000))
    passages, _, spans = read([text], [0], [[]])
    assert len(passages) == 2 * ENDS
    assert passages[0].startswith("第0句")
    assert passages[-1] == "第1999句。"
    assert [text[start:end] for start, end in spans] == passages


def test_recognised_speech_without_stops_is_cut() -> None:
    reading = read(["我想反映一下" * 60], [0], [[]])
    assert len(reading.passages) >= 4
    assert max(map(len, reading.passages)) <= 90


def test_a_short_sentence_comes_with_those_after_it() -> None:
    passages = read([f"{DANGER}你们快来。{STORY}"], [0], [[]]).passages
    assert passages[0].startswith(f"{DANGER}你们快来。")
    assert passages[1].startswith("你们快来。")


def test_only_long_texts_with_a_glimpse_of_danger_are_read() -> None:
    calm, some = [0.0005, 0.0005, 0.999], [0.003, 0.0, 0.997]
    texts = [DANGER, STORY * 2, STORY * 2]
    assert len(DANGER) <= LONG < len(STORY * 2)
    assert glimpsed(texts, np.array([some, calm, some]), [[], [], []]) == [2]


def test_a_strong_word_is_a_glimpse_whatever_the_model_sees() -> None:
    texts = [STORY * 2, STORY + DANGER + STORY, DANGER]
    hits = dangers().find(batch_of(texts))
    assert any(hit.word.strong for hit in hits[1])
    assert glimpsed(texts, np.array([[0.0, 0.0, 1.0]] * 3), hits) == [1]


def test_the_sentence_of_a_strong_word_is_read_by_itself_wherever_it_stands() -> None:
    many = "".join(f"第{number}句话。" for number in range(200))
    text = many + DANGER + many
    hits = dangers().find(batch_of([text]))
    passages, _, spans = read([text], [0], hits)
    assert any(passage.startswith("现在楼道里全是烟，") and "救命" in passage for passage in passages)
    assert len(passages) <= 3 * ENDS + ENDS
    assert [text[start:end] for start, end in spans] == passages


def test_what_the_rules_raise_in_a_passage_is_asked_about_where_the_model_does_not_think_otherwise() -> None:
    text = STORY + DANGER + STORY
    reading = read([text], [0], dangers().find(batch_of([text])))
    told = [place for place, passage in enumerate(reading.passages) if passage == DANGER]
    chances = np.full(len(reading.passages), 0.01)
    assert alarms(reading, chances)[0].said == CALM
    chances[told] = 0.5
    said = alarms(reading, chances)[0].said
    assert (said.verdict, said.certain) == (Verdict.UNCLEAR, False)
    assert all(text[hit.start : hit.end] == hit.word.text for hit in said.hits)


def test_the_most_alarming_passage_of_each_text_counts_by_its_own_words() -> None:
    texts = [STORY, DANGER]
    reading = Reading([STORY, DANGER, DANGER, STORY], [4, 4, 7, 7], [(0, 1)] * 4)
    found = alarms(reading, np.array([0.1, 0.5, 0.2, 0.3]))
    lean = assess_all(batch_of(texts), [0, 1])[1].lean
    assert lean > 0
    assert found[4].place == 1
    assert found[4].chance > 0.5  # its words lean to an emergency
    assert found[7].place == 3


def test_nothing_to_read_says_nothing() -> None:
    assert read([STORY], [], [[]]) == Reading([], [], [])
    assert alarms(Reading([], [], []), np.zeros(0)) == {}


@pytest.mark.parametrize(("passage", "verdict"), [
    (0.0, Verdict.NON_EMERGENCY), (0.59, Verdict.NON_EMERGENCY), (0.6, Verdict.UNCLEAR), (0.9, Verdict.EMERGENCY),
])
def test_a_passage_raises_what_the_whole_does_not(passage: float, verdict: Verdict) -> None:
    assert raised(CALM, (0.01, 0.0, 0.99), LIMITS, passage=passage)[0] is verdict


def test_a_model_older_than_passages_never_asks_them() -> None:
    old = msgspec.json.decode(
        b'{"dispatch": 0.9, "tie": 0.1, "emergency": 0.3, "unclear": 0.4, "doubt": 0.03}', type=Thresholds)
    assert raised(CALM, (0.01, 0.0, 0.99), old, passage=1.0)[0] is Verdict.NON_EMERGENCY


# ── thresholds ───────────────────────────────────────────────────────────────────────────────────
def ordinary(count: int) -> list[Example]:
    return [
        Example(text=f"{number}{STORY * 2}", l1="07", l2="物业服务", kind=Kind.COMPLAINT, verdict=Verdict.NON_EMERGENCY)
        for number in range(count)
    ]


def test_the_stated_shares_of_ordinary_letters_are_raised() -> None:
    alarming = np.random.default_rng(5).permutation(np.linspace(0.0, 0.93, 5000))
    limits = passage_thresholds(ordinary(5000), alarming)
    for limit, share in zip(limits, OF_PASSAGES, strict=True):
        assert np.mean(alarming >= limit) == pytest.approx(share, abs=0.0005)


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_no_threshold_of_passages_leaves_its_bounds(chance: float) -> None:
    for limit in passage_thresholds(ordinary(ENOUGH), np.full(ENOUGH, chance)):
        assert PASSAGES[0] <= limit <= PASSAGES[1]


def test_from_few_letters_no_threshold_is_chosen() -> None:
    assert passage_thresholds(ordinary(ENOUGH - 1), np.zeros(ENOUGH - 1)) == (NEVER, NEVER)


def test_what_passages_raise_asks_nothing_of_the_whole() -> None:
    one = Example(text="门牌", l1="14", l2="其他", kind=Kind.ASSISTANCE, verdict=Verdict.EMERGENCY)
    grave = [msgspec.structs.replace(one, text=f"门牌{n}") for n in range(100)]
    table = np.tile([0.06, 0.0, 0.94], (100, 1))
    helped = np.full(100, 0.15)
    alone = alarm_thresholds(grave, table, helped, np.zeros(100), (0.9, 0.6))
    together = alarm_thresholds(grave, table, helped, np.full(100, 0.95), (0.9, 0.6))
    assert together[0] > alone[0]
