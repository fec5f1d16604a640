"""Entities: each type in the forms people write and say, what is none, spans, and masking."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.entities import entities_in, find_entities, mask
from triage.match import batch_of
from triage.text import normalise

ID = "11010519491231002X"


def found(text: str, kind: str) -> list[str]:
    return [one.text for one in find_entities(normalise([text])[0]) if one.type == kind]


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("打我电话13800138000", "phone", "13800138000"),
        ("联系+86 138 0013 8000", "phone", "+86 138 0013 8000"),
        ("座机0769-22112345", "phone", "0769-22112345"),
        ("客服400-800-1234", "phone", "400-800-1234"),
        ("号码是一三八零零一三八零零零", "phone", "一三八零零一三八零零零"),
        ("幺三九幺二三四五六七八打给我", "phone", "幺三九幺二三四五六七八"),
        (f"身份证{ID}", "id", ID),
        (f"身份证{ID.lower()}。", "id", ID.lower()),
        ("车牌粤S12345挡住门", "plate", "粤S12345"),
        ("车牌粤S·D1234F", "plate", "粤S·D1234F"),
        ("欠我三万五千元", "amount", "三万五千元"),
        ("每度电1.2元", "amount", "1.2元"),
        ("一共￥3,500.50", "amount", "￥3,500.50"),
        ("收了两千块钱", "amount", "两千块钱"),
        ("押金两万八不退", "amount", "两万八"),
        ("俾咗五百蚊", "amount", "五百蚊"),
        ("2026年11月20日晚上十一点半开始", "time", "2026年11月20日晚上十一点半"),
        ("昨天下午三点出的事", "time", "昨天下午三点"),
        ("凌晨两点还在吵", "time", "凌晨两点"),
        ("11:30到12:00没人", "time", "11:30到12:00"),
        ("上个月十五号起停水", "time", "上个月十五号"),
        ("二〇二五年三月办的", "time", "二〇二五年三月"),
        ("在东莞市石龙镇西湖中路18号", "address", "东莞市石龙镇西湖中路18号"),
        ("南城鸿福路旁边", "address", "南城鸿福路"),
        ("地址:常平碧桂园5栋", "address", "常平碧桂园5栋"),
        ("我住金域中央小区3栋2单元501", "address", "金域中央小区3栋2单元501"),
        ("南城第一国际B座2301室漏水", "address", "南城第一国际B座2301室"),
        ("被顺发五金制品厂拖着", "org", "顺发五金制品厂"),
        ("去东华医院看病", "org", "东华医院"),
    ],
)
def test_what_people_write_and_say(text: str, kind: str, expected: str) -> None:
    assert expected in found(text, kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("订单号138001380001", "phone"),
        ("编号1234567890123456789012", "phone"),
        ("身份证110105194912310021", "id"),
        ("有一点吵", "time"),
        ("走路去", "address"),
        ("老鼠周街走", "address"),
        ("3栋电梯坏了", "address"),
        ("两万人参加", "amount"),
        ("地上三块砖", "amount"),
        ("5w灯泡坏了", "amount"),
        ("1,2,3楼停电", "amount"),
        ("20号停车位", "time"),
        ("五一路口堵", "time"),
        ("十一个人", "time"),
    ],
)
def test_what_only_looks_like_one(text: str, kind: str) -> None:
    assert found(text, kind) == []


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("我电话幺三八 零零一三 八零零零 转两次", "phone", "幺三八 零零一三 八零零零"),
        ("一三八零零一三八零零零三楼", "phone", "一三八零零一三八零零零"),
        ("打一三八零零零一三八零零两次", "phone", "一三八零零零一三八零零"),
        ("号码是一三八，零零一三，八零零零", "phone", "一三八，零零一三，八零零零"),
        ("我电话幺三八、零零幺三、八零零零", "phone", "幺三八、零零幺三、八零零零"),
        ("记一下幺三八嗯零零幺三八零零零", "phone", "幺三八嗯零零幺三八零零零"),
        ("打138零零一三八零零零", "phone", "138零零一三八零零零"),
        ("零七六九 二二三三四四五五", "phone", "零七六九 二二三三四四五五"),
        ("座机22112345", "phone", "22112345"),
        ("电话是2211-2345", "phone", "2211-2345"),
        ("座机二二一一二三四五", "phone", "二二一一二三四五"),
        ("打(0769)22112345", "phone", "(0769)22112345"),
        ("打（0769）2211-2345", "phone", "（0769）2211-2345"),
        ("打0769—22112345", "phone", "0769—22112345"),
        ("打+86-769-22112345", "phone", "+86-769-22112345"),
        ("打138.0013.8000", "phone", "138.0013.8000"),
        ("打138_0013_8000", "phone", "138_0013_8000"),
        ("打138—0013—8000", "phone", "138—0013—8000"),
        ("请打138 0013 8000找我", "phone", "138 0013 8000"),
        ("打138 00 138 000", "phone", "138 00 138 000"),
        ("打1 3 8 0 0 1 3 8 0 0 0", "phone", "1 3 8 0 0 1 3 8 0 0 0"),
        ("车牌粤S幺二三四五", "plate", "粤S幺二三四五"),
        ("车牌粤S幺2三4五", "plate", "粤S幺2三4五"),
        ("车牌粤 S·12345", "plate", "粤 S·12345"),
        ("车牌粤 S 12345", "plate", "粤 S 12345"),
        ("车牌粤s12345", "plate", "粤s12345"),
        ("车牌粤SD12345", "plate", "粤SD12345"),
        ("车牌粤Z1234港", "plate", "粤Z1234港"),
        ("身份证110105 19491231 002X", "id", "110105 19491231 002X"),
        ("身份证110105-19491231-002X", "id", "110105-19491231-002X"),
        ("身份证1101 0519 4912 3100 2X", "id", "1101 0519 4912 3100 2X"),
        ("身份证一一零一零五 一九四九一二三一 零零二X", "id", "一一零一零五 一九四九一二三一 零零二X"),
        ("三天前停水", "time", "三天前"),
        ("大概两个月前", "time", "两个月前"),
        ("半个小时前报过", "time", "半个小时前"),
        ("一个多月前", "time", "一个多月前"),
        ("前几天来过", "time", "前几天"),
        ("上周三晚上", "time", "上周三晚上"),
        ("上上个礼拜", "time", "上上个礼拜"),
        ("大前天", "time", "大前天"),
        ("车牌粤SA1B23", "plate", "粤SA1B23"),  # nowhere four digits in a row
        ("湘A8K9L2停在门口", "plate", "湘A8K9L2"),
        ("打22112345没人接", "phone", "22112345"),
        ("20号下午停电", "time", "20号下午"),
        ("10号到15号停水", "time", "10号"),
        ("下午两点一刻", "time", "下午两点一刻"),
        ("2026-11-20 15:30发生", "time", "2026-11-20 15:30"),
        ("2025年底交房", "time", "2025年底"),
        ("正好八月十五晚上", "time", "八月十五晚上"),
        ("大年三十放炮", "time", "大年三十"),
        ("十一期间涨价", "time", "十一"),
        ("欠我1,200元", "amount", "1,200元"),
        ("亏了12,345,678元", "amount", "12,345,678元"),
        ("工资8k没发", "amount", "8k"),
        ("收了6000港币", "amount", "6000港币"),
        ("昨晚十点多", "time", "昨晚十点多"),
    ],
)
def test_numbers_and_times_as_they_are_parted_and_said(text: str, kind: str, expected: str) -> None:
    assert expected in found(text, kind)


@pytest.mark.parametrize(
    "text",
    [
        "订单号138001380001", "工单DG2026112200000123", "查询码SM4Y2T9X", "编号22112345", "发票号码22112345",
        "工号12345678", "快递单号SF1380013800012", "2026-11-22 10:30", "2026.11.22", "日期20261122", "来电20261122",
        "1380.50元", "13.8万元",
        "拨打2211234元", "13,800,138,000元", "三百八十万零五千", "18栋1802房", "3栋5单元1301", "13号楼8单元0013",
        "1、3、5、6、7、8、9、10、11、12栋", "一、三、五、六、七、八、九栋", "座位13 14 15 16 17 1", "15 200 300 400",
        "13、14、15、16、17、一号", "一二三四五六七八九", "第一三五七号", "二零二六年十一月二十二日", "192.168.1.138",
        "ISBN 978-7-111-54742-6", "邮编523000", "12345", "95598", "一三八零零一三八零零零一二三四", "新USB3000",
        "青BYD2023款", "京A股", "G4京港澳", "豫园A12345", "d9428888-0712-4321-b85c-61cd3cbb3210",
    ],
)
def test_numbers_of_other_things_are_no_personal_data(text: str) -> None:
    assert [found(text, kind) for kind in ("phone", "id", "plate")] == [[], [], []]
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("幺三八 零零一三 八零零零 转两次", "幺三八 **** 八零零零 转两次"),
        ("138.0013.8000", "138.****.8000"),
        ("座机22112345", "座机****2345"),
        ("粤S幺二三四五", "粤S****五"),
        ("441900 19900101 1234", "441900 ******** 1234"),
        ("四四一九零零 一九九零零一零一 一二三四", "四四一九零零 ******** 一二三四"),
    ],
)
def test_what_is_parted_or_said_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_the_city_before_a_town_belongs_to_the_address() -> None:
    [text] = normalise(["东莞市南城街道鸿福路200号"])
    [address] = entities_in([text], batch_of([text.clean]), [[3]])[0]
    assert address.text == text.raw


def test_an_address_begins_at_the_known_place() -> None:
    text = normalise(["想投诉石排镇燕窝村没人收垃圾"])[0]
    found = entities_in([text], batch_of([text.clean]), [[3]])[0]
    assert [one.text for one in found] == ["石排镇燕窝村"]


def test_spans_point_into_the_original_text() -> None:
    raw = "電話：１３８００１３８０００，昨 天 下 午 三 点"
    text = normalise([raw])[0]
    for one in find_entities(text):
        assert raw[one.start : one.end] == one.text
    assert "１３８００１３８０００" in found(raw, "phone")


def test_masking_keeps_only_the_ends() -> None:
    masked = mask(f"我叫张三，电话13800138000，身份证{ID}，车粤S12345")
    assert masked == "我叫张三，电话138****8000，身份证110105********002X，车粤S****5"


def test_a_mistyped_id_is_masked_too() -> None:
    assert mask("身份证110105194912310021") == "身份证110105********0021"


def test_spoken_phones_are_masked() -> None:
    assert mask("打一三八零零一三八零零零") == "打一三八****八零零零"


@given(st.text("一二三四五元块年月日点路号厂的我138-:粤S ¥,。", max_size=60))
def test_entities_are_apart_in_order_and_inside(raw: str) -> None:
    spans = [(one.start, one.end) for one in find_entities(normalise([raw])[0])]
    assert spans == sorted(spans)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    assert len(mask(raw)) == len(raw)


@given(st.lists(st.text("昨天上午13800138000欠三万元。路", max_size=30), max_size=4))
def test_a_batch_finds_what_each_text_alone_has(raws: list[str]) -> None:
    texts = normalise(raws)
    together = entities_in(texts, batch_of([text.clean for text in texts]))
    assert together == [find_entities(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "type_", "found"),
    [
        ("举报长安镇某厂排污", "address", "长安镇"), ("今天南城区鸿福路堵车", "address", "南城区鸿福路"),
        ("反映虎门镇南栅社区二区5巷3号", "address", "虎门镇南栅社区二区5巷3号"),
        ("长安锦厦路口红灯", "address", "长安锦厦路口"),
        ("我在东莞市华为机器有限公司上班", "org", "东莞市华为机器有限公司"),
        ("请问东莞银行长安支行几点开门", "org", "东莞银行长安支行"),
        ("我是塘厦镇人民医院的护士", "org", "塘厦镇人民医院"),
        ("投诉南城宏图路学而优培训中心", "org", "学而优培训中心"),
        ("打我电话零七六九二二三三四四五五", "phone", "零七六九二二三三四四五五"),
        ("电话幺三八零零一三八零零零", "phone", "幺三八零零一三八零零零"),
        ("身份证一一零一零五一九四九一二三一零零二X", "id", "一一零一零五一九四九一二三一零零二X"),
    ],
)
def test_names_begin_where_they_begin(text: str, type_: str, found: str) -> None:
    entities = find_entities(normalise([text])[0])
    assert (type_, found) in [(one.type, one.text) for one in entities]


def test_a_lamp_is_no_road() -> None:
    from tests.triage.test_emergencies import pipeline

    [triage] = pipeline()(["南城路灯坏了"])
    assert [one.text for one in triage.entities if one.type == "address"] == []
