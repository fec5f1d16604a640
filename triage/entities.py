"""Phones, ids, times, addresses, organisations, plates and amounts in a text, with spans; and masking for logs.

Spoken digits count (一三八零零…, 幺 for one), ids must have a right check digit (GB 11643), and a text without a digit or
a keyword is not searched for what needs one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from hotline.appeal import Entity
from triage.text import Text, normalise

_SPOKEN = str.maketrans("零〇一二三四五六七八九幺两洞拐勾", "00123456789120790"[:16])
_ID = re.compile(r"(?<![0-9A-Za-z])\d{6}[ -]?(?:19|20)\d{2}[ -]?\d{4}[ -]?\d{3}[0-9Xx](?![0-9A-Za-z])")
_PHONE = re.compile(
    r"(?<![0-9])(?:(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}|0\d{2,3}[- ]?[2-9]\d{6,7}|[48]00[- ]?\d{3}[- ]?\d{4})(?![0-9])"
)
_SPOKEN_PHONE = re.compile(r"[一幺][三四五六七八九][零〇一二三四五六七八九幺两洞拐勾 ]{9,13}")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Za-hj-np-z][· .-]?[A-HJ-NP-Za-hj-np-z0-9]{4,5}[A-HJ-NP-Za-hj-np-z0-9挂学警港澳]"
    r"(?![A-Za-z0-9])"
)
_NUMBER = r"(?:\d+(?:[.,]\d+)*|[零一二两三四五六七八九十百千万几]+)"
_AMOUNT = re.compile(
    rf"{_NUMBER}(?:多|来|几)?(?:个亿|亿|万|千|百)?(?:多|来|几)?(?:元|块钱|块|蚊|港币|美元|美金|人民币|万(?![一-鿿]?[人户家台部次]))(?:[零一二三四五六七八九\d]毛?)?"
    r"|[￥¥]\s?\d+(?:[.,]\d+)*"
)
_DAY = r"(?:[大前昨今明后当]{1,2}[天日晚晨]|昨夜|今早|今晨|今晚|明早|尋日|寻日|琴日|琴晚|今朝|听日|上个?(?:周|星期|礼拜)[一二三四五六日天]?|这个?(?:周|星期|礼拜)[一二三四五六日天]?|下个?(?:周|星期|礼拜)[一二三四五六日天]?|本周[一二三四五六日]?|(?:周|星期|礼拜)[一二三四五六日天]|上个?月|本月|这个月|下个?月|去年|今年|前年|明年)"
_DATE = r"(?:(?:\d{2,4}|[零〇一二三四五六七八九]{4})年)?(?:\d{1,2}|[一二三四五六七八九十]{1,3})月(?:份|底|初|中旬|上旬|下旬|(?:\d{1,2}|[一二三四五六七八九十]{1,3})[日号])?|(?:\d{4}|[零〇一二三四五六七八九]{4})年|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
_PART = r"(?:凌晨|清晨|早上|早晨|上午|中午|正午|午后|下午|傍晚|晚上|夜里|夜晚|半夜|深夜|夜间|午夜|朝早|晏昼|挨晚|晚黑|晚间|白天)"
_HOUR = r"(?:(?:\d{1,2}[::]\d{2}(?![0-9]))|(?:\d{1,2}|[零一二两三四五六七八九十]{1,3})(?:点钟|点半|点(?:\d{1,2}|[零一二三四五六七八九十]{1,3})?分?|时(?:许|\d{1,2}分|[一二三四五六七八九十]{1,3}分)?(?![间候常而代段])))(?:左右|多)?"
_TIME = re.compile(
    rf"(?:{_DATE}|{_DAY})(?:的|,)?{_PART}?(?:{_HOUR})?(?:[到至-]{_PART}?(?:{_HOUR}))?"
    rf"|{_PART}(?:{_HOUR})?(?:[到至-]{_PART}?(?:{_HOUR}))?"
    rf"|(?<!\d){_HOUR}(?:[到至-]{_PART}?{_HOUR})?"
)
_STOP = r",,.。;;::!!??、\s“”\"'()()《》的了在是被把给让叫我你他她它俺咱哋们去从到往和与跟向对找问说就也都还没不这那"
_ORG = re.compile(
    rf"[^{_STOP}]{{2,14}}?(?:有限责任公司|股份有限公司|有限公司|分公司|总公司|集团|公司|工厂|制衣厂|电子厂|家具厂|鞋厂|五金厂|塑胶厂|医院|卫生站|诊所|小学|中学|学校|学院|大学|幼儿园|派出所|法院|银行|物业|居委会|村委会|村委|管理处|管委会"
    r"|超市|酒店|宾馆|餐厅|饭店|机构|培训中心|培训班|服务中心|驾校|养老院|敬老院|事务所|合作社|经联社|分局|支队|大队|4S店|药房|药店|健身房|美容院|营业厅|中介|旅行社)"
)
_ROAD = r"[^,,.。;;::!!??、\s的了在是被把给让我你他她它们从和与跟向对]"
_ADDRESS = re.compile(
    rf"(?:{_ROAD}{{2,10}}?(?:镇|街道|社区|村|工业区|工业园|花园|小区|大道|路|街|巷|广场|大厦|公寓|新村|市场|苑|城))"
    rf"(?:{_ROAD}{{1,10}}?(?:镇|街道|社区|村|工业区|工业园|花园|小区|大道|路|街|巷|广场|大厦|公寓|新村|市场|苑))*"
    r"(?:[A-Za-z0-9一二三四五六七八九十百]{1,5}(?:号楼|号|栋|座|幢|单元|巷|楼|层|室|房|铺|期)){0,5}"
)
_DIGITS = re.compile(r"\d{3}")
_MONEY = re.compile(r"[元块蚊万￥¥]|港币|美[元金]")
_CLOCK = re.compile(r"[年月点时周天日晚早晨夜午昼:]|星期|礼拜")
_PLACE_WORD = re.compile(r"[镇街村路巷区园苑城厦栋座号市]")
_ORG_WORD = re.compile(r"公司|集团|[厂院站所学园行业委处市酒宾餐饭构心班校社局队房店厅介]")
_MASK = {"phone": (3, 4), "id": (6, 4), "plate": (2, 1)}


def find_entities(text: Text) -> tuple[Entity, ...]:
    """Return the entities of a text in order, spans pointing into the original; they do not overlap."""
    clean = text.clean
    found: list[tuple[int, int, str]] = []
    taken: list[tuple[int, int]] = []
    for start, end, name in _all(clean):
        if end > start and not any(start < b and a < end for a, b in taken):
            taken.append((start, end))
            found.append((start, end, name))
    return tuple(_entity(text, *one) for one in sorted(found))


def _entity(text: Text, start: int, end: int, name: str) -> Entity:
    begin, finish = text.span(start, end)
    return Entity(name, text.raw[begin:finish], begin, finish)


def _all(clean: str) -> Iterator[tuple[int, int, str]]:
    """Yield what is found, the surest kinds first."""
    if _DIGITS.search(clean):
        for match in _ID.finditer(clean):
            if _is_id(match.group()):
                yield match.start(), match.end(), "id"
        yield from _spans(_PHONE, clean, "phone")
        yield from _spans(_PLATE, clean, "plate")
    yield from _spoken_phones(clean)
    if _MONEY.search(clean):
        yield from _spans(_AMOUNT, clean, "amount")
    if _CLOCK.search(clean):
        yield from _spans(_TIME, clean, "time")
    if _ORG_WORD.search(clean):
        yield from _spans(_ORG, clean, "org")
    if _PLACE_WORD.search(clean):
        yield from _spans(_ADDRESS, clean, "address")


def _spans(pattern: re.Pattern[str], clean: str, name: str) -> Iterator[tuple[int, int, str]]:
    for match in pattern.finditer(clean):
        yield match.start(), match.end(), name


def _is_id(text: str) -> bool:
    try:
        ric.validate(text.replace(" ", "").replace("-", "").upper())
    except ValidationError:
        return False
    return True


def _spoken_phones(clean: str) -> Iterator[tuple[int, int, str]]:
    for match in _SPOKEN_PHONE.finditer(clean):
        digits = match.group().replace(" ", "").translate(_SPOKEN)
        if len(digits) == 11 and digits.isdigit():
            yield match.start(), match.start() + len(match.group().rstrip()), "phone"


def mask(text: str) -> str:
    """Return `text` fit for logs: phones, ids and plates keep only their ends (domain.md section 8)."""
    masked = list(text)
    for entity in find_entities(normalise([text])[0]):
        if entity.type in _MASK:
            head, tail = _MASK[entity.type]
            for place in range(entity.start + head, entity.end - tail):
                masked[place] = "*"
    return "".join(masked)
