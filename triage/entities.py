"""Phones, ids, times, addresses, organisations, plates and amounts in a text, with spans; and masking for logs.

Numbers are read by `triage.numbers`; times, amounts, addresses and organisations around anchor words
(`triage.anchors`), looked for in a whole batch at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from hotline.appeal import Entity
from triage.anchors import ADDRESS_TAIL, AMOUNT, NUMERALS, STOPS, TIME, Anchor, anchors
from triage.match import Batch, batch_of
from triage.numbers import Span, numbers_in, private_in, starred
from triage.text import Text, normalise

_SAID = re.compile(
    r"(?:举报|投诉|反映|咨询|请问|建议|表扬|感谢|关于|来电人?|市民|本人|业主|居民|一个|某|那边|这边|附近|旁边)+"
)
_NOT_A_ROAD = re.compile(r"[灯面况由程费径牌障基沿线]")
_PART_OF_ORG = re.compile(
    r"(?:第[一二三四五六七八九十]+|中心|人民|实验|外国语)*(?:医院|小学|中学|幼儿园|派出所|卫生院|法院|敬老院|分局|政府)"
    r"|[^,，.。;；:：!！?？、\s的了在是]{0,6}(?:支行|分行|营业部)"
)
_FIRM_STOPS = STOPS - frozenset("为有家把将个对和与同")
"""Firms bear any character in their names."""
_FALSE_ROADS = re.compile(r"(?:马|公|周|成|满|走|一|半|铁|条|修|过|让|上|网|线|思|出|农|全)$")
_CITY = re.compile(r"(?<![超夜菜街门])市$")
"""What may stand before a town's name and belongs to the address: 东莞市南城街道鸿福路."""
_LONGEST_NAME = 12
_AMOUNT, _TIME, _HOUR = Anchor.AMOUNT, Anchor.TIME, Anchor.HOUR
_ORG, _ADDRESS = Anchor.ORG, Anchor.ADDRESS
"""Looked up once: the members of an enum are slow to reach."""
_THOUSANDS = re.compile(r"(?<=[0-9]),[0-9]{3}(?![0-9])")
"""A comma inside a number: 1,200元 is no 200元."""
_ID_LIKE = re.compile(r"(?<!\d)\d{15}(?:\d{2}[0-9Xx])?(?!\d)")
"""For masking, a mistyped id is as private as a right one."""


def find_entities(text: Text) -> tuple[Entity, ...]:
    """Return the entities of a text in order, spans pointing into the original; they do not overlap."""
    return entities_in([text], batch_of([text.clean]))[0]


def entities_in(
    texts: list[Text], batch: Batch, places: Sequence[Collection[int]] | None = None
) -> list[tuple[Entity, ...]]:
    """Return the entities of each text.

    Args:
        batch: the texts' clean forms.
        places: for each text, where in its clean form names of known places start; addresses begin there.
    """
    known = places or [()] * len(texts)
    return [_apart(*one) for one in zip(texts, anchors().find(batch), known, strict=True)]


def _apart(text: Text, hits: list[tuple[int, int, Anchor]], places: Collection[int]) -> tuple[Entity, ...]:
    taken: list[Span] = []
    for span in _all(text.clean, hits, places):
        if not any(span[0] < end and start < span[1] for start, end, _ in taken):
            taken.append(span)
    return tuple(_entity(text, *span) for span in sorted(taken))


def _entity(text: Text, start: int, end: int, name: str) -> Entity:
    begin, finish = text.span(start, end)
    return Entity(name, text.raw[begin:finish], begin, finish)


def _all(clean: str, hits: list[tuple[int, int, Anchor]], places: Collection[int]) -> Iterator[Span]:
    """Yield what is found, the surest kinds first."""
    yield from numbers_in(clean)
    for start, _, kind in hits:
        if kind is _AMOUNT:
            yield from _read(clean, start, kind)
    for start, _, kind in hits:
        if kind is _TIME or kind is _HOUR:
            yield from _read(clean, start, kind)
    yield from _named(clean, hits, places)


def _read(clean: str, start: int, kind: Anchor) -> Iterator[Span]:
    """Read an amount or a time that starts at, or whose numeral ends at, an anchor."""
    if kind is not _TIME:
        while start > 0 and (clean[start - 1] in NUMERALS or _THOUSANDS.match(clean, start - 1)):
            start -= 1
    pattern, name = (AMOUNT, "amount") if kind is _AMOUNT else (TIME, "time")
    match = pattern.match(clean, start)
    if match is not None and match.group() not in ("一点", "一时", "一块"):
        yield match.start(), match.end(), name


def _named(clean: str, hits: list[tuple[int, int, Anchor]], places: Collection[int]) -> Iterator[Span]:
    """Read organisations and addresses: a name that ends in an anchor, back to the word before it."""
    last = 0
    for start, end, kind in hits:
        if start < last or (kind is not _ORG and kind is not _ADDRESS):
            continue
        begin = _name_start(clean, start, last, _FIRM_STOPS if clean.endswith("公司", start, end) else STOPS)
        town = min((place for place in places if begin <= place < start), default=-1) if kind is _ADDRESS else -1
        if town >= 0 and not _CITY.search(clean, begin, town):
            begin = town
        if start - begin < 2 or _part_of_a_name(clean, begin, start, end, kind, town == begin):
            continue
        if kind is _ADDRESS:
            tail = ADDRESS_TAIL.match(clean, end)
            end = tail.end() if tail else end
        yield begin, end, kind.value
        last = end


def _part_of_a_name(clean: str, begin: int, start: int, end: int, kind: Anchor, town: bool) -> bool:
    """Tell whether the anchor belongs to something else: 南城路灯 is no road, 塘厦镇 of 塘厦镇人民医院 no address."""
    if _PART_OF_ORG.match(clean, end):
        return True
    if kind is not _ADDRESS:
        return False
    lamp = town and start - begin == 2 and clean[start:end] == "路" and _NOT_A_ROAD.match(clean, end)
    return bool(lamp or _FALSE_ROADS.search(clean, begin, start))


def _name_start(clean: str, start: int, floor: int, stops: Collection[str]) -> int:
    """Return where the name before an anchor begins: after the last stop, after words of reporting and of time."""
    begin = start
    while begin > floor and start - begin < _LONGEST_NAME and clean[begin - 1] not in stops:
        begin -= 1
    for pattern in (_SAID, TIME, _SAID):
        found = pattern.match(clean, begin, start)
        if found is not None and start - found.end() >= 2:
            begin = found.end()
    return begin


def mask(text: str) -> str:
    """Return `text` fit for logs: phones, ids and plates keep only their ends (domain.md section 8)."""
    [clean] = normalise([text])
    spans = [*private_in(clean.clean), *((*match.span(), "id") for match in _ID_LIKE.finditer(clean.clean))]
    return starred(text, ((*clean.span(start, end), name) for start, end, name in spans))
