"""Versions of the directory: the table, its files, differences, and what proposals make of it."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime

import msgspec
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import InvalidInput
from hotline.terms import Kind
from routing.directory import PLACE, Directory, PlaceRule, Rule, Unit, UnitKind
from routing.directory_diff import How, diff, told
from routing.directory_file import read, read_csv, write_csv, write_xlsx
from routing.directory_office import Proposal, Scope, adopt, check_name, from_table
from routing.directory_table import COLUMNS, assemble, cells_of, read_rules, read_units, rule_of, unit_cells, unit_of

TODAY = date(2026, 11, 21)
CATEGORIES = {("03", "路灯"), ("09", "供水")}
UNITS = (
    Unit(name="城管局", kind=UnitKind.BUREAU, duties="路灯、市容"),
    Unit(name="水务局", kind=UnitKind.BUREAU),
    Unit(name="南城", kind=UnitKind.TOWN),
)
RULES = (
    Rule(l1="03", l2="路灯", lead="城管局", assisting=("南城",), line=2),
    Rule(l1="09", l2="供水", lead="水务局", note="含二次供水", line=3),
)


def directory(*rules: Rule, version: str = "v1", units: tuple[Unit, ...] = UNITS) -> Directory:
    built, wrong = assemble(
        version=version, effective_from=date(2026, 1, 1), units=units, rules=rules or RULES, categories=CATEGORIES
    )
    assert wrong == []
    return built


BASE = directory()

# ── the table ────────────────────────────────────────────────────────────────────────────────────
names = st.text("甲乙丙丁局镇", min_size=1, max_size=5)
rules = st.builds(
    Rule, l1=st.just("03"), l2=names, lead=names | st.just(PLACE), kind=st.none() | st.sampled_from(Kind),
    assisting=st.lists(names, max_size=3, unique=True).map(tuple), note=st.text("说明，。 ", max_size=9).map(str.strip),
    line=st.integers(2, 99),
) | st.builds(
    Rule, l1=st.just("03"), l2=names, lead=names, place=st.just(PlaceRule.NAMED),
    places=st.frozensets(names, min_size=1, max_size=3), line=st.just(5),
)


@given(rules)
def test_a_rule_is_the_same_after_a_trip_through_its_cells(rule: Rule) -> None:
    assert rule_of(cells_of(rule), rule.line) == rule


def test_a_unit_is_the_same_after_a_trip_through_its_cells() -> None:
    unit = Unit(name="沙田", kind=UnitKind.TOWN, overlaps=frozenset({"东莞港", "虎门"}), duties="属地")
    assert unit_of(unit_cells(unit)) == unit


@pytest.mark.parametrize(("column", "cell", "says"), [
    ("l2", "没有", "不在 categories"), ("kind", "compliment", "compliment"), ("note", "=HYPERLINK(1)", "不能以"),
    ("note", "+1", "不能以"), ("lead", "@SUM", "不能以"), ("note", "字" * 501, "超过"),
])
def test_wrong_lines_are_told(column: str, cell: str, says: str) -> None:
    cells = cells_of(RULES[0]) | {column: cell}
    assert any("第7行" in line and says in line for line in read_rules([("第7行", cells, 7)], CATEGORIES)[1])


def test_a_unit_stands_once_and_has_a_name() -> None:
    row = unit_cells(UNITS[0])
    _, wrong = read_units([("a", row, 2), ("b", row, 3), ("c", row | {"name": ""}, 4), ("d", row | {"kind": "x"}, 5)])
    assert [line[0] for line in wrong] == ["b", "c", "d"]


# ── files ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_what_is_exported_comes_back_alike(write: object) -> None:
    table = read(write(BASE))  # type: ignore[operator]
    units, wrong = read_units(table.units) if table.units else (list(UNITS), [])
    read_back, wrong_rules = read_rules(table.rules, CATEGORIES)
    assert wrong == wrong_rules == []
    again = directory(*read_back, units=tuple(units))
    assert diff(BASE, again) == ()
    assert [rule.l1 for rule in read_back] == ["03", "09"], "leading noughts survive"


def test_excel_in_chinese_writes_gb18030() -> None:
    assert read(write_csv(BASE).decode("utf-8-sig").encode("gb18030")).rules == read(write_csv(BASE)).rules


def workbook(*rows: tuple[object, ...], title: str = "派单目录") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def bomb() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * (60 * 1024 * 1024))
    return data.getvalue()


@pytest.mark.parametrize(("data", "says"), [
    (b"", "表头"), (b"a,b\n1,2\n", "表头"), (b"\xff\xfe\x00\x80\x81", "UTF-8"), (b"PK\x03\x04 no zip", "XLSX"),
    ((",".join(COLUMNS) + "\n03,x\n").encode(), "7列"), ((",".join(COLUMNS) + '\n"03').encode(), "CSV"),
    (workbook(("a",)), "表头"), (workbook(COLUMNS, title="别的"), "派单目录"), (b"x" * 6 * 1024 * 1024, "MiB"),
    (bomb(), "unpacks"),
], ids=range(10))
def test_other_files_are_refused(data: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read(data)


def test_empty_lines_are_passed_over_and_lines_keep_their_numbers() -> None:
    text = ",".join(COLUMNS) + "\n\n,,,,,,\n03,路灯,,,城管局,,\n"
    assert [line for _, _, line in read_csv(text.encode(), COLUMNS)] == [4]
    assert [line for _, _, line in read(workbook(COLUMNS, ("03", "路灯", None, None, "城管局"))).rules] == [2]


# ── differences ──────────────────────────────────────────────────────────────────────────────────
def test_every_kind_of_difference_is_told() -> None:
    new = directory(
        msgspec.structs.replace(RULES[0], lead="南城", assisting=()), RULES[1],
        Rule(l1="03", l2="路灯", kind=Kind.ENQUIRY, lead="城管局", line=4),
        units=(*UNITS[:2], msgspec.structs.replace(UNITS[2], duties="属地")),
    )
    forth, back = diff(BASE, new), diff(new, BASE)
    assert [(change.subject, change.how, change.name) for change in forth] == [
        ("unit", How.CHANGED, "南城"), ("rule", How.CHANGED, "03 路灯"), ("rule", How.ADDED, "03 路灯 · 咨询"),
    ]
    assert (forth[1].before, forth[1].after) == (
        {"lead": "城管局", "assisting": "南城"}, {"lead": "南城", "assisting": ""})
    assert told(forth[1]) == "~ 03 路灯  lead: 城管局 → 南城; assisting: 南城 → (空)"
    assert told(forth[2]) == "+ 03 路灯 · 咨询  lead: 城管局"
    assert [change.how for change in back] == [How.CHANGED, How.CHANGED, How.REMOVED]
    assert diff(new, new) == ()


# ── new versions ─────────────────────────────────────────────────────────────────────────────────
def imported(day: date = TODAY, *, version: str = "v2", csv: bytes | None = None) -> Directory:
    table = read(write_csv(BASE) if csv is None else csv)
    return from_table(
        version=version, effective_from=day, rules=table.rules, units=table.units, base=BASE, categories=CATEGORIES,
        today=TODAY,
    )


def test_a_table_without_units_takes_those_of_its_base() -> None:
    assert set(imported().units) == {"城管局", "水务局", "南城"}


def test_no_version_begins_in_the_past() -> None:
    with pytest.raises(InvalidInput, match="has passed"):
        imported(date(2026, 11, 20))


@pytest.mark.parametrize("name", ["", "v 2", "../v", "版本", "v" * 41, "a/b"])
def test_a_version_has_a_name_that_can_stand_in_an_address(name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        check_name(name)


def test_all_mistakes_are_told_at_once() -> None:
    csv = (",".join(COLUMNS) + "\n03,路灯,,,没有局,,\n03,别的,,,城管局,,\n").encode()
    with pytest.raises(InvalidInput) as caught:
        imported(csv=csv)
    for told_there in ("没有局", "03 别的", "缺少事项 09 供水"):
        assert told_there in caught.value.detail


AT = datetime(2026, 11, 20, tzinfo=UTC)
PROPOSAL = Proposal(
    id=7, l1="03", l2="路灯", kind="complaint", town="南城", from_unit="城管局", to_unit="水务局",
    directory_version="v1", first_at=AT, last_at=AT, examples=3,
)


def adopted(proposal: Proposal, scope: Scope) -> Directory:
    return adopt(
        [proposal], version="v2", effective_from=TODAY, base=BASE, scope=scope, categories=CATEGORIES, today=TODAY
    )


@pytest.mark.parametrize(("scope", "reached"), [
    (Scope.EXACT, {(Kind.COMPLAINT, "南城")}),
    (Scope.KIND, {(Kind.COMPLAINT, "南城"), (Kind.COMPLAINT, "")}),
    (Scope.CATEGORY, {(kind, town) for kind in Kind for town in ("南城", "")}),
])
def test_a_proposal_reaches_as_far_as_its_owner_says(scope: Scope, reached: set[tuple[Kind, str]]) -> None:
    new = adopted(PROPOSAL, scope)
    for kind in Kind:
        for town in ("南城", ""):
            found = new.find("03", "路灯", kind, (town,) if town else ())
            assert found is not None
            assert found.lead == ("水务局" if (kind, town) in reached else "城管局"), (kind, town)
    assert new.find("09", "供水", Kind.COMPLAINT, ()) == BASE.find("09", "供水", Kind.COMPLAINT, ())


def test_what_belongs_to_its_place_goes_to_every_place() -> None:
    new = adopted(msgspec.structs.replace(PROPOSAL, to_unit="南城"), Scope.CATEGORY)
    found = new.find("03", "路灯", Kind.COMPLAINT, ())
    assert found is not None
    assert (found.lead, found.assisting, "7号" in found.note) == (PLACE, ("南城",), True)


def test_a_proposal_adopted_twice_leaves_one_rule() -> None:
    once = adopted(PROPOSAL, Scope.EXACT)
    again = adopt(
        [PROPOSAL], version="v3", effective_from=TODAY, base=once, scope=Scope.EXACT, categories=CATEGORIES,
        today=TODAY,
    )
    assert len(again.rules["03", "路灯"]) == 2


def test_a_unit_that_left_the_directory_is_not_adopted() -> None:
    with pytest.raises(InvalidInput, match="旧局"):
        adopted(msgspec.structs.replace(PROPOSAL, to_unit="旧局"), Scope.EXACT)
    with pytest.raises(InvalidInput, match="no rule"):
        adopted(msgspec.structs.replace(PROPOSAL, l2="不在"), Scope.EXACT)
