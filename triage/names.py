"""Names in a text, told by their last word: estates, roads, villages, schools, shops, firms; and numbers of things.

Recall before precision: what stands before the last word may be too much, so names are compared by their rare
characters (`triage/likeness.py`), never as wholes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LAST = (
    "小区|花园|家园|豪庭|豪园|豪苑|名苑|苑|湾|府|广场|大厦|公寓|社区|村|路|街|大道|巷|工业区|工业园|学校|小学|中学|幼儿园|大学|学院|医院|公司|厂|店|馆|市场"
    "|公园|水库|车站|站|桥|酒店|超市|银行|支行|健身|中心|项目|商场|城|景区|湖|河|涌|居|庄|里|网|培训|美容|餐馆|饭店|烧烤|贷"
)
_STOPS = re.escape(
    "的了在是有和与跟同及把被让叫我你他她它们咱个那这就也都还没不去到从往对向给请求将已为因至或约并上下内外前后左右旁边附近隔离面说要想问投诉举报反映关于建议"
    "一些来系嘅喺啲每天昨今晚里条间家位号栋,，.。;；:：!！?？、\"“”‘’()（）《》【】 \n\t"
)
_NAME = re.compile(rf"[^{_STOPS}]{{1,8}}?(?:{_LAST})")
_DISTRICT = re.compile(rf"([A-Za-z]\d+|[^{_STOPS}\W\d_]{{2,3}}?)(区|县|镇|街道)")
_NO_DISTRICT = re.compile(r".*(?:[小社校园片城市地山业灾厂院库景新老工辖全本住宅该乡村]|开发)$")
_NUMBER = re.compile(r"(\d+|[一二三四五六七八九十]{1,3})(号楼|号线|栋|座|幢|路(?!口)|巷|期|中|小(?![区时]))")
_LETTER = re.compile(r"(?<![A-Za-z0-9])([A-Za-z])(?:号?(出入?口|口|门|栋|座|幢|馆)|(区)(?![a-z域]))")
_RIVALS = {
    "宽带": re.compile(r"电信|移动(?![摊式公厕端餐])|联通|广电"),
    "快递": re.compile(r"顺丰|圆通|中通|申通|韵达|极兔|京东|德邦|邮政"),
    "外卖": re.compile(r"美团|饿了么"),
    "存取款": re.compile(r"(?:工商|农业|中国|建设|交通|招商|东莞|农村商业|邮储)银行|[工农建招]行(?![业政动])|农商行"),
}
"""Firms of one trade, told beside the thing itself: what one does another does not, though all else is alike."""
_TRADE = {
    "宽带": re.compile(r"宽带|信号|话费|套餐|流量|网络|网速|营业厅|手机|基站|光纤|携号"),
    "快递": re.compile(r"快递|包裹|快件|派送|派件|取件|驿站"),
    "外卖": re.compile(r"外卖|骑手|订单"),
    "存取款": re.compile(""),
}
_FIRMS = {"工行": "工商银行", "农行": "农业银行", "建行": "建设银行", "招行": "招商银行", "农商行": "农村商业银行"}
_ALIKE = {"出口": "口", "出入口": "口", "号楼": "栋", "座": "栋", "幢": "栋"}
_DIGITS = {character: value for value, character in enumerate("一二三四五六七八九十", start=1)}


def names_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield the span of each name of a clean text."""
    for match in _NAME.finditer(text):
        yield match.span()


def districts_in(text: str) -> dict[str, frozenset[str]]:
    """Return names of districts, counties, towns and streets by their last word."""
    found: dict[str, set[str]] = {}
    for match in _DISTRICT.finditer(text):
        if not _NO_DISTRICT.match(match[1]):
            found.setdefault(match[2], set()).add(match[1].lower())
    return {last: frozenset(names) for last, names in found.items()}


def numbers_in(text: str) -> dict[str, frozenset[str]]:
    """Return numbers of houses, lines, lanes, schools by what they count (三号楼 and 3栋 are one), letters of exits and
    houses, and the firms of a trade."""
    found: dict[str, set[str]] = {}
    for match in _NUMBER.finditer(text):
        found.setdefault(_ALIKE.get(match[2], match[2]), set()).add(_value(match[1]))
    for match in _LETTER.finditer(text):
        what = match[2] or match[3]
        found.setdefault(_ALIKE.get(what, what), set()).add(match[1].lower())
    for trade, firms in _RIVALS.items():
        if _TRADE[trade].search(text) and (told := firms.findall(text)):
            found[trade] = {_FIRMS.get(firm, firm) for firm in told}
    return {what: frozenset(values) for what, values in found.items()}


def _value(numeral: str) -> str:
    if numeral.isdigit():
        return numeral.lstrip("0") or "0"
    tens, ten, ones = numeral.rpartition("十")
    if not ten:
        return "".join(str(_DIGITS[character]) for character in numeral)
    return str(_DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0))
