"""The emergency rules: what raises, what turns it off, which services, and that spans show why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.terms import Service, Verdict
from triage.match import batch_of
from triage.rules import Assessment, assess_all
from triage.text import normalise

P, F, A, T = Service.POLICE, Service.FIRE, Service.AMBULANCE, Service.TRAFFIC


def assess(text: str) -> Assessment:
    [found] = assess_all(batch_of([text]))
    return found


def judged(text: str) -> tuple[Verdict, tuple[Service, ...]]:
    found = assess(normalise([text])[0].clean)
    return found.verdict, found.services


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("楼下着火了，浓烟往上冲，快来人", {F}),
        ("对面楼有个女的站在天台上要跳楼，快来", {P, A}),
        ("有人拿刀在超市门口砍人", {P}),
        ("我爸突然晕倒，叫不醒，嘴唇发紫", {A}),
        ("路口一辆货车把骑车的撞飞了，人不会动", {A, T}),
        ("闻到很浓的味，煤气泄漏了，整栋楼的人还在里面", {F}),
        ("四岁的孩子在市场走丢了，穿红衣服", {P}),
        ("工人被困在井下，喊不应", {F, A}),
        ("他把门反锁，说不放人，救救我", {P}),
    ],
)
def test_danger_now_is_an_emergency_with_its_services(text: str, services: set[Service]) -> None:
    verdict, found = judged(text)
    assert verdict is Verdict.EMERGENCY
    assert services <= set(found)


@pytest.mark.parametrize(
    "text",
    [
        "去年楼下着火了，后来已经扑灭，想问火灾证明哪里开",
        "消防演习说着火了大家跑得很慢，建议多培训",
        "没有着火，就是想问灭火器去哪里买",
        "他生意好得像着火了一样",
        "万一着火了怎么办，消防通道被堵，请查处",
        "请问被困电梯应该怎么求助",
        "上个月被狗咬伤，医药费谁赔",
        "电影里有人拿刀砍人，孩子看了害怕，建议分级",
        "“要跳楼”是主播的口头禅，请监管",
        "前年他拿刀砍人已经判了刑，现在申请法律援助",
        "食堂的饭难吃死了，排队挤得要命",
        "请问车祸认定书多久能出",
        "今天天气不错，谢谢你们",
        "",
    ],
)
def test_what_is_past_asked_feared_denied_or_figurative_is_not(text: str) -> None:
    assert judged(text) == (Verdict.NON_EMERGENCY, ())


@pytest.mark.parametrize(
    "text",
    [
        "真着火了",
        "不是演习，真的着火了",
        "不是演习着火了快来",
        "没骗你们，真着火了",
        "没有骗你们真的着火了",
        "不是开玩笑，真的有人要跳楼",
        "没跟你们开玩笑，楼下着火了",
        "不是玩笑，楼下着火了",
        "不是吵架，是拿刀砍人",
        "上次投诉消防通道堵没人理，现在好了，真着火了，消防车进不来",
        "培训中心着火了",
        "电影院着火了",
        "新闻路有人跳河",
        "宣传栏旁边有人晕倒了",
        "没人来着火了",
        "怎么没有人接电话有人跳楼了",
        "别的楼着火了",
        "旁边有特别大的火光",
        "无缘无故拿刀砍我",
        "三楼着火了太危险了",
        "有人拿刀在外面我不敢开门",
        "拿刀砸门我好怕",
        "我好怕，有人在砸门",
        "没人管着火了",
        "谢谢你们，我已经把遗书写好放在桌上了",
        "我想咨询一下，小孩误食老鼠药了要怎么处理",
    ],
)
def test_words_that_only_look_like_a_denial_a_drill_or_a_fear_turn_nothing_off(text: str) -> None:
    assert judged(text)[0] is Verdict.EMERGENCY


@pytest.mark.parametrize(
    "text",
    [
        "要是真着火了怎么办",
        "消防通道停成停车场，真着火大家一起升天吗",
        "天台门焊死了，真着火了我们往哪儿跑",
        "下周演练会放烟，免得居民当成真着火",
        "哪天真的烧起来谁负责",
        "楼道堆满纸箱太危险了，着火了怎么办",
        "我怕他拿刀砍我",
        "没有人着火",
        "没有人员被困",
        "不是真的着火",
        "问是不是演习，说着火了",
        "学生写遗书那种作文老师要不要上报",
        "家里有猫怕误食，想先知道投药的日子",
        "大狼狗唔拖绳 冇咬过人 但系个孙好惊",
        "菜价贵到跳楼了 你们管不管",
    ],
)
def test_a_real_denial_a_drill_and_a_fear_still_turn_it_off(text: str) -> None:
    assert judged(text) == (Verdict.NON_EMERGENCY, ())


@pytest.mark.parametrize(
    "text",
    [
        "他发微信说“我要跳楼”，现在人找不到了",
        "桌上留了张纸，写着“下辈子再还”",
        "她发来一句：“不想活了”",
        "“我真的不想活了”，她刚刚发的",
    ],
)
def test_a_note_that_is_quoted_is_meant(text: str) -> None:
    assert judged(text) == (Verdict.EMERGENCY, (P, A))


@pytest.mark.parametrize("text", ["“自杀式降价”横幅满街挂", "“跳楼”清仓，退货难", "广告词写着“我要跳楼”，像在骗人"])
def test_a_word_in_quotation_marks_that_nobody_says_is_not(text: str) -> None:
    assert judged(text) == (Verdict.NON_EMERGENCY, ())


@pytest.mark.parametrize(
    "text",
    [
        "停电到现在还没来，赶紧派人来修",  # 电到 is an electric shock elsewhere
        "我妈后天要动手术，医保卡刷不了，求求你们快点处理",
        "路口红绿灯罢工了，赶紧来修",
        "热水器打不着火，快派师傅来",
        "地砖裂开翘起，快派人修",
        "房东不让出租给外地人",
        "供应商不放人工费",
        "变压器对着我家窗户",
        "走失猫一只，橘色，见到联系我",
        "见到一只走失的柯基，谁家的",
        "抖音上说有人砍人，官方出来说下",
        "追尾了，两车都没人伤，怎么挪",
    ],
)
def test_a_hurried_repair_a_lost_pet_and_a_rumour_are_none(text: str) -> None:
    assert judged(text)[0] is Verdict.NON_EMERGENCY


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("燃气管道漏气，赶紧来修", {F}),
        ("有人打架，赶紧派人来处理", {P}),
        ("老人走失了，带着一条狗，快帮忙找", {P}),
        ("儿子和狗都不见了，快来人", {P}),
        ("变压器着火了，快来修", {P, F}),
        ("追尾了，有人伤了，快来", {P, A, T}),
        ("商场有个小朋友走失了，穿着兔子外套", {P}),
        ("女孩走失，穿熊猫外套", {P}),
        ("我女朋友走失了，带着一只猫", {P}),
        ("男童走失，身穿印有小狗图案的T恤", {P}),
        ("电梯困人了，赶紧派人来修", {F}),
        ("小孩手卡在电梯里，快来拆", {F}),
    ],
)
def test_what_a_repair_or_a_dog_does_not_make_harmless_is(text: str, services: set[Service]) -> None:
    found, named = judged(text)
    assert found is Verdict.EMERGENCY
    assert services <= set(named)


def test_words_that_raise_nothing_are_heard_all_the_same() -> None:
    found = assess("要是着火了怎么办")
    assert (found.hits, [hit.word.text for hit in found.heard]) == ((), ["着火了"])


def test_doubt_makes_it_unclear() -> None:
    assert judged("对面楼好像着火了，不确定")[0] is Verdict.UNCLEAR


def test_hits_are_spans_of_the_text() -> None:
    text = "快来人，楼下着火了"
    hits = assess(text).hits
    assert hits
    for hit in hits:
        assert text[hit.start : hit.end].startswith(hit.word.text)


def test_a_two_part_word_needs_both_in_one_sentence() -> None:
    assert judged("高速上有车逆行，刚才差点撞上")[0] is Verdict.EMERGENCY
    assert judged("走高速回家。孩子玩具车逆行")[0] is Verdict.NON_EMERGENCY


def test_who_asks_for_a_fire_engine_at_a_danger_is_not_doubted() -> None:
    assert assess("仓库起火，快派消防").certain
    assert not assess("仓库起火，快派人").certain
    assert not assess("小区没有消防通道，快派消防检查").certain


@pytest.mark.parametrize(
    "text",
    [
        "昨天我爸摔倒昏迷，打120等了一个小时才派救护车来",
        "老人晕倒了，120不派救护车来，要投诉",
        "工厂着火了，他们不肯派消防车来，我要投诉",
        "小区有人打架，希望派警察来巡逻",
        "楼下有人打架，报警后没有派警察来，投诉派出所",
        "上个月厂里起火，派消防车来花了半小时",
        "楼下打架斗殴，派1200元罚款",
        "有人持刀伤人，报警后不派警察",
    ],
)
def test_a_rescue_service_that_was_not_sent_or_once_came_is_not_called(text: str) -> None:
    assert not assess(text).certain


@given(st.lists(st.text("楼下着火了没有去年快来拿刀砍人,。吗", max_size=25), max_size=5))
def test_a_batch_is_judged_as_each_text_alone(texts: list[str]) -> None:
    assert assess_all(batch_of(texts)) == [assess(text) for text in texts]
