"""The calendar reaches as far as somebody has announced it, and the city can be ahead of the package."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hotline import core
from hotline.calendar import statutory_days, statutory_years
from hotline.city import load_city
from hotline.cli import check
from hotline.config import Settings
from hotline.deadlines import ZONE, WorkingTime, due_at
from hotline.errors import InvalidInput
from hotline.policy import CallbackRules, FollowUpRules
from hotline.terms import State

CITY = Path("cities/441900")
LATER = max(statutory_years()) + 1


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CITY, tmp_path / "city"))


def announced(city: Path, *rows: str) -> None:
    with (city / "calendar.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)


def test_the_city_may_be_ahead_of_the_package(city: Path) -> None:
    before = load_city(city).policy.calendar
    announced(city, *(f"{LATER}-02-{day:02d},no,春节" for day in range(8, 14)), f"{LATER}-02-14,yes,调休")
    after = load_city(city).policy.calendar
    assert LATER in after.known - before.known
    assert before.is_working_day(date(LATER, 2, 8)) != after.is_working_day(date(LATER, 2, 8))
    assert after.is_working_day(date(LATER, 2, 14))


def test_a_day_of_a_year_does_not_announce_the_year(city: Path) -> None:
    announced(city, f"{LATER}-02-08,no,春节")
    calendar = load_city(city).policy.calendar
    assert LATER not in calendar.known, "its other holidays are missing, and that is to be warned about"
    assert date(LATER, 2, 8) in calendar.holidays


def test_an_unannounced_year_has_the_holidays_with_fixed_dates() -> None:
    holidays, make_up_days = statutory_days()
    assert date(LATER, 10, 1) in holidays
    assert not [day for day in make_up_days if day.year >= LATER]
    start = datetime(LATER, 9, 30, 9, tzinfo=ZONE)
    calendar = load_city(CITY).policy.calendar
    assert due_at(start, WorkingTime(1), calendar).date() > date(LATER, 10, 3)


@pytest.mark.parametrize(("today", "mark"), [
    (datetime(LATER - 1, 11, 30, 12, tzinfo=ZONE), ""), (datetime(LATER - 1, 12, 1, 12, tzinfo=ZONE), "warn: "),
    (datetime(LATER, 3, 1, tzinfo=ZONE), "warn: "),
])
async def test_check_warns_of_a_year_that_nobody_has_announced(
    city: Path, monkeypatch: pytest.MonkeyPatch, today: datetime, mark: str
) -> None:
    monkeypatch.setattr(core, "now", lambda: today.astimezone(UTC))
    settings = Settings(city_dir=str(city))
    said = await check._calendar(settings)
    assert said.startswith(mark)
    assert (str(LATER) in said) == bool(mark)
    announced(city, f"{LATER}-02-08,no,春节")
    assert (await check._calendar(settings)).startswith(mark), "one day is not the year"
    announced(city, *(f"{LATER}-02-{day:02d},no,春节" for day in range(9, 15)))
    assert (await check._calendar(settings)).startswith("holidays and make-up days are known")


def test_the_figures_of_the_first_city() -> None:
    policy = load_city(CITY).policy
    assert policy.yellow_percent == 80
    assert [level.amount for level in policy.supervision] == [0, 2, 5]
    assert policy.follow_up_rules == FollowUpRules()
    assert policy.callbacks == CallbackRules()
    never = {State.PENDING_SIGN, State.HANDLING, State.PENDING_FOLLOW_UP, State.ARCHIVED}
    assert set(policy.waits) == set(State) - never, "every other state has an end of its wait"


@pytest.mark.parametrize(("old", "new"), [
    ("yellow_percent = 80", "yellow_percent = 100"), ("yellow_percent = 80", 'yellow_percent = "80"'),
    ('supervision = ["0 working_days", ', "supervision = ["),
    ('need_info = "5 working_days"', 'need_inf = "5 working_days"'),
    ('need_info = "5 working_days"', 'need_info = "five days"'), ('["19:00", "20:30"]]', '["20:30", "19:00"]]'),
    ("gap_minutes = [30, 240]", "gap_minutes = [0]"), ('day = ["07:30", "21:30"]', 'day = ["21:30", "07:30"]'),
    ('link = "1 working_days"', 'link = "1"'), ("hold_minutes = 15", "hold_minutes = 0"),
])
def test_mistakes_in_the_figures_are_told(city: Path, old: str, new: str) -> None:
    file = city / "city.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidInput):
        load_city(city)


def test_a_city_without_these_tables_has_the_defaults(city: Path) -> None:
    file = city / "city.toml"
    lines, keep = [], True
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            keep = line.split("]")[0] not in ("[lights", "[waits", "[waits.urgent", "[follow_up", "[callbacks")
        lines += [line] if keep else []
    file.write_text("\n".join(lines), encoding="utf-8")
    policy = load_city(city).policy
    assert (policy.waits, policy.callbacks, policy.yellow_percent) == ({}, CallbackRules(), 80)


def test_the_clock_is_passed_in_everywhere() -> None:
    """One clock in the wiring; stand-ins and the command line's own have theirs, and nothing that decides."""
    allowed = {"hotline/core.py", "hotline/demo.py"}
    reading = {
        str(path) for folder in ("hotline", "channels", "routing", "agent_ui") for path in Path(folder).rglob("*.py")
        if "datetime.now(" in path.read_text(encoding="utf-8") and "/cli/" not in str(path)
    }
    assert {path for path in reading - allowed if "standin" not in path} == set()
