"""How names are misspelt: by a character that sounds alike, and by any one (`triage.near`). Build time only."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from triage.near import NearNames, parts_of

_TONES = str.maketrans("āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüńňǹḿ", "aaaaeeeeiiiioooouuuuvvvvvnnnm")
_ACCENTS = (
    ("^zh", "z"), ("^ch", "c"), ("^sh", "s"), ("^l", "n"), ("ang$", "an"), ("eng$", "en"), ("ing$", "in"),
)
_FREQUENT = frozenset("是成将十时讲难男称承程打写都其实要到在有和会能高大为从个上下来去说看没里多么动冬洞头投透")
_RARE_SOUNDS = {"滘": {"jiao"}, "埗": {"bu"}, "碣": {"jie"}, "沥": {"ni"}, "涌": {"cong", "yong"}}
_LONGEST_MISSPELT = 3


class Row(msgspec.Struct, frozen=True):
    """A line of a place file."""

    name: str
    unit: str
    kind: str
    strength: str


def readings(dictionary: str) -> dict[str, set[str]]:
    """Return the toneless readings of each character, accents levelled."""
    return {character: set(sounds) for character, sounds in _read(dictionary)}


def first_reading(dictionary: str) -> dict[str, str]:
    """Return the first reading of each character, the usual one."""
    return {character: sounds[0] for character, sounds in _read(dictionary) if sounds}


def _read(dictionary: str) -> Iterator[tuple[str, list[str]]]:
    for line in dictionary.splitlines():
        sounds = re.findall(r"\[([^\]]+)\]\d", line)
        yield line[:1], [_levelled(sound.translate(_TONES)) for sound in sounds]


def _frequent(character: str) -> bool:
    """Tell whether people type it without looking for it: level 1 of GB 2312."""
    try:
        code = character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and 0xB0 <= code[0] <= 0xD7


def _levelled(sound: str) -> str:
    for pattern, flat in _ACCENTS:
        sound = re.sub(pattern, flat, sound)
    return sound


def homophone_rows(names: Sequence[str], sounds: dict[str, set[str]], words: Collection[str]) -> list[Row]:
    """Return every spelling of a short name with one character replaced by a homophone that is no common word."""
    alike: dict[str, set[str]] = defaultdict(set)
    for character, own in sounds.items():
        for sound in own if _frequent(character) else ():
            alike[sound].add(character)
    taken = {*words, *names}
    rows = set()
    for name in names:
        for place, character in enumerate(name) if len(name) <= _LONGEST_MISSPELT else ():
            for sound in sounds.get(character, _RARE_SOUNDS.get(character, set())):
                for other in alike[sound] - {character} - _FREQUENT:
                    spelling = name[:place] + other + name[place + 1 :]
                    if spelling not in taken:
                        rows.add(Row(spelling, name, "misspelling", "weak"))
    owners = Counter(row.name for row in rows)
    return sorted((row for row in rows if owners[row.name] == 1), key=lambda row: (row.unit, row.name))


def near_rows(full: Mapping[str, str], taken: Iterable[str]) -> list[Row]:
    """Return the names of which one character may be wrong, and what is written nearly so but means something else.

    Args:
        full: full names (寮步镇) and the unit of each.
        taken: names of places elsewhere, and words.
    """
    near = NearNames(full, ())
    one = (name for name in sorted(set(taken)) if len({told.unit for told in near.told(name)}) == 1)
    return [
        *(Row(name, unit, "full", "strong") for name, unit in sorted(full.items()) if parts_of(name)),
        *(Row(name, "", "elsewhere", "strong") for name in one),
    ]
