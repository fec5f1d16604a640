"""Normalising: one character for one, spans that point back, and no text that breaks it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.text import LONGEST, codes_of, legible, normalise


def test_width_script_and_control_characters() -> None:
    text = normalise(["ＡＢＣ１３８，樓頂\t喺\x00\x07邊"])[0]
    assert text.clean == "ABC138,楼顶 喺  边"
    assert text.offsets is None


def test_spaced_out_writing_is_closed_up_and_spans_point_back() -> None:
    text = normalise(["快 来 有 人 跳 楼 了"])[0]
    assert text.clean == "快来有人跳楼了"
    start = text.clean.index("跳楼")
    begin, end = text.span(start, start + 2)
    assert text.raw[begin:end] == "跳 楼"


def test_words_apart_stay_apart() -> None:
    assert normalise(["前面两车撞了 一个摩托车的飞出去"])[0].clean == "前面两车撞了 一个摩托车的飞出去"


def test_invisible_characters_go() -> None:
    text = normalise(["跳\u200b楼\ufe0f了"])[0]
    assert text.clean == "跳楼了"
    assert text.span(1, 2) == (2, 3)


def test_texts_of_a_batch_do_not_mix() -> None:
    assert [one.clean for one in normalise(["甲", "", "乙\0丙"])] == ["甲", "", "乙 丙"]


@pytest.mark.parametrize(
    ("text", "can"),
    [
        ("路灯坏了", True), ("WIFI断了，KTV太吵，4S店不退款", True), ("SOS", True), ("help me", True), ("", True),
        ("138 0013 8000", True),
        ("我的taxi司机不给发票 he is bad", True), ("there is a fire in my building", False),
        ("I live in 寮步镇, there is a fire", False), ("Помогите, пожар в доме", False),
        ("Dear sir, the light is broken. " * 200, False), ("路灯坏了没人修。" * 400, True),
    ],
)
def test_the_models_read_chinese_only(text: str, can: bool) -> None:
    assert legible(text) is can


def test_endless_texts_are_cut() -> None:
    assert len(normalise(["长" * (LONGEST + 5)])[0].clean) == LONGEST


@given(st.lists(st.text(), max_size=5))
def test_any_text_is_normalised_with_spans_inside_it(texts: list[str]) -> None:
    for raw, text in zip(texts, normalise(texts), strict=True):
        assert text.raw == raw
        for place in range(len(text.clean)):
            begin, end = text.span(place, place + 1)
            assert 0 <= begin < end <= len(raw)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=6))
def test_codes_give_every_text_back(texts: list[str]) -> None:
    codes, starts = codes_of(texts)
    bounds = starts.tolist()
    back = [
        "".join(map(chr, codes[start : end - 1].tolist())) for start, end in itertools.pairwise(bounds)
    ]
    assert back == texts
