"""The city files: Dongguan's load, the calendar, and every mistake told at once with file and line."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hotline.city import City, load_city
from hotline.clocks import at_dispatch, at_receipt
from hotline.deadlines import WorkingTime
from hotline.errors import InvalidInput
from hotline.terms import Kind, Priority, Verdict
from routing.directory import UnitKind
from routing.priority import priority_of

DONGGUAN = Path("cities/441900")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DONGGUAN, tmp_path / "city"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_dongguan_is_whole() -> None:
    city = load_city(DONGGUAN)
    kinds = [unit.kind for unit in city.directory.units.values()]
    assert (city.name, city.code, city.prefix) == ("东莞", "441900", "DG")
    assert (kinds.count(UnitKind.TOWN), kinds.count(UnitKind.PARK)) == (32, 4)
    assert len({label.l1 for label in city.categories}) == 20
    assert {c.l1 for c in city.categories if c.code.endswith("99")} == {c.l1 for c in city.categories}
    assert set(city.directory.rules) == {(label.l1, label.l2) for label in city.categories}


def test_clocks_are_those_of_the_domain() -> None:
    policy = load_city(DONGGUAN).policy
    friday = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    clocks = at_dispatch(at_receipt(friday, Kind.COMPLAINT, policy), friday, Priority.P3, Kind.COMPLAINT, None, policy)
    assert clocks.sign_due == datetime(2026, 11, 20, 6, 0, 0, tzinfo=UTC).replace(hour=4)
    assert clocks.completion_due is not None
    assert clocks.completion_due.date() == date(2026, 12, 4)
    assert policy.ceiling[Kind.ENQUIRY] == WorkingTime(2)
    assert policy.allowances[Priority.P1].sign is not None
    assert policy.allowances[Priority.P0].sign is None


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 10, 1), False), (date(2026, 10, 10), True), (date(2026, 11, 21), False), (date(2026, 11, 20), True),
        (date(2027, 1, 1), False), (date(2027, 5, 1), False), (date(2027, 3, 1), True),
    ],
)
def test_holidays_and_make_up_days(day: date, works: bool) -> None:
    assert load_city(DONGGUAN).policy.calendar.is_working_day(day) is works


def test_the_override_file_wins(copy: Path) -> None:
    (copy / "calendar.csv").write_text("date,working,note\n2026-11-20,no,台风\n2026-11-21,yes,补班\n", "utf-8")
    calendar = load_city(copy).policy.calendar
    assert not calendar.is_working_day(date(2026, 11, 20))
    assert calendar.is_working_day(date(2026, 11, 21))


@pytest.mark.parametrize(
    ("verdict", "l2", "kind", "expected"),
    [
        (Verdict.EMERGENCY, "欠薪", Kind.COMPLAINT, Priority.P0),
        (Verdict.UNCLEAR, "欠薪", Kind.ENQUIRY, Priority.P1),
        (Verdict.NON_EMERGENCY, "供水", Kind.COMPLAINT, Priority.P2),
        (Verdict.NON_EMERGENCY, "供水", Kind.ENQUIRY, Priority.P3),
        (Verdict.NON_EMERGENCY, "三防灾害", Kind.ASSISTANCE, Priority.P1),
        (Verdict.NON_EMERGENCY, "井盖", Kind.SUGGESTION, Priority.P3),
        (Verdict.NON_EMERGENCY, "欠薪", Kind.COMPLAINT, Priority.P3),
    ],
)
def test_priorities(verdict: Verdict, l2: str, kind: Kind, expected: Priority) -> None:
    assert priority_of(verdict, l2, kind, load_city(DONGGUAN).priorities) is expected


def test_codes_of_categories() -> None:
    city = load_city(DONGGUAN)
    assert city.code_of("04", "施工噪声") == "0404"
    assert city.code_of("04", "没有") == "0499"


def test_all_mistakes_are_told_at_once(copy: Path) -> None:
    edit(copy / "units.csv", "教育局,bureau", "教育局,office")
    edit(copy / "directory.csv", "01,欠薪,,,人力资源和社会保障局", "01,欠薪,dream,,人力资源和社会保障局")
    edit(copy / "directory.csv", "02,传销,,,市场监督管理局", "02,传销,,,没有这个局")
    edit(copy / "categories.csv", "03,城市管理,0301,占道经营", "03,城市管理,9901,占道经营")
    (copy / "calendar.csv").write_text("date,working,note\n2026-13-01,maybe,\n", "utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_city(copy)
    told = ("units.csv:", "directory.csv:2", "没有这个局", "categories.csv:", "calendar.csv:2", "缺少事项 01 欠薪")
    for where in told:
        assert where in caught.value.detail
    assert caught.value.error_id == "city_invalid"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('prefix = "DG"', 'prefix = "dg1"', "prefix"),
        ('area_code = "0769"', "area_code = 769", "area_code 应为"),
        ('area_code = "0769"', 'area_code = "769"', "area_code 应为"),
        ('area_code = "0769"', "", "缺少 area_code"),
        ('default = "10 working_days"', 'default = "ten days"', "ten days"),
        ('contact = "30 minutes"', 'contact = "30 fortnights"', "fortnights"),
        ("acknowledge_within = 60", 'acknowledge_within = "soon"', "acknowledge_within"),
        ("sign_within = 600", "sign_within = 0", "sign_within"),
        ('P1 = ["三防灾害"]', 'P1 = ["没有"]', "没有"),
        ('places = "places"', 'places = "nowhere"', "nowhere"),
        ("[windows]", "[doors]", "windows"),
        ('[["08:30", "12:00"], ["14:00", "17:30"]]', "[]", "至少一段"),
        ('[["08:30", "12:00"], ["14:00", "17:30"]]', '[["14:00", "17:30"], ["08:30", "12:00"]]', "按先后排列"),
        ('[["08:30", "12:00"], ["14:00", "17:30"]]', '[["08:30", "12:00"], ["11:30", "17:30"]]', "互不重叠"),
        ('[["08:30", "12:00"], ["14:00", "17:30"]]', '[["12:00", "08:30"]]', "先起后止"),
        ("name =", "name = [", "city.toml"),
    ],
)
def test_mistakes_in_the_settings(copy: Path, old: str, new: str, told: str) -> None:
    edit(copy / "city.toml", old, new)
    with pytest.raises(InvalidInput, match=told):
        load_city(copy)


def test_missing_files_are_told(copy: Path) -> None:
    (copy / "units.csv").unlink()
    with pytest.raises(InvalidInput, match=r"units\.csv"):
        load_city(copy)
    with pytest.raises(InvalidInput, match=r"city\.toml"):
        load_city(copy / "nowhere")


def test_a_second_version_of_the_directory(copy: Path) -> None:
    shutil.copy(copy / "directory.csv", copy / "directory-2027.csv")
    settings = copy / "city.toml"
    settings.write_text(
        settings.read_text("utf-8").replace(
            "[files]",
            '[[directories]]\nversion = "next"\neffective_from = 2027-01-01\nfile = "directory-2027.csv"\n\n[files]',
        ),
        "utf-8",
    )
    city: City = load_city(copy)
    assert [directory.version for directory in city.directories] == ["441900-2026.1", "next"]
    assert city.directory.version == "next"
