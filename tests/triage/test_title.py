"""Titles: extractive, short, and past the greetings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.title import LONGEST, title_of


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("你好,我想问一下,南城鸿福路的路灯不亮了,已经三天。请处理", "南城鸿福路的路灯不亮了，已经三天，请处理"),
        ("路灯坏了", "路灯坏了"),
        ("喂,那个,水管爆了", "水管爆了"),
        ("12345热线平台:我司位于长安,机器被扣", "我司位于长安，机器被扣"),
        ("急", "急"),
        ("", ""),
        ("。。。", "。。。"),
    ],
)
def test_titles(text: str, title: str) -> None:
    assert title_of(text) == title


def test_one_endless_clause_is_cut() -> None:
    assert title_of("长" * 100) == "长" * LONGEST


@given(st.text(max_size=120))
def test_a_title_is_short_and_uses_only_words_of_the_text(text: str) -> None:
    title = title_of(text)
    assert len(title) <= LONGEST
    assert all(part in text for part in title.split("，") if part)
