"""`python -m hotline city init`: a city's place files from dictionaries, for any city of China. Build time only.

The format is told in cities/441900/places/README.md. A name that is also a common word, or that several units share, is
written as `weak`.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from hotline.errors import InvalidInput
from triage.dictionaries import Dictionaries
from triage.homophones import Row, homophone_rows, near_rows, readings

_VILLAGE = re.compile(r"(?:社区居委会|居民委员会|村民委员会|村委会|居委会|社区|村|生活区)$")
_TOWN = re.compile(r"(?:街道办事处|街道|镇|乡|地区|农场|林场)$")
_DISTRICT = re.compile(r"(?:自治县|新区|区|县|市)$")
_ANY = re.compile(
    r"(?<=..)(?:街道办事处|街道|镇|乡|地区|农场|林场|管委会|高新区|开发区|园区|新区|自治县|自治州|县|市|区|省)$"
)
_TOWN_DEPTH = 3
_DIRECT = re.compile(r"(?:直辖行政区划|行政区划)$")


class Unit(msgspec.Struct, frozen=True):
    """A unit of the city, a town or a district: its short name, its full one, and (town, village) of all in it."""

    short: str
    full: str
    villages: tuple[tuple[str, str], ...]


def city_of(location: str, code: str) -> tuple[str, list[Unit]]:
    """Return the city's name and its units: districts, or towns where it has no districts.

    Args:
        location: JioNLP's china_location, a tree by tabs: province, city, county, town, village.
        code: six digits of GB/T 2260, of a prefecture, a municipality, or a county-level city.

    Raises:
        InvalidInput: there is no such city.
    """
    lines = list(_regions(location))
    starts = [number for number, (_, fields) in enumerate(lines) if len(fields) > 1 and fields[1] == code]
    if not starts:
        raise InvalidInput(f"词典里没有代码为{code}的城市(应为六位行政区划代码, 如441900)", error_id="city_unknown")
    start = starts[-1] if _DIRECT.search(lines[starts[-1]][1][0]) is None else starts[0]
    depth, fields = lines[start]
    below = []
    for level, found in lines[start + 1 :]:
        if level <= depth:
            break
        below.append((level - depth, found))
    return fields[0], list(_units(below, towns=depth >= 2))


def _regions(location: str) -> Iterator[tuple[int, list[str]]]:
    """Yield how deep a region stands in the tree, and what is told of it: its name, code, short name."""
    for line in location.splitlines():
        if fields := line.split():
            yield len(line) - len(line.lstrip("\t")), fields


def _units(below: Sequence[tuple[int, list[str]]], *, towns: bool) -> Iterator[Unit]:
    """Yield the units under a city: districts at level 1; towns, where `towns` or where no districts stand between."""
    direct = False
    unit: tuple[str, str] | None = None
    town, villages = "", list[tuple[str, str]]()
    for level, fields in below:
        name = fields[0]
        if level == 1:
            direct = bool(_DIRECT.search(name))
        unit_level = 2 if direct else 1
        if level == unit_level:
            if unit is not None:
                yield Unit(*unit, tuple(villages))
            unit, villages = (_short(fields, town=towns or direct), name), []
            town = name if towns or direct else ""
        elif level > unit_level and not towns and not direct and level == unit_level + 1:
            town = name
            villages.append((town, ""))
        elif level > unit_level:
            villages.append((town, name))
    if unit is not None:
        yield Unit(*unit, tuple(villages))


def _short(fields: Sequence[str], *, town: bool) -> str:
    told = fields[2] if len(fields) > 2 and not town else fields[0]
    short = (_TOWN if town else _DISTRICT).sub("", told)
    return short if len(short) > 1 else fields[0]


def place_rows(units: Sequence[Unit], words: Collection[str]) -> list[Row]:
    """Return a row for each unit and, where units are districts, for each town in them."""
    rows = [Row(unit.short, unit.short, "town", "strong") for unit in units]
    rows += [Row(unit.full, unit.short, "alias", "strong") for unit in units if unit.full != unit.short]
    named = {row.name for row in rows}
    towns = {(unit.short, town) for unit in units for town, _ in unit.villages if town and town != unit.full}
    owners = Counter(name for _, town in towns for name in {town, _TOWN.sub("", town)})
    for unit, town in sorted(towns):
        short = _TOWN.sub("", town)
        for name in dict.fromkeys((town, short)):
            if len(name) > 1 and name not in named and owners[name] == 1:
                clear = name == town or (len(name) > 2 and name not in words)
                rows.append(Row(name, unit, "alias", "strong" if clear else "weak"))
    return rows


def village_rows(units: Sequence[Unit], words: Collection[str]) -> list[Row]:
    """Return a row for each village; weak where the bare name says too little."""
    pairs = sorted({(unit.short, _VILLAGE.sub("", name)) for unit in units for _, name in unit.villages if name})
    owners = Counter(name for _, name in pairs)
    shorts = {unit.short for unit in units}
    rows = []
    for unit, name in pairs:
        if len(name) < 2 or name == unit:
            continue
        clear = len(name) > 2 and owners[name] == 1 and name not in words and name not in shorts
        rows.append(Row(name, unit, "village", "strong" if clear else "weak"))
    return rows


def outside_rows(location: str, city: str) -> list[Row]:
    """Return a row for every other city and province of China: what is named after one lies not here. Those in which
    the city lies itself are masks: 广东 hides a name half in it, and 广东省天河区 is here."""
    above = _above(location, city)
    found: dict[str, str] = {}
    for depth, fields in _regions(location):
        if depth <= 1 and len(fields) > 2 and fields[0] != city and not _DIRECT.search(fields[0]):
            found |= dict.fromkeys((fields[0], fields[2]), "mask" if fields[0] in above else "outside")
    named = ((name, kind) for name, kind in found.items() if len(name) > 1 and not city.startswith(name))
    return [Row(name, "", kind, "strong") for name, kind in named]


def _above(location: str, city: str) -> set[str]:
    """Return the province of the city and, of one of county rank, its prefecture."""
    above = set[str]()
    path: list[str] = []
    for depth, fields in _regions(location):
        if depth <= 2:
            path[depth:] = [fields[0]]
            above.update(path[:-1] if fields[0] == city else ())
    return above


def near_names(units: Sequence[Unit], names: Sequence[str]) -> dict[str, str]:
    """Return the full names of units, of towns in them and of what only units.csv knows (parks), with their units."""
    found = {town: unit.short for unit in units for town, _ in unit.villages if town}
    return found | {unit.full: unit.short for unit in units} | {name: name for name in names if name not in found}


def elsewhere(location: str) -> set[str]:
    """Return the short name of every province, city, county and town of China."""
    found = (fields for depth, fields in _regions(location) if depth <= _TOWN_DEPTH)
    return {_ANY.sub("", name) for fields in found for name in fields if name[0] > "9"}


def write_city(folder: Path, code: str, dictionaries: Dictionaries, units: Sequence[str] = ()) -> dict[str, int]:
    """Write the place files of a city; what people edit by hand (places.csv, units.csv) is never overwritten.

    Args:
        folder: the city's folder; made where missing.
        units: names of the city's towns and parks, where units.csv has them already.

    Returns:
        The lines written, by file.

    Raises:
        InvalidInput: no such city, or a dictionary is missing.
    """
    location, words = dictionaries.text("china_location"), dictionaries.words()
    city, found = city_of(location, code)
    if units:
        found = [renamed for unit in found if (renamed := _renamed(unit, units)) is not None]
    names = [unit.short for unit in found]
    files = {
        "places/villages.csv": village_rows(found, words),
        "places/near.csv": near_rows(near_names(found, units), {*elsewhere(location), *words}),
        "places/homophones.csv": homophone_rows(names, readings(dictionaries.text("chinese_char_dictionary")), words),
    }
    if not (folder / "places/places.csv").exists():
        files["places/places.csv"] = place_rows(found, words)
        files["places/outside.csv"] = outside_rows(location, city)
    (folder / "places").mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        _write(folder / name, Row.__struct_fields__, [msgspec.structs.astuple(row) for row in rows])
    written = {name: len(rows) for name, rows in files.items()}
    if not (folder / "units.csv").exists():
        _write(folder / "units.csv", ("name", "kind", "overlaps", "duties"), [(name, "town", "", "") for name in names])
        written["units.csv"] = len(names)
    return written


def _renamed(unit: Unit, names: Sequence[str]) -> Unit | None:
    """Give a unit the name that units.csv has for it, None where it has none."""
    known = next((name for name in names if unit.full.startswith(name)), None)
    return Unit(known, unit.full, unit.villages) if known else None


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(text.getvalue(), "utf-8")
