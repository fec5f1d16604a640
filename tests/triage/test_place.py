"""Where it happened: names, misspellings, villages, landmarks, roles of a mention, names inside other words."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from hotline.errors import InvalidInput
from triage.gazetteer import load_gazetteer
from triage.match import batch_of
from triage.place import Gazetteer, Name, Role
from triage.text import normalise

TOWNS = [
    "莞城", "东城", "南城", "万江", "石碣", "石龙", "茶山", "石排", "企石", "横沥", "桥头",
    "谢岗", "东坑", "常平", "寮步", "樟木头", "大朗", "黄江", "清溪", "塘厦", "凤岗", "大岭山",
    "长安", "虎门", "厚街", "沙田", "道滘", "洪梅", "麻涌", "望牛墩", "中堂", "高埗",
]


@cache
def gazetteer() -> Gazetteer:
    return load_gazetteer(Path("cities/441900/places"), "东莞")


def towns(text: str) -> tuple[str, ...]:
    return gazetteer().towns(normalise([text])[0].clean)


@pytest.mark.parametrize("town", TOWNS)
@pytest.mark.parametrize("frame", ["{}的路灯坏了", "路灯坏了，在{}", "我在{}这边", "东莞市{}某小区停水"])
def test_every_town_by_its_name(town: str, frame: str) -> None:
    assert towns(frame.format(town)) == (town,)


@pytest.mark.parametrize(
    ("text", "town"),
    [
        ("廖步的红绿灯坏了", "寮步"),
        ("道窖镇闸口河边有人倒垃圾", "道滘"),
        ("塘夏大道坑坑洼洼", "塘厦"),
        ("樟目头火车站外面拉客", "樟木头"),
        ("望牛敦那条河臭", "望牛墩"),
        ("雁田水库边有人钓鱼", "凤岗"),
        ("乌沙这边烧烤摊吵", "长安"),
        ("虎门站出站口黑车多", "虎门"),
        ("松山湖华为小镇旁边", "松山湖高新区"),
        ("樓下嘈吵，喺厚街鎮", "厚街"),
        ("石美那边公交站牌倒了", "万江"),
        ("铁岗这边把空气瓶放在楼道", "企石"),
        ("林村旧街的消防栓漏水", "塘厦"),
        ("沙角社区停水", "虎门"),  # no 角社 of 东坑
        ("国贸中心负一楼积水", "南城"),
    ],
)
def test_misspellings_villages_and_landmarks(text: str, town: str) -> None:
    assert towns(text) == (town,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我住在寮步，昨天在东城被偷了手机", ("东城",)),
        ("从樟木头开到黄江田美路口，红绿灯坏了", ("黄江",)),
        ("我从莞城搬到东城，物业不给办门禁", ("东城",)),
        ("从南城到东城的公交太慢", ("南城", "东城")),
        ("公司注册在南城，工厂在大岭山连平，欠薪", ("大岭山",)),
        ("总部在深圳，分店在塘厦，预付卡不退", ("塘厦",)),
        ("江南社区垃圾没人收", ()),  # no 南社 of 茶山
        ("石鼓村垃圾没人收", ()),  # 南城 and 塘厦 have one
        ("三星那边客服不理", ()),
        ("本人常平户籍，在大朗上班的厂欠薪", ("大朗",)),
        ("我住在寮步，楼下天天吵", ("寮步",)),
        ("我住在塘厦，在深圳的工厂上班被欠薪", ()),
        ("我是四川人，住在塘厦，社保怎么转", ("塘厦",)),
        ("能不能像厚街那样，给万江也装路灯", ("万江",)),
        ("虎门和长安交界处有人倒土，虎门长安都有份", ("虎门", "长安")),
    ],
)
def test_where_it_happened_not_where_the_citizen_lives(text: str, expected: tuple[str, ...]) -> None:
    assert towns(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我住在东莞市寮步镇，在东城被偷了手机", "东城"),
        ("本人家住东莞市寮步镇，昨天在东城万达被偷", "东城"),
        ("我住广东省东莞市寮步镇，昨天在东城被偷", "东城"),
        ("住东莞寮步，在虎门被宰客", "虎门"),
        ("我叫李四，家庭住址东莞市寮步镇，在大朗被拖欠工资", "大朗"),
        ("我是寮步镇的居民，在东城被偷", "东城"),
        ("作为寮步镇居民，我在东城看病被乱收费", "东城"),
        ("我系寮步镇村民，喺东城俾人呃咗", "东城"),
        ("我是寮步的，昨天在南城车管所办事被刁难", "南城"),
        ("我系大朗嘅，喺长安返工，老板走咗佬", "长安"),
        ("我寮步人在东城被偷了", "东城"),
        ("我家寮步的，在厚街打工，厂里拖欠工资", "厚街"),
        ("本人现居寮步，在东城驾校学车", "东城"),
        ("我在寮步住，在东城被偷了", "东城"),
        ("我来自石龙，在茶山买了房子烂尾", "茶山"),
        ("户籍是石排，现在在东城上班，社保断了", "东城"),
        ("我是大朗镇某小区业主，小区电梯坏了", "大朗"),
        ("我是寮步的，路灯坏了", "寮步"),
        ("我老家是常平的，现在住万江，楼下吵", "万江"),
        ("我是长安这边的租户，房东住在香港，门禁打不开", "长安"),
    ],
)
def test_whoever_lives_in_one_town_and_tells_of_another_means_the_other(text: str, expected: str) -> None:
    assert towns(text) == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("寮步镇居民区旁边工地施工，东城的车绕过来", ("寮步", "东城")),
        ("我住在寮步和东城交界，半夜打桩", ("寮步", "东城")),
        ("我是在寮步被偷的，现在在东城派出所", ("寮步", "东城")),
        ("寮步镇石龙坑的路烂了", ("寮步",)),
    ],
)
def test_what_only_sounds_like_living_there_is_where_it_happened(text: str, expected: tuple[str, ...]) -> None:
    assert towns(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "局长安排我们等通知", "园长安全意识差", "西安长安区停水", "广东城市很多", "非常平稳", "河南城里停电",
        "买了一台长安汽车有质量问题", "长安牌的车", "东城区人民法院", "厦门的路灯坏了", "大桥头上有人卖鱼",
        "我们这里是城中村",
    ],
)
def test_names_inside_other_words_and_elsewhere(text: str) -> None:
    assert towns(text) == ()


def test_what_hides_a_name_hides_no_longer_one_around_it() -> None:
    assert towns("长安汽车站门口有人拉客") == towns("长安牌坊下面积水") == ("长安",)
    assert towns("虎门汽车修理厂占道") == ("虎门",), "no car is called so"


@pytest.mark.parametrize(
    ("text", "town"), [("厚街桥头社区", "厚街"), ("石龙太平路的下水道", "石龙"), ("高埗塘厦村口", "高埗")]
)
def test_a_village_named_like_a_town_belongs_to_the_town_before_it(text: str, town: str) -> None:
    assert towns(text) == (town,)


def test_roles_and_spans() -> None:
    text = "我住在寮步，昨天去东城看病"
    found = gazetteer().mentions(batch_of([text]))[0]
    assert [(m.name.unit, m.role, text[m.start : m.end]) for m in found] == [
        ("寮步", Role.LIVES, "寮步"), ("东城", Role.WENT, "东城"),
    ]


def test_a_clear_name_wins_over_an_unclear_one_that_overlaps_it() -> None:
    small = Gazetteer([Name("沙田", "沙田", "town", True), Name("下沙", "石排", "village", False)])
    assert small.towns("投诉一下沙田那个学校") == ("沙田",)


def test_every_mistake_of_the_files_is_listed(tmp_path: Path) -> None:
    (tmp_path / "places.csv").write_text("name,unit,kind,strength\n甲,乙,nonsense,strong\n丙,丁,town,loud\n", "utf-8")
    (tmp_path / "other.csv").write_text("wrong,head\n", "utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_gazetteer(tmp_path)
    for where in ("places.csv:2", "places.csv:3", "other.csv:1"):
        assert where in caught.value.detail


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        load_gazetteer(tmp_path)


@pytest.mark.parametrize(
    ("text", "towns"),
    [
        ("高埗大桥塞车,桥头同时有三条路入", ("高埗",)), ("从桥头一路响到桥尾,中堂大道炸街", ("中堂",)),
        ("桥头镇莲湖公园的灯坏了", ("桥头",)), ("我在桥头开了个五金店", ("桥头",)), ("在桥头当场就卖鱼", ()),
        ("天台上密密麻麻二十多副天线", ()), ("走的是县道,望联合执法", ()),
        ("我哋屋企住中堂,我喺深圳返工,家里没水", ("中堂",)), ("松山湖北站附近的城轨高架太吵", ("寮步",)),
        ("我在深圳投诉一家网店", ()),
    ],
)
def test_common_words_and_places_only_passed_or_worked_at(text: str, towns: tuple[str, ...]) -> None:
    assert gazetteer().towns(text) == towns
