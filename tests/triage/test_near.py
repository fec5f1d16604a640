"""Names of towns and parks with one wrong, missing or added character, and what only looks like one."""

from __future__ import annotations

import pytest

from tests.triage.test_place import towns
from triage.near import NearNames


@pytest.mark.parametrize(
    ("text", "town"),
    [
        ("洪海镇路灯不亮", "洪梅"), ("投诉洪海镇停水", "洪梅"), ("我在东莞洪海镇", "洪梅"), ("洪海梅镇停水", "洪梅"),
        ("望墩镇垃圾没人收", "望牛墩"), ("望朱墩镇停电", "望牛墩"), ("料步镇有人占道", "寮步"),
        ("缪步镇广场舞吵", "寮步"),
        ("东莞市莞成街道停水", "莞城"), ("南诚街道办没人接电话", "南城"), ("松山胡高新区公交太少", "松山湖高新区"),
        ("东莞市松山胡园区停水", "松山湖高新区"), ("滨海弯新区修路", "滨海湾新区"), ("滨海弯大道坑洼", "滨海湾新区"),
        ("我住在料步镇，在洪海镇被偷", "洪梅"),
    ],
)
def test_one_wrong_missing_or_added_character(text: str, town: str) -> None:
    assert towns(text) == (town,)


@pytest.mark.parametrize(
    "text",
    [
        "沙溪镇", "中山市南头镇", "黄圃镇停水", "大良街道", "横岗街道", "园洲镇", "南沙新区", "大鹏新区", "光明新区",
        "小城镇建设", "各乡镇都一样", "中心镇规划", "新型城镇化", "高教园区", "企业园区", "产业园区", "清扫街道",
        "南面街道", "谢谢镇上的干部", "麻烦镇调解中心", "常去镇上", "一万五镇上出", "步道归镇里管", "F9市洪海镇",
        "M县望墩镇", "镇江", "洪海的朋友", "木头镇",
    ],
)
def test_a_town_elsewhere_a_word_and_what_is_near_to_two_is_none(text: str) -> None:
    assert towns(text) == ()


def test_what_is_elsewhere_is_asked_for_and_not_guessed() -> None:
    full = {"寮步镇": "寮步", "道滘镇": "道滘"}
    assert list(NearNames(full, ()).find("缪步镇停水")) == [(0, 2, "寮步")]
    assert list(NearNames(full, ["缪步"]).find("缪步镇停水")) == []
    assert list(NearNames({**full, "缪沙镇": "缪沙"}, ()).find("缪步镇停水")) == []
    assert list(NearNames(full, ()).find("寮步镇的路")) == []
