"""`python -m triage.gazetteer_build --city cities/441900`: writes a city's villages and homophones (build time only).

Reads the dictionaries of JioNLP (Apache-2.0, from PyPI: villages of China, readings of characters) and the word list of
jieba (MIT), none of which is needed at run time; writes `places/villages.csv` and `places/homophones.csv`. The format
is described in places/README.md. A name that is also a common word, or that several units share, is written as `weak`.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import msgspec

_TONES = str.maketrans("āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüńňǹḿ", "aaaaeeeeiiiioooouuuuvvvvvnnnm")
_ACCENTS = (
    ("^zh", "z"), ("^ch", "c"), ("^sh", "s"), ("^l", "n"), ("ang$", "an"), ("eng$", "en"), ("ing$", "in"),
)
_SUFFIX = re.compile(r"(?:社区居委会|村委会|居委会|社区|村|生活区|街道|镇)$")
_FREQUENT = frozenset("是成将十时讲难男称承程打写都其实要到在有和会能高大为从个上下来去说看没里多么动冬洞头投透")


class Row(msgspec.Struct, frozen=True):
    """A line of a place file."""

    name: str
    unit: str
    kind: str
    strength: str


def package_file(package: str, *parts: str) -> Path:
    """Return a file inside an installed package, without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is not installed: pip install --no-deps {package}")
    return Path(spec.submodule_search_locations[0]).joinpath(*parts)


def zipped(name: str) -> str:
    """Return the one text file in a zipped dictionary of JioNLP."""
    with zipfile.ZipFile(package_file("jionlp", "dictionary", f"{name}.zip")) as archive:
        return archive.read(archive.namelist()[0]).decode("utf-8")


def common_words() -> frozenset[str]:
    """Return the words of jieba's dictionary."""
    lines = package_file("jieba", "dict.txt").read_text("utf-8").splitlines()
    return frozenset(line.split()[0] for line in lines)


def villages_of(code: str) -> Iterator[tuple[str, str]]:
    """Yield (town, village) of the city with this code, as JioNLP's china_location.txt has them."""
    inside, town = False, ""
    for line in zipped("china_location").splitlines():
        depth = len(line) - len(line.lstrip("\t"))
        fields = line.split()
        if not fields:
            continue
        if depth <= 1:
            inside = len(fields) > 1 and fields[1] == code
        elif inside and depth == 3:
            town = fields[0]
        elif inside and depth == 4:
            yield town, fields[0]


def village_rows(units: list[str], code: str) -> list[Row]:
    """Return a row for each village; weak where the bare name says too little."""
    short = {town: next((u for u in units if town.startswith(u)), "") for town, _ in villages_of(code)}
    pairs = sorted({(short[town], _SUFFIX.sub("", village)) for town, village in villages_of(code) if short[town]})
    owners = Counter(name for _, name in pairs)
    words = common_words()
    rows = []
    for unit, name in pairs:
        if len(name) < 2 or name == unit:
            continue
        clear = len(name) > 2 and owners[name] == 1 and name not in words and name not in units
        rows.append(Row(name, unit, "village", "strong" if clear else "weak"))
    return rows


def readings() -> dict[str, set[str]]:
    """Return the toneless readings of each frequent character (GB 2312, level 1), accents levelled."""
    found: dict[str, set[str]] = {}
    for line in zipped("chinese_char_dictionary").splitlines():
        character = line[:1]
        if _level_one(character):
            sounds = re.findall(r"\[([^\]]+)\]\d", line)
            found[character] = {_levelled(sound.translate(_TONES)) for sound in sounds}
    return found


def _level_one(character: str) -> bool:
    try:
        code = character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and 0xB0 <= code[0] <= 0xD7


def _levelled(sound: str) -> str:
    for pattern, flat in _ACCENTS:
        sound = re.sub(pattern, flat, sound)
    return sound


def homophone_rows(units: list[str]) -> list[Row]:
    """Return every spelling of a unit with one character replaced by a homophone that is no common word."""
    sounds = readings()
    alike: dict[str, set[str]] = defaultdict(set)
    for character, own in sounds.items():
        for sound in own:
            alike[sound].add(character)
    words = common_words() | set(units)
    rows = set()
    for unit in units:
        name = _SUFFIX.sub("", unit)
        for place, character in enumerate(name):
            for sound in sounds.get(character, _extra(character)):
                for other in alike[sound] - {character} - _FREQUENT:
                    spelling = name[:place] + other + name[place + 1 :]
                    if spelling not in words:
                        rows.add(Row(spelling, unit, "misspelling", "weak"))
    owners = Counter(row.name for row in rows)
    return sorted((row for row in rows if owners[row.name] == 1), key=lambda row: (row.unit, row.name))


def _extra(character: str) -> set[str]:
    return {"滘": {"jiao"}, "埗": {"bu"}, "碣": {"jie"}, "沥": {"ni"}, "涌": {"cong", "yong"}}.get(character, set())


def _write(path: Path, rows: list[Row]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row.__struct_fields__)
    writer.writerows(msgspec.structs.astuple(row) for row in rows)
    path.write_text(text.getvalue(), "utf-8")


def main() -> None:
    """Write both files for the city in `--city`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, required=True, help="folder of the city, for example cities/441900")
    folder = parser.parse_args().city
    units = [
        row["name"]
        for row in csv.DictReader((folder / "units.csv").read_text("utf-8").splitlines())
        if row["kind"] in ("town", "park")
    ]
    _write(folder / "places" / "villages.csv", village_rows(units, folder.name))
    _write(folder / "places" / "homophones.csv", homophone_rows([unit for unit in units if len(unit) <= 3]))


if __name__ == "__main__":
    main()
