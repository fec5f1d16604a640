"""Tables for people: CSV and XLSX in which nothing a citizen wrote can become a formula.

A spreadsheet takes text that begins with = + - @ (or a tab or a line break before them) for a formula (CSV injection,
CWE-1236). In CSV such text gets an apostrophe in front; in XLSX cells of text are typed as text, and stay as they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import chain

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from hotline.deadlines import ZONE

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_ROWS = 1_048_575
"""Rows of a sheet below its header."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "=", "+", "-", "@")
_MAX_TEXT = 32_767
Cell = str | int | float | bool | date | datetime | None


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula when it opens it as CSV."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """Yield the lines of a CSV (RFC 4180) in UTF-8 with the mark by which spreadsheets know it."""
    yield "\ufeff".encode()
    for row in chain((header,), rows):
        line = io.StringIO()
        csv.writer(line).writerow([_plain(value) for value in row])
        yield line.getvalue().encode()


def _plain(value: Cell) -> str | int | float | bool:
    match value:
        case None:
            return ""
        case str():
            return harmless(value)
        case datetime():
            return value.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
        case date():
            return value.isoformat()
        case _:
            return value


def xlsx(title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a workbook of one sheet; more than `MAX_ROWS` rows are cut off."""
    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    bold = Font(bold=True)
    names = [_cell(sheet, name) for name in header]
    for cell in names:
        cell.font = bold
    sheet.append(names)
    for number, row in enumerate(rows):
        if number == MAX_ROWS:
            break
        sheet.append([_cell(sheet, value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(sheet: object, value: Cell) -> WriteOnlyCell:
    if isinstance(value, datetime):
        value = value.astimezone(ZONE).replace(tzinfo=None)  # a sheet knows no zones
    if not isinstance(value, str):
        return WriteOnlyCell(sheet, value=value)
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", value)[:_MAX_TEXT])
    cell.data_type = "s"  # whatever it begins with
    return cell
