"""The shipped model end to end: clear cases, odd input, batches, and what it promises."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.city import City, load_city
from hotline.errors import InvalidInput
from hotline.terms import Kind, Priority, Service, Verdict
from routing.directory import Rule
from triage.gazetteer import load_gazetteer
from triage.linear import Scores, load_linear
from triage.pipeline import Pipeline
from triage.title import LONGEST


@cache
def city() -> City:
    return load_city(Path("cities/441900"))


@cache
def pipeline() -> Pipeline:
    return Pipeline.load(city(), Path("models"))


@pytest.mark.parametrize(
    ("text", "l1", "l2"),
    [
        ("工地夜间施工打桩，吵得全楼睡不着，环保有没有批夜间施工许可", "04", "施工噪声"),
        ("老板拖欠三个月工资不发，劳动部门能帮我们讨薪吗", "01", "欠薪"),
        ("小区路灯坏了一个多月，晚上黑漆漆", "03", "路灯"),
        ("自来水停水两天了，什么时候恢复供水", "09", "供水"),
        ("邻居养大型犬不牵绳，咬人了还没有狗证", "05", "养犬"),
        ("医保异地就医报销比例是多少，怎么备案", "11", "医保报销"),
        ("孩子上小学学位不够，招生地段怎么划分，怎么报名入学", "10", "入学"),
    ],
)
def test_plain_matters_get_their_category(text: str, l1: str, l2: str) -> None:
    found = pipeline()([text])[0]
    assert found.category is not None
    assert (found.category.l1, found.category.l2) == (l1, l2)


def test_the_example_of_the_issue() -> None:
    found = pipeline()(["南城鸿福路工地晚上十一点还在打桩施工，噪音太大，睡不着，请管一管"])[0]
    assert found.category is not None
    assert (found.category.l2, found.towns, found.verdict) == ("施工噪声", ("南城",), Verdict.NON_EMERGENCY)
    assert (found.department, found.assisting, found.priority) == ("生态环境局", (), Priority.P3)
    assert "晚上十一点" in [one.text for one in found.entities if one.type == "time"]
    assert (found.needs_person, found.services, found.evidence) == (False, (), ())


def test_an_emergency_carries_services_evidence_and_priority() -> None:
    text = "快来人！楼下着火了，浓烟往上冲，还有老人困在里面"
    found = pipeline()([text])[0]
    assert (found.verdict, found.priority) == (Verdict.EMERGENCY, Priority.P0)
    assert Service.FIRE in found.services
    assert found.evidence
    assert all(text[one.start : one.end] == one.text for one in found.evidence)


def test_danger_in_a_sentence_of_a_long_story_is_raised_with_that_passage_and_its_services() -> None:
    """Thresholds are set for the test: that the whole says nothing, and what the passage says counts."""
    model = load_linear(Path("models"))
    limits = msgspec.structs.replace(
        model.card.thresholds, emergency=1.5, unclear=1.5, passage=0.5, passage_unclear=0.4)
    model.card = msgspec.structs.replace(model.card, thresholds=limits)
    judge = Pipeline(city(), load_gazetteer(city().places), model)
    fees = "物业费从一块六涨到两块二，没有公示也没有开会。我去前台问了三次，经理都说不在，电话没人接，业主意见很大。"
    danger = "刚才去敲邻居大爷的门，他在里面轻轻敲地板，说不出话，一直在喘。"
    text = f"{fees}{danger}请督促物业把多收的钱退回来，并公开账目。"
    told, calm = judge([text, f"{fees}请督促物业把多收的钱退回来，并公开账目，以后涨价先开业主大会。"])
    assert (told.verdict, told.priority) == (Verdict.EMERGENCY, Priority.P0)
    assert Service.AMBULANCE in told.services
    assert all(text[one.start : one.end] == one.text for one in told.evidence)
    assert any("敲地板" in one.text for one in told.evidence)
    assert (calm.verdict, calm.evidence) == (Verdict.NON_EMERGENCY, ())


LETTER = (
    "您好，我是去年搬来的业主，先谢谢你们上次帮忙协调电梯的事。",
    "物业费从一块六涨到两块二，没有公示也没有开会。",
    "我去前台问了三次，经理都说不在，电话也没人接，业主意见很大。", "前年换的监控有一半是黑的，问起来就说在走流程。",
    "小区的健身器材锈了，滑梯下面的软垫少了两块，孩子们都不去玩了。",
    "另外想咨询一下，业委会换届要到哪个部门备案，需要多少人签名。",
    "停车位也越来越紧张，访客的车停一整天都没人管。", "绿化带里的草长到膝盖高，去年还有人定期修剪。",
)
DANGERS = (
    "三楼着火了，浓烟往上冲，里面还有人，快来！",
    "我爸刚才胸口痛得厉害倒在地上叫不应了。", "楼下那个男的正拿刀追着他老婆砍。",
)


@pytest.mark.parametrize("times", [1, 4, 16])
@pytest.mark.parametrize("place", [0, 0.5, 1])
@pytest.mark.parametrize("danger", DANGERS)
def test_a_plain_danger_is_raised_wherever_it_stands_in_a_letter_however_long(
    danger: str, place: float, times: int
) -> None:
    parts = list(LETTER) * times
    parts.insert(int(place * len(parts)), danger)
    told, calm = pipeline()(["".join(parts), "".join(LETTER * times)])
    assert (told.verdict, calm.verdict) == (Verdict.EMERGENCY, Verdict.NON_EMERGENCY)


class Torn:
    """Scores every text as one of two categories that one unit leads."""

    def __init__(self) -> None:
        self._model = load_linear(Path("models"))
        limits = msgspec.structs.replace(self._model.card.thresholds, dispatch=0.9, tie=0.1)
        self.card = msgspec.structs.replace(self._model.card, thresholds=limits)

    def __call__(self, texts: Sequence[str]) -> Scores:
        labels, found = self.card.heads[0].labels, self._model(texts)
        category = np.zeros_like(found.category)
        category[:, labels.index("03路灯")], category[:, labels.index("03井盖")] = 0.5, 0.46
        return found._replace(category=category)


def test_departments_are_weighed_by_the_version_of_the_directory_in_force() -> None:
    judge = Pipeline(city(), load_gazetteer(city().places), Torn())  # type: ignore[arg-type]
    files = city().directory
    parted = msgspec.structs.replace(
        files, version="new", rules={**files.rules, ("03", "井盖"): (Rule(l1="03", l2="井盖", lead="水务局"),)})
    assert [one.needs_person for one in judge(["路灯不亮, 花坛也要修"])] == [False]
    judge.follow(lambda: parted)
    assert [one.needs_person for one in judge(["路灯不亮, 花坛也要修"])] == [True], "no unit is likely enough"
    judge.follow(lambda: files)
    assert [one.needs_person for one in judge(["路灯不亮, 花坛也要修"])] == [False]


@pytest.mark.parametrize("before", ["我在{}，", "请问{}这边，", "{}市", "{}"])
@pytest.mark.parametrize(
    "text", ["那边大货车乱停在人行道上", "小区路灯坏了一个多月，晚上黑漆漆", "自来水停水两天了，什么时候恢复供水"]
)
def test_the_citys_own_name_tells_nothing_of_the_matter(before: str, text: str) -> None:
    plain, named = (one.category for one in pipeline()([before.format("") + text, before.format("东莞") + text]))
    assert plain is not None
    assert named is not None
    assert (named.l1, named.l2) == (plain.l1, plain.l2)


ODD = [
    "", " ", "？", "\n\n", "啊" * 100_000, "😭" * 50, "\x00\x01\x02", "\ud83d", "a" * 3000, "13800138000", "ㅋㅋ",
]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_input_never_raises(text: str) -> None:
    found = pipeline()([text])[0]
    assert found.model == pipeline().version
    assert len(found.title) <= LONGEST
    if len(text.strip()) < 2:
        assert (found.category, found.needs_person) == (None, True)


@settings(max_examples=60)
@given(st.text(max_size=200))
def test_any_text_is_triaged_within_the_promises(text: str) -> None:
    found = pipeline()([text])[0]
    units = city().directory.units
    assert found.kind in Kind
    assert found.needs_person == (found.department == "")
    assert set(found.towns) <= set(units)
    assert bool(found.services) == (found.verdict is not Verdict.NON_EMERGENCY)
    assert bool(found.evidence) <= (found.verdict is not Verdict.NON_EMERGENCY)
    for one in (*found.entities, *found.evidence):
        assert text[one.start : one.end] == one.text
    if found.category is not None:
        confidences = [found.category.confidence, *(one.confidence for one in found.alternatives)]
        assert confidences == sorted(confidences, reverse=True)
        assert 0 <= min(confidences) <= max(confidences) <= 1


def test_a_batch_is_the_same_as_one_by_one() -> None:
    texts = ["路灯坏了", "", "有人拿刀砍人，快来", "医保怎么报销", "x" * 300] * 60
    together = pipeline()(texts)
    assert len(together) == len(texts)
    for text, found in zip(texts[:5], together[-5:], strict=True):
        alone = pipeline()([text])[0]
        assert (alone.verdict, alone.towns, alone.kind) == (found.verdict, found.towns, found.kind)
        assert (alone.category and alone.category.l2) == (found.category and found.category.l2)


def test_no_texts_give_nothing() -> None:
    assert pipeline()([]) == []


def test_a_missing_or_torn_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="train"):
        Pipeline.load(city(), tmp_path)
    for name in ("linear.json", "linear.safetensors"):
        (tmp_path / name).write_bytes(Path("models", name).read_bytes()[:1000])
    with pytest.raises(InvalidInput):
        Pipeline.load(city(), tmp_path)
