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
        ("please help me with my residence permit", "please help me with my"),
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


COURTESY = (
    "尊敬的市长您好!首先祝您身体健康,工作顺利。感谢您在百忙之中抽空阅读我的来信。我叫王小明,今年四十五岁,来东莞已经二十年了,我是一名普通的外来"
    "务工人员,我热爱东莞,把这里当成自己的第二故乡。作为一个普通市民,我发自内心地感谢党和政府,感谢各位领导的辛勤付出。今天冒昧给您写信,占用您"
    "宝贵的时间,心里十分不安,还请您多多谅解。我知道您每天工作非常繁忙,要处理的大事很多,我也是犹豫了很久才下定决心写这封信的,因为我相信政府、"
    "信任政府,也相信您一定会为我们老百姓做主,再次向您表示崇高的敬意。"
)
SPEECH = (
    "喂你好那个我想反映一下就是我们小区楼下那个烧烤店每天晚上都搞到凌晨两三点油烟全部往我们楼上飘然后我们打了好几次电话给城管城管来了"
    "他就收起来走了又摆出来因为我家里有小孩还有老人根本睡不着觉现在就是希望你们能派人来看一下到底有没有人管这个事情"
)


def test_a_matter_that_comes_after_nothing_but_courtesy_is_found() -> None:
    assert len(COURTESY) > 240
    assert title_of(COURTESY + "寮步镇凫山村旁边的鱼塘被人填了建厂房。") == "寮步镇凫山村旁边的鱼塘被人填了建厂房"
    assert "路灯" in title_of("南城鸿福路的路灯不亮。" + COURTESY + "另外鱼塘被人填了。")
    assert "路灯" not in title_of(COURTESY * 20 + "路灯不亮"), "what is looked at is bounded"


def test_speech_without_stops_is_cut_where_one_breathes() -> None:
    assert title_of(SPEECH).startswith("烧烤店每天晚上都搞到凌晨两三点")
    sentences = key_sentences(SPEECH)
    assert len(sentences) == 2
    assert all(one in SPEECH and 12 <= len(one) <= 50 for one in sentences)
    assert sentences[0].endswith("油烟全部")
    assert sentences[1].startswith("还有老人根本睡不着觉")


def test_a_sentence_of_many_commas_is_shown_in_part() -> None:
    [first, second] = key_sentences("我们小区的电梯坏了," * 5 + "业主打了物业电话也没人理," * 9 + "请处理。")
    assert max(len(first), len(second)) <= 60
    plain = "地下车库从上周开始渗污水,味道难闻,物业说是市政管网倒灌。"
    assert key_sentences(plain) == (plain,)


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
