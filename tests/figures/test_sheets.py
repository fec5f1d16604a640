"""Tables that open in a spreadsheet: nothing becomes a formula, nothing is lost."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.sheets import csv_lines, harmless, xlsx

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "=HYPERLINK(\"http://x\")", "=1"]
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=40)


def read_csv(rows: list[list[object]]) -> list[list[str]]:
    text = b"".join(csv_lines(["a"], rows)).decode("utf-8-sig")  # type: ignore[arg-type]
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


def read_xlsx(rows: list[list[object]]) -> list[tuple[object, ...]]:
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx("表", ["a"], rows))).active  # type: ignore[arg-type]
    return [tuple(cell for cell in row) for row in sheet.iter_rows(min_row=2)]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_is_text(text: str) -> None:
    [[in_csv]] = read_csv([[text]])
    assert in_csv == f"'{text}"
    [[cell]] = read_xlsx([[text]])
    assert cell.data_type in ("s", "inlineStr")  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["", "路灯", "1-2", "a=b", "'", "中-文"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@given(rows=st.lists(st.lists(TEXT, min_size=1, max_size=3), max_size=5))
def test_every_cell_comes_back(rows: list[list[object]]) -> None:
    assert read_csv(rows) == [[harmless(str(cell)) for cell in row] for row in rows]


def test_times_are_local_and_numbers_are_numbers() -> None:
    row: list[object] = [datetime(2026, 10, 1, 16, tzinfo=UTC), date(2026, 10, 1), 0.5, 3, None]
    assert read_csv([row]) == [["2026-10-02 00:00:00", "2026-10-01", "0.5", "3", ""]]
    [cells] = read_xlsx([row])
    assert [cell.value for cell in cells][0] == datetime(2026, 10, 2)  # type: ignore[attr-defined]  # noqa: DTZ001, RUF015
    assert [cell.value for cell in cells][2:4] == [0.5, 3]  # type: ignore[attr-defined]


def test_what_no_sheet_can_hold_is_left_out() -> None:
    [[cell]] = read_xlsx([["坏\x00字\x0b符" + "长" * 40_000]])
    assert str(cell.value).startswith("坏字符长")  # type: ignore[attr-defined]
    assert len(str(cell.value)) == 32_767  # type: ignore[attr-defined]
