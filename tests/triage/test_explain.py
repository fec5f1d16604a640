"""The words that led to a category, by the shipped model: they stand in the text, and they are the telling ones."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.encoder import load_blend
from triage.explain import MOST, explain
from triage.linear import load_linear

MODEL = load_linear(Path("models"))


@pytest.mark.parametrize(("text", "label", "words"), [
    ("南城体育路的路灯坏了三天,晚上很黑", "03路灯", "路灯"),
    ("老板拖欠我们三个月工资，工地上二十几个人", "01欠薪", "工资"),
    ("  南城  体育路的路\u200b灯坏了", "03路灯", "路\u200b灯"),
])
def test_the_telling_words_are_found(text: str, label: str, words: str) -> None:
    assert words in "|".join(found.text for found in explain(MODEL, text, label))


def test_whole_words_are_shown_where_an_encoder_cuts_them() -> None:
    text = "喂你好我在望牛墩开小卖部有个老人家在我门口坐了一个上午问他家在哪里他说不知道他到底是走丢了"
    blend = load_blend(Path("models"), MODEL)
    assert blend is not None
    words = {text[start:end] for start, end in blend.encoder.words(text)}
    found = explain(MODEL, text, "05治安线索", cut=blend.encoder.words)
    assert found
    assert all(any(word in one.text for word in words if len(word) > 1) for one in found)
    assert {one.text for one in found} != {one.text for one in explain(MODEL, text, "05治安线索")}


def test_rivals_change_what_tells() -> None:
    text = "万江龙湾湿地公园自行车道被汽车当成停车场，跑步的得绕到马路上去"
    rivals = ["06非机动车", "06交通设施", "06拥堵"]
    alone, against = MODEL.characters(text, "06违停"), MODEL.characters(text, "06违停", rivals)
    assert alone is not None
    assert against is not None
    assert abs(alone - against).max() > 0.1 * abs(alone).max()
    for said, found in ((alone, explain(MODEL, text, "06违停")), (against, explain(MODEL, text, "06违停", rivals))):
        best = int(said.argmax())
        assert any(one.start <= best < one.end for one in found), (text[best], found)


def test_what_the_model_does_not_know_has_no_words() -> None:
    assert explain(MODEL, "路灯坏了", "99没有") == ()
    assert explain(MODEL, "", "03路灯") == ()


@given(st.text(max_size=80))
def test_spans_stand_in_the_text_in_order(text: str) -> None:
    found = explain(MODEL, text, "03路灯")
    assert len(found) <= MOST
    assert all(text[one.start : one.end] == one.text and one.text for one in found)
    assert all(one.end <= two.start for one, two in pairwise(found))
