"""Names of towns and parks with one wrong, missing or added character: 洪海镇 is 洪梅镇, 望墩镇 is 望牛墩镇.

Only where 镇, 街道, 园区 … say that one is meant, exactly one name of the city is that near, and what is written is
neither the name of a town of another place nor a common word (`triage.homophones` writes the lists).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

_PARK = "园区"
_ENDINGS = {
    "街道": "街道", "办事处": "街道", "镇": "镇", "高新区": _PARK, "新区": _PARK, "园区": _PARK, "功能区": _PARK,
    "开发区": _PARK, "管委会": _PARK,
}
"""Words after a name, and what each says it to be: whatever else a park is called, it is a park."""
_FULL = re.compile(rf"(.{{2,}}?)({'|'.join(_ENDINGS)})")
_ENDING = re.compile(rf"(?:{'|'.join(_ENDINGS)})(?<!镇(?=[静压痛定流江海宁守化上里]))")
_LONG = 3
"""Characters of a name of which one may be missing: what is left of a shorter one tells too little."""
_NEVER = frozenset(
    "的了在是我你他们个这那有和与去到过来归由上下里多都也就不没从往向对把被让给请每各本该某全外内前后新古小大地属"
    "一二三四五六七八九十两几百千万半"
)
"""What no wrong character is: 归镇里管 speaks of no 归镇, and 两万五镇上说 of no 万五镇."""
_BORDER = frozenset(
    " \t\n,.。;:!?、()（）“”\"'《【[-~的了在喺再于到去从来往住是系属居家们本我和与及跟向给对由请让"
    "诉映报问询议求告找望谢扬促经过回办址名年月日号天前后上晚午早时点"
)
"""What may stand before a name, or its city. Elsewhere the first character is likelier part of a word (步道归镇里), and
after 县 or 市 the name one of another city."""
_HAN = "\u4e00", "\u9fff"
_GAP = "\0"


def parts_of(full: str) -> tuple[str, str] | None:
    """Return the name in a full one (寮步镇) and what it is; None where a wrong character would tell too little."""
    found = _FULL.fullmatch(full)
    if found is None or (_ENDINGS[found[2]] == _PARK and len(found[1]) < _LONG):
        return None
    return found[1], _ENDINGS[found[2]]


class Told(NamedTuple):
    """A name that one character makes of what is written: its unit, and what it is (镇, 街道, 园区)."""

    bare: str
    unit: str
    kind: str


class NearNames:
    """Finds the names. Built once, shared freely.

    Args:
        full: names with the word that says what they are (寮步镇), and the unit of each.
        elsewhere: what is written so and means none of them.
        city: its name, which may stand before.
    """

    def __init__(self, full: Mapping[str, str], elsewhere: Collection[str], city: str = "") -> None:
        self._elsewhere = frozenset(elsewhere)
        self._here = (city, f"{city}市") if city else ()
        self._spelt: dict[str, set[Told]] = {}
        self._names: set[str] = set()
        for name, unit in full.items():
            if (parts := parts_of(name)) is not None:
                self._learn(Told(parts[0], unit, parts[1]))
        self._longest = max(map(len, self._spelt), default=0)

    def _learn(self, told: Told) -> None:
        bare = told.bare
        self._names.add(bare)
        spellings = [bare[:at] + _GAP + bare[at + 1 :] for at in range(len(bare))]
        spellings += [bare[:at] + _GAP + bare[at:] for at in range(1, len(bare))]
        if len(bare) >= _LONG:
            spellings += [bare[:at] + bare[at + 1 :] for at in range(len(bare))]
        for spelling in spellings:
            self._spelt.setdefault(spelling, set()).add(told)

    def told(self, written: str) -> set[Told]:
        """Return the names that one character makes of what is written, none for a right name."""
        if written in self._names:
            return set()
        found = set(self._spelt.get(written, ()))
        for at, character in enumerate(written):
            if _HAN[0] <= character <= _HAN[1] and character not in _NEVER:
                found |= self._spelt.get(written[:at] + _GAP + written[at + 1 :], set())
        return found

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield where in a clean text such a name begins and ends, and its unit."""
        for ending in _ENDING.finditer(text) if self._spelt else ():
            end = ending.start()
            written = [text[start:end] for start in range(max(0, end - self._longest), end - 1)]
            if any(one in self._names or one in self._elsewhere for one in written):
                continue
            near = [(one, self.told(one)) for one in written if self._begins(text, end - len(one))]
            units = {told.unit for _, found in near for told in found}
            kinds = {told.kind for _, found in near for told in found}
            if len(units) == 1 and _ENDINGS[ending[0]] in kinds:
                longest = max((one for one, found in near if found), key=len)
                yield end - len(longest), end, units.pop()

    def _begins(self, text: str, start: int) -> bool:
        return start == 0 or text[start - 1] in _BORDER or text.endswith(self._here, 0, start)
