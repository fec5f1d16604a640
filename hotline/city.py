"""A city as data: `load_city(cities/441900)` reads everything that a city can replace by editing files.

The format is described in docs/city.md. All mistakes are reported at once, each with its file and line, so that an
editor mends them in one go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from hotline.city_files import CityFiles
from hotline.city_policy import policy_of
from hotline.errors import InvalidInput
from hotline.policy import Policy
from hotline.terms import Kind
from routing.directory import Directory, Unit
from routing.directory_table import COLUMNS, UNIT_COLUMNS, assemble, read_rules, read_units
from routing.priority import PriorityRules


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A second-level category: `code` is four digits, `l1` its first two."""

    l1: str
    l1_name: str
    code: str
    l2: str


Seconds = Annotated[float, msgspec.Meta(gt=0)]


class EmergencyTimers(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: verdict for a text, acknowledgement by 110, and signature of a pushed incident."""

    verdict_within: Seconds
    acknowledge_within: Seconds
    sign_within: Seconds


class City(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the software knows of one city.

    `area_code` begins with 0; `places` is the folder of the gazetteer (`triage.gazetteer`).
    """

    name: str
    code: str
    prefix: str
    area_code: str
    policy: Policy
    emergency: EmergencyTimers
    priorities: PriorityRules
    categories: tuple[Label, ...]
    directories: tuple[Directory, ...]
    places: Path

    @property
    def directory(self) -> Directory:
        """Return the newest version of the dispatch directory."""
        return self.directories[-1]

    def code_of(self, l1: str, l2: str) -> str:
        """Return the four-digit code of a category, `l1` + "99" where it is unknown."""
        return next((c.code for c in self.categories if (c.l1, c.l2) == (l1, l2)), f"{l1}99")


def load_city(path: Path) -> City:
    """Read the city in the folder `path`.

    Raises:
        InvalidInput: one or more files are wrong; the detail lists every mistake with file and line.
    """
    reader = CityFiles(path)
    settings = reader.settings()
    categories = _categories(reader, settings)
    city = reader.attempt("city.toml", lambda: _city(reader, settings, categories), None)
    if city is None or reader.wrong:
        raise InvalidInput(f"{path} 有误:\n" + "\n".join(reader.wrong), error_id="city_invalid")
    return city


def _city(reader: CityFiles, settings: Mapping[str, Any], categories: tuple[Label, ...]) -> City:
    places = reader.folder / settings["files"]["places"]
    if not places.is_dir():
        reader.wrong.append(f"city.toml: 没有地名目录 {places.name}/")
    return City(
        name=str(settings["name"]),
        code=str(settings["code"]),
        prefix=_prefix(settings["prefix"]),
        area_code=_area_code(settings["area_code"]),
        policy=policy_of(reader, settings, {(label.l1, label.l2) for label in categories}),
        emergency=msgspec.convert(settings["emergency"], EmergencyTimers),
        priorities=_priorities(settings["priorities"], categories),
        categories=categories,
        directories=_directories(reader, settings, categories),
        places=places,
    )


def _prefix(value: str) -> str:
    if len(value) != 2 or not value.isascii() or not value.isupper():
        raise ValueError("prefix 应为两个大写字母")
    return value


def _area_code(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch("0[1-9][0-9]{1,2}", value):
        raise ValueError('area_code 应为加引号的区号, 如 "0769"')
    return value


def _categories(reader: CityFiles, settings: Mapping[str, Any]) -> tuple[Label, ...]:
    name = str(settings.get("files", {}).get("categories", "categories.csv"))
    found: dict[str, Label] = {}
    for where, row, _ in reader.rows(name, ("l1", "l1_name", "code", "l2")):
        if not row["code"].isdigit() or len(row["code"]) != 4 or row["code"][:2] != row["l1"]:
            reader.wrong.append(f"{where}: code 应为四位数字, 前两位是 l1")
        elif row["code"] in found:
            reader.wrong.append(f"{where}: code {row['code']} 重复")
        else:
            found[row["code"]] = Label(**row)
    return tuple(found.values())


def _directories(
    reader: CityFiles, settings: Mapping[str, Any], categories: tuple[Label, ...]
) -> tuple[Directory, ...]:
    units = _units(reader, str(settings["files"]["units"]))
    versions = [_directory(reader, entry, units, categories) for entry in settings["directories"]]
    if not versions:
        raise ValueError("[[directories]] 至少要有一个版本")
    return tuple(sorted(versions, key=lambda d: d.effective_from))


def _units(reader: CityFiles, name: str) -> list[Unit]:
    units, wrong = read_units(reader.rows(name, UNIT_COLUMNS))
    reader.wrong.extend(wrong)
    return units


def _directory(
    reader: CityFiles, entry: Mapping[str, Any], units: Sequence[Unit], categories: Sequence[Label]
) -> Directory:
    name = str(entry["file"])
    known = {(label.l1, label.l2) for label in categories}
    rules, wrong = read_rules(reader.rows(name, COLUMNS), known)
    directory, wrong_together = assemble(
        version=str(entry["version"]), effective_from=entry["effective_from"], units=units, rules=rules,
        categories=known,
    )
    reader.wrong.extend([*wrong, *(f"{name}: {mistake}" for mistake in wrong_together)])
    return directory


def _priorities(table: Mapping[str, Any], categories: Sequence[Label]) -> PriorityRules:
    unknown = [name for level in ("P1", "P2") for name in table[level] if name not in {c.l2 for c in categories}]
    if unknown:
        raise ValueError(f"[priorities] 中的事项不存在: {'、'.join(unknown)}")
    return PriorityRules(
        kinds=frozenset(Kind(kind) for kind in table["kinds"]),
        p1=frozenset(table["P1"]),
        p2=frozenset(table["P2"]),
    )
