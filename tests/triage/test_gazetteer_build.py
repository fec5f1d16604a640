"""`city init`: place files for cities with districts, with towns only, and of county rank, from small dictionaries."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from hotline.__main__ import main
from hotline.errors import InvalidInput
from triage.dictionaries import Dictionaries
from triage.gazetteer import load_gazetteer
from triage.gazetteer_build import (
    city_of,
    elsewhere,
    near_names,
    outside_rows,
    place_rows,
    village_rows,
    write_city,
)
from triage.homophones import homophone_rows, near_rows, readings

LOCATION = """广东省\t440000\t广东
\t东莞市\t441900\t东莞
\t\t市直辖行政区划\t441900\t市直辖
\t\t\t寮步镇
\t\t\t\t凫山村
\t\t\t\t中心社区
\t\t\t道滘镇
\t\t\t\t大罗沙村委会
\t\t\t\t中心社区
\t广州市\t440100\t广州
\t\t天河区\t440106\t天河
\t\t\t石牌街道
\t\t\t\t石牌东社区居委会
\t\t\t新塘街道
\t\t增城区\t440118\t增城
\t\t\t新塘镇
\t\t\t\t大墩村
湖北省\t420000\t湖北
\t省直辖县级行政区划\t429000\t省直辖
\t\t仙桃市\t429004\t仙桃
\t\t\t沙嘴街道
\t\t\t\t沙嘴社区
"""
CHARACTERS = """寮\t[liáo]1:x
廖\t[liào]1:x
料\t[liào]1:x
步\t[bù]1:x
部\t[bù]1:x
道\t[dào]1:x
窖\t[jiào]1:x
叫\t[jiào]1:x
"""
WORDS = "部 1 n\n中心 9 n\n料步 1 n\n"


@pytest.fixture
def dictionaries(tmp_path: Path) -> Dictionaries:
    folder = tmp_path / "dictionary"
    folder.mkdir()
    for name, text in (("china_location", LOCATION), ("chinese_char_dictionary", CHARACTERS)):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.writestr(f"{name}.txt", text)
    (folder / "dict.txt").write_text(WORDS, "utf-8")
    return Dictionaries(folder, folder / "dict.txt")


@pytest.mark.parametrize(
    ("code", "city", "units"),
    [
        ("441900", "东莞市", ["寮步", "道滘"]), ("440100", "广州市", ["天河", "增城"]), ("429004", "仙桃市", ["沙嘴"]),
    ],
)
def test_units_are_towns_or_districts(code: str, city: str, units: list[str]) -> None:
    found, parts = city_of(LOCATION, code)
    assert (found, [part.short for part in parts]) == (city, units)


@pytest.mark.parametrize("code", ["999999", "", "44190", "东莞"])
def test_an_unknown_code_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        city_of(LOCATION, code)
    assert caught.value.error_id == "city_unknown"


def test_villages_are_clear_or_need_context() -> None:
    rows = {(row.name, row.unit): row.strength for row in village_rows(city_of(LOCATION, "441900")[1], {"中心"})}
    assert rows == {
        ("凫山", "寮步"): "weak", ("中心", "寮步"): "weak", ("中心", "道滘"): "weak", ("大罗沙", "道滘"): "strong",
    }


def test_towns_of_a_district_are_its_aliases_unless_two_share_a_name() -> None:
    rows = {(row.name, row.unit, row.strength) for row in place_rows(city_of(LOCATION, "440100")[1], set())}
    assert ("天河", "天河", "strong") in rows
    assert ("石牌街道", "天河", "strong") in rows
    assert ("石牌", "天河", "weak") in rows
    assert ("新塘镇", "增城", "strong") in rows
    assert not any(name == "新塘" for name, _, _ in rows), "two districts have a 新塘"


def test_other_cities_are_outside() -> None:
    names = {row.name for row in outside_rows(LOCATION, "东莞市")}
    assert {"广州", "广州市", "湖北"} <= names
    assert not {"东莞", "东莞市", "市直辖行政区划"} & names


@pytest.mark.parametrize(
    "text",
    [
        "天河区人民医院门口的路灯坏了", "广东广州天河区路灯坏了", "广东省广州天河区路灯坏了", "广东省天河区路灯坏了",
        "广东省广州市天河区天河汽车厂噪声扰民",
    ],
)
def test_a_city_hides_none_of_its_own_districts(text: str, tmp_path: Path, dictionaries: Dictionaries) -> None:
    write_city(tmp_path, "440100", dictionaries)
    assert load_gazetteer(tmp_path / "places", "广州").towns(text) == ("天河",)


def test_what_a_city_lies_in_is_not_outside() -> None:
    location = LOCATION + "江苏省\t320000\t江苏\n\t苏州市\t320500\t苏州\n\t\t昆山市\t320583\t昆山\n"
    kinds = {row.name: row.kind for row in outside_rows(location, "昆山市")}
    assert {name for name, kind in kinds.items() if kind == "mask"} == {"江苏", "江苏省", "苏州", "苏州市"}
    assert {kinds[name] for name in ("广东", "广州", "湖北省")} == {"outside"}


def test_homophones_are_no_words_and_no_names() -> None:
    sounds = readings(CHARACTERS)
    found = {row.name: row.unit for row in homophone_rows(["寮步", "道滘"], sounds, {"料步"})}
    assert found["廖步"] == "寮步"
    assert found["道窖"] == "道滘"
    assert "料步" not in found


def test_what_is_near_to_a_name_and_means_something_else_is_written() -> None:
    full = near_names(city_of(LOCATION, "441900")[1], ["寮步", "松山湖高新区"])
    rows = near_rows(full, {*elsewhere(LOCATION + "\t\t\t黄步镇\n"), "脚步", "今天", "寮步"})
    assert [(row.name, row.unit, row.kind) for row in rows] == [
        ("寮步镇", "寮步", "full"), ("松山湖高新区", "松山湖高新区", "full"), ("道滘镇", "道滘", "full"),
        ("脚步", "", "elsewhere"), ("黄步", "", "elsewhere"),
    ]


def test_what_is_written_loads_and_keeps_what_was_edited(tmp_path: Path, dictionaries: Dictionaries) -> None:
    folder = tmp_path / "441900"
    written = write_city(folder, "441900", dictionaries)
    made = {f"places/{name}.csv" for name in ("villages", "homophones", "near", "places", "outside")}
    assert made <= set(written)
    gazetteer = load_gazetteer(folder / "places")
    assert gazetteer.towns("寮步镇凫山村停水") == ("寮步",)
    assert gazetteer.towns("廖步镇路灯坏了") == ("寮步",)
    assert gazetteer.towns("道窑镇路灯坏了") == ("道滘",)
    assert gazetteer.towns("广州的亲戚说的") == ()
    (folder / "places/places.csv").write_text("name,unit,kind,strength\n寮步,寮步,town,strong\n", "utf-8")
    again = write_city(folder, "441900", dictionaries, units=["寮步"])
    assert "places/places.csv" not in again
    assert "units.csv" not in again
    assert "道滘" not in (folder / "places/villages.csv").read_text("utf-8")


def test_a_missing_dictionary_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        Dictionaries(tmp_path, tmp_path / "dict.txt").text("china_location")
    assert caught.value.error_id == "dictionary_unreadable"


def test_the_command(tmp_path: Path, dictionaries: Dictionaries, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "city"
    given = ["city", "init", "--out", str(out), "--dictionaries", str(tmp_path / "dictionary")]
    assert main([*given, "--code", "440100"]) == 0
    told = capsys.readouterr().out
    assert f"{out / 'places/villages.csv'}: " in told
    assert "city.toml is missing" in told
    assert main([*given, "--code", "123456"]) == 2
    assert "123456" in capsys.readouterr().err
