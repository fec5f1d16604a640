"""Titles: extractive, short, and past the greetings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.match import batch_of
from triage.title import LONGEST, key_sentences, titles_in


def title_of(text: str) -> str:
    [title] = titles_in(batch_of([text]))
    return title


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


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("尊敬的领导:您好!我是一名普通业主,想说说心里话,阳光里小区地下车库渗污水好几天了,没人管", "地下车库渗污水"),
        ("说起来好笑,我当初买房的时候没多想,没想到楼下KTV天天唱到两点", "楼下KTV"),
        ("物业费前期都是1.98元/平,到我们七期就涨到2.4元/平", "物业费"),
        ("谢谢您百忙之中看到这份留言,首先非常感谢,东方航标2栋有传销窝点", "传销窝点"),
    ],
)
def test_a_title_tells_the_matter_and_not_the_greeting(text: str, part: str) -> None:
    assert part in title_of(text)


def test_key_sentences_say_what_it_is_about_in_their_order() -> None:
    text = "您好。我是御湖国际小区的业主。地下车库从上周开始渗污水,味道难闻。物业说是市政管网倒灌。谢谢!"
    assert key_sentences(text) == ("地下车库从上周开始渗污水,味道难闻。", "物业说是市政管网倒灌。")
    assert key_sentences("路灯坏了。") == ("路灯坏了。",)
    assert key_sentences("") == ()


@given(st.text("你好,。!小区路灯停水\n?", max_size=200), st.integers(1, 4))
def test_key_sentences_are_of_the_text_and_few(text: str, most: int) -> None:
    found = key_sentences(text, most)
    assert len(found) <= most
    assert all(one in text for one in found)
