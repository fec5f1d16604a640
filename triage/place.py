"""Where the matter happened: towns and parks from names, misspellings, villages, landmarks and roads.

Every name of the city's place files is looked for at once (`triage.match`). Each mention gets a role from the words
around it – happened there, went there, lives there, is from there, only compared – and the mentions with the strongest
role win.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from triage.match import Batch, Matcher, batch_of
from triage.near import NearNames

KINDS = frozenset({"town", "alias", "misspelling", "village", "landmark", "outside", "mask"})
_NAMING = re.compile(
    r"(?:镇|街道|区|村|社区|居委|大道|路|街|工业|广场|公园|医院|派出所|车站|站|中学|小学|幼儿园|市场|新村|花园|这边|这里|那边|这头"
    r"|那里|呢边|嗰边|呢度|嗰度|这块|一带|附近|某|交警|分局|公安|政府|法院|税务|人社|社保|城管|收费站|立交|水库|桥头|党群|敬老|高速)"
)
_VILLAGE_WORD = re.compile(r"村|社区|居委|股份|经联社|工业|新村|派出所|市场|股民")
_AROUND = re.compile(r"那边|这边|呢边|嗰边|那头|这头|一带|片区|大队|路口|牌坊|工业")
_TOWN_WORD = re.compile(r"镇|街道|办事处|这边|这里|那边|呢边|嗰边|呢度|嗰度")
_NAMED_TOWN = re.compile(
    r"镇|人民|医院|中学|小学|派出所|公安|政府|分局|村|社区|工业|这边|呢边|市场|汽车站|大道|敬老|莲湖|东江|邓屋|大洲|石水口"
)
_THERE = re.compile(r"(?:从|过|上|(?<!一)下|[河桥涌丫曲口])$")
_NO_TOWN = re.compile(r"到桥|桥尾|上|边|设|堡|实施|同时|一路|那里|那边|两|和桥|顶|当场|引桥|位|转|塞|就|搭")
_AT = re.compile(r"(?:在|再|喺|位于|于|到|去|来|住|家住|我是|我系|这里是|，|,|。|\n|^|:|[（(])$")
_LIVES = re.compile(
    r"(?:住|住在|住喺|住再|(?<![大人国专商厂店买卖玩这那一两几])家(?:就|都|也)?[在是系]|屋企[喺系]|(?:户籍|户口)地?[在喺是系为]?"
    r"|(?:住址|(?:家庭|户籍|身份证)地址)[是为:]?|租房在|定居|[现暂旅移]居[在于]?|居住[在于]?|(?:注册(?:地址?)?|总部|总公司)(?:都|就)?[在喺是于]?)$"
)
_FROM = re.compile(r"(?:(?:老家|祖籍|籍贯)[在喺是系]?|(?:我|本人|们|俺|咱|哋|都|均)来自)$")
_SELF = re.compile(
    r"(?:(?:我|本人|我们|我哋|俺们?|咱们?|家里?人?|屋企)(?:就|也|都|均)?[是系]|作为|身为|本人|我家?|我哋|我们|屋企|[,，。;:\n]|^)$"
)
_RESIDENT = re.compile(
    r"(?:镇|街道|园区|新区|区)?(?:[的嘅慨]|[^,，。.;；:!！?？\n在喺]{0,12}?)(?:居民|村民|业主|住户|街坊|租户|租客|市民)"
    r"(?![区小楼房身医点委大代组会群家们])"
)  # 嘅 is 慨 in clean texts
_NATIVE = re.compile(r"(?:镇|街道|本地|区)?(?:[的嘅慨](?=[,，。;；!！\s])|人(?=[,，。;；!！\s在喺到去]))")
_LIVES_THERE = re.compile(
    r"(?:镇|街道|这边|这里|嗰边)?(?:租房|租屋|定居|居住|住(?![房宅户院建宿楼在喺]))"
    r"|户籍|户口|人[,，。、]|人氏|籍|本地人|的朋友|的亲戚|的同学"
)
_MOVES = re.compile(r"(?:去|到|往|来|飞|开往|返|回|搬到|转到|调到|搬去|跑到|跑去|送去|送到|赶去|嫁到|调去)$")
_COMPARES = re.compile(
    r"(?:像|好似|比|学学|学|参照|参考|听说|人家|隔壁|隔离|邻近|同|跟|好过|不如|和|除了|包括|经过|途经|路过)$"
)
_LEFT = re.compile(r"[^,。\n]{0,4}?(?:出发|[过回赶]来|[坐打搭开]车|[开骑调转运]到|搬|[发寄]往|[去回](?!.{0,6}方向))")
"""从樟木头开到黄江 leaves the one for the other; 从南城到东城的公交 serves both."""
_WORKS = re.compile(r"上班|返工|打工|做工|读书|出差")
_ALREADY = re.compile(r"一样|那样|都有|都|早就|已经")
_ONCE = re.compile(r"(?:以前|之前|原来|从前|当年|过去|一个|另一个|老公|老婆|孩子)(?:在|喺)$")
_ELSEWHERE = re.compile(r"(?:在|喺|位于)$")
_AND = frozenset(["和", "与", "跟", "同", "及", "、", "到", "至", "/", "-", "镇和", "镇与", "镇、"])
_BESIDE, _BEFORE = 2, 16
"""Characters that are looked at before a mention: 广东省东莞市 hides none of the words that tell its role."""


class Role(IntEnum):
    """What a mention means, the stronger the higher."""

    COMPARED = 1
    FROM = 2
    LIVES = 3
    WENT = 4
    HAPPENED = 5


class Name(NamedTuple):
    """A name of the gazetteer; `clear` names need no context. `unit` is "" for places outside the city, and for masks,
    which only hide a name inside other words: 局长安排 is not 长安, 长安汽车 a make of cars."""

    text: str
    unit: str
    kind: str
    clear: bool


_ABROAD = Name("", "", "outside", True)


class Mention(NamedTuple):
    """A place named in a text, with its span."""

    name: Name
    start: int
    end: int
    role: Role


class Gazetteer:
    """Finds places. Built once, shared freely.

    Args:
        city: its name without 市, which may stand before every name of it: 住在东莞市寮步镇.
        near: finds names with a wrong character.
    """

    def __init__(self, names: Iterable[Name], city: str = "", near: NearNames | None = None) -> None:
        self._here = re.compile(rf"(?:(?:黑龙江|[^\W\d]{{2}})省)?(?:{re.escape(city)}市?)$" if city else "(?!)")
        chosen: dict[str, Name] = {}
        self._villages: set[tuple[str, str]] = set()
        self._owners: dict[str, set[str]] = {}
        for name in names:
            if name.kind == "village":
                self._villages.add((name.unit, name.text))
                self._owners.setdefault(name.text, set()).add(name.unit)
            present = chosen.get(name.text)
            if present is None or (name.clear and not present.clear):
                chosen[name.text] = name
        self.matcher = Matcher(chosen)
        self._near = near or NearNames({}, ())

    def mentions(self, batch: Batch) -> list[list[Mention]]:
        """Return for each clean text the places of the city that it names, in order."""
        every = zip(batch.texts, self.matcher.find(batch), strict=True)
        return [
            list(self._believed(text, _apart(found) if len(found) > 1 else found)) if found else []
            for text, found in ((text, self._with_near(text, found)) for text, found in every)
        ]

    def _with_near(self, text: str, found: list[tuple[int, int, Name]]) -> list[tuple[int, int, Name]]:
        """Add names with a wrong character, where no clear name stands."""
        near = [
            (start, end, Name(text[start:end], unit, "misspelling", True))
            for start, end, unit in self._near.find(text)
            if not any(name.clear and start < other_end and other < end for other, other_end, name in found)
        ]
        return sorted([*found, *near], key=lambda hit: hit[0]) if near else found

    def spots(self, batch: Batch) -> list[frozenset[str]]:
        """Return for each clean text the villages and landmarks that it names, unclear ones if their town is named."""
        return [self._spots(_apart(found)) if found else frozenset() for found in self.matcher.find(batch)]

    def _spots(self, found: list[tuple[int, int, Name]]) -> frozenset[str]:
        units = {name.unit for _, _, name in found if name.kind in ("town", "alias", "misspelling")}
        return frozenset(
            name.text for _, _, name in found
            if name.kind in ("village", "landmark")
            and (name.clear or any((unit, name.text) in self._villages for unit in units))
        )

    def _believed(self, text: str, found: list[tuple[int, int, Name]]) -> Iterator[Mention]:
        before: tuple[int, str] = (-10, "")
        last: Mention | None = None
        for index, (start, end, name) in enumerate(found):
            near = start - before[0] <= _BESIDE
            if near and self._belongs(name, before[1]):
                before = (end, before[1])
                continue
            abroad = near and before[1] == "" and before[0] >= 0
            if name.kind == "mask":
                continue
            if name.unit and not abroad and (name.clear or self._supported(text, found, index)):
                together = last is not None and text[last.end : start] in _AND
                role = last.role if together and last else self._role(text, start, end)
                last = Mention(name, start, end, role)
                yield last
                before = (end, name.unit)
            elif not name.unit or abroad:
                if _ELSEWHERE.search(text, max(0, start - 2), start) or abroad:
                    said = text[max(0, start - 6) : start]
                    aside = _WORKS.match(text, end) or _ONCE.search(said) or _LIVES.search(said)
                    yield Mention(_ABROAD, start, end, Role.COMPARED if aside else Role.HAPPENED)
                before = (end, "")

    def _belongs(self, name: Name, unit: str) -> bool:
        """Tell whether a name right after a unit lies in it, whatever else it could be: 石龙太平路, 厚街桥头."""
        if not unit or not name.unit:
            return False
        return name.unit == unit or (unit, name.text) in self._villages or name.kind in ("village", "landmark")

    def _supported(self, text: str, found: list[tuple[int, int, Name]], index: int) -> bool:
        """Tell whether the context makes a place of an unclear name."""
        start, end, name = found[index]
        if name.kind in ("village", "landmark") and len(self._owners.get(name.text, ())) > 1:
            return False  # several towns have one
        if index + 1 < len(found):
            follower = found[index + 1]
            if follower[0] - end <= _BESIDE and follower[2].unit == name.unit:
                return True
        if name.kind == "town":
            return bool(_NAMED_TOWN.match(text, end)) or not (
                _THERE.search(text, max(0, start - 2), start) or _NO_TOWN.match(text, end)
                or any(other.kind == "town" and other.unit != name.unit for _, _, other in found)
            )
        if name.kind == "misspelling":
            return bool(_TOWN_WORD.match(text, end)) or bool(_NAMING.match(text, end) and self._placed(text, start))
        around = name.kind == "village" and _AROUND.match(text, end) and self._placed(text, start)
        return bool(around or _VILLAGE_WORD.match(text, end))

    def _placed(self, text: str, start: int) -> bool:
        """Tell whether what stands before begins a place: 在, 位于, the name of the city."""
        said = text[max(0, start - _BEFORE) : start]
        return _AT.search(said) is not None or self._here.search(said) is not None

    def _role(self, text: str, start: int, end: int) -> Role:
        before = self._here.sub("", text[max(0, start - _BEFORE) : start])
        if _COMPARES.search(before) or _ALREADY.match(text, end):
            return Role.COMPARED
        own = _SELF.search(before) is not None
        if _FROM.search(before) or (own and _NATIVE.match(text, end)):
            return Role.FROM
        left = before.endswith("从") and _LEFT.match(text, end)
        if left or _LIVES.search(before) or _LIVES_THERE.match(text, end) or (own and _RESIDENT.match(text, end)):
            return Role.LIVES
        return Role.WENT if _MOVES.search(before) or _WORKS.match(text, end) else Role.HAPPENED

    def towns(self, text: str) -> tuple[str, ...]:
        """Return the units where the matter happened, in order of mention."""
        return happened(self.mentions(batch_of([text]))[0])


def _apart(found: list[tuple[int, int, Name]]) -> list[tuple[int, int, Name]]:
    """Drop what overlaps: masks hide anything but a clear name around them, clear names unclear ones, towns the rest,
    long ones short ones."""
    ranked = sorted((hit for hit in found if not _within_a_name(hit, found)), key=_rank)
    kept: list[tuple[int, int, Name]] = []
    for hit in ranked:
        if all(hit[1] <= start or end <= hit[0] for start, end, _ in kept):
            kept.append(hit)
    return sorted(hit for hit in kept if hit[2].kind != "mask")


def _within_a_name(hit: tuple[int, int, Name], found: list[tuple[int, int, Name]]) -> bool:
    """Tell whether a mask is part of a longer clear name: 长安汽车 makes no 长安, but 长安汽车站 lies there."""
    return hit[2].kind == "mask" and any(
        name.kind != "mask" and name.clear and start <= hit[0] and hit[1] <= end for start, end, name in found
    )


def _rank(hit: tuple[int, int, Name]) -> tuple[bool, bool, bool, int, int]:
    start, end, name = hit
    town = name.kind == "town" or (name.kind == "village" and name.clear)  # 石龙坑 has nothing to do with 石龙
    return name.kind != "mask", not name.clear, not town, start - end, start


def happened(mentions: Iterable[Mention]) -> tuple[str, ...]:
    """Return the units of the mentions with the strongest role, each once; none if that was outside the city."""
    best: dict[str, Role] = {}
    for mention in mentions:
        best[mention.name.unit] = max(mention.role, best.get(mention.name.unit, Role.COMPARED))
    top = max(best.values(), default=Role.COMPARED)
    return tuple(unit for unit, role in best.items() if unit and role is top)
