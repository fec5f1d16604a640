"""The dispatch directory as a file: CSV, or XLSX with the sheets 派单目录 and 单位 (openpyxl).

What came from outside is read without formulas, macros or links, and a file that would grow beyond `MAX_UNPACKED` is
refused before it is unpacked.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from xml.etree.ElementTree import ParseError

import msgspec
import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from hotline.errors import InvalidInput
from routing.directory import Directory
from routing.directory_table import COLUMNS, UNIT_COLUMNS, Placed, cells_of, lines_of, unit_cells

MAX_BYTES = 5 * 1024 * 1024
MAX_UNPACKED = 50 * 1024 * 1024
MAX_ROWS = 50_000
RULES_SHEET, UNITS_SHEET = "派单目录", "单位"
CSV_TYPE = "text/csv"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BROKEN: tuple[type[Exception], ...] = (
    zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, LookupError, ValueError, TypeError,
    AttributeError, ArithmeticError, OSError, EOFError, RuntimeError,
)
"""What openpyxl raises for workbooks that no program made: it looks for nothing beforehand."""
_WIDTHS = {"lead": 28, "assisting": 36, "note": 60, "place": 20, "name": 28, "duties": 60, "overlaps": 28}


class Table(msgspec.Struct, frozen=True):
    """What a file holds: lines of rules, and lines of units where it has any."""

    rules: tuple[Placed, ...]
    units: tuple[Placed, ...] = ()


def read(data: bytes) -> Table:
    """Read CSV or XLSX, told apart by their first bytes.

    Raises:
        InvalidInput: neither of the two, too large, or without the columns of the directory; says which.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"the file has more than {MAX_BYTES // 2**20} MiB", error_id="too_large")
    return _read_xlsx(data) if data.startswith(b"PK") else Table(tuple(read_csv(data, COLUMNS)))


def read_csv(data: bytes, columns: Sequence[str]) -> list[Placed]:
    """Return the lines of a CSV file (UTF-8, with or without a mark, or GB 18030 as Excel in Chinese writes it)."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise InvalidInput("the CSV file is neither UTF-8 nor GB 18030; save it as CSV UTF-8") from error
    try:
        return _placed(_numbered(csv.reader(io.StringIO(text), strict=True)), columns, "")
    except csv.Error as error:
        raise InvalidInput(f"the file is no CSV: {error}") from error


def _numbered(reader: Iterable[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for row in reader:
        yield reader.line_num, row  # type: ignore[attr-defined]


def _read_xlsx(data: bytes) -> Table:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MAX_UNPACKED:
                raise InvalidInput("the XLSX file unpacks to more than is allowed", error_id="too_large")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        if RULES_SHEET not in book.sheetnames:
            raise InvalidInput(f"the workbook has no sheet {RULES_SHEET}; it has {'、'.join(book.sheetnames)}")
        units = _sheet(book[UNITS_SHEET], UNIT_COLUMNS) if UNITS_SHEET in book.sheetnames else []
        return Table(tuple(_sheet(book[RULES_SHEET], COLUMNS)), tuple(units))
    except _BROKEN as error:
        raise InvalidInput(f"the file is no XLSX workbook: {error}") from error


def _sheet(sheet: Worksheet, columns: Sequence[str]) -> list[Placed]:
    rows = (
        (number, ["" if cell is None else str(cell) for cell in row])
        for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=len(columns)), start=1)
    )
    return _placed(rows, columns, f"{sheet.title} ")


def _placed(rows: Iterator[tuple[int, list[str]]], columns: Sequence[str], sheet: str) -> list[Placed]:
    _, head = next(rows, (0, []))
    if [cell.strip() for cell in head] != list(columns):
        raise InvalidInput(f"{sheet}第1行: 表头应为 {','.join(columns)}")
    found: list[Placed] = []
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(columns):
            raise InvalidInput(f"{sheet}第{line}行: 应有{len(columns)}列, 现有{len(row)}列")
        found.append((f"{sheet}第{line}行", dict(zip(columns, map(str.strip, row), strict=True)), line))
        if len(found) > MAX_ROWS:
            raise InvalidInput(f"{sheet}: more than {MAX_ROWS} lines", error_id="too_large")
    return found


def write_csv(directory: Directory) -> bytes:
    """Return the rules as CSV in UTF-8 with a mark, which Excel needs to see the Chinese."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(cells_of(rule) for rule in lines_of(directory))
    return text.getvalue().encode("utf-8-sig")


def write_xlsx(directory: Directory) -> bytes:
    """Return rules and units as a workbook that `read` takes back."""
    book = Workbook(write_only=True)
    _add_sheet(book, RULES_SHEET, COLUMNS, [cells_of(rule) for rule in lines_of(directory)])
    _add_sheet(book, UNITS_SHEET, UNIT_COLUMNS, [unit_cells(unit) for unit in directory.units.values()])
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _add_sheet(book: Workbook, title: str, columns: Sequence[str], rows: Sequence[dict[str, str]]) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for number, name in enumerate(columns):
        sheet.column_dimensions[chr(ord("A") + number)].width = _WIDTHS.get(name, 12)
    sheet.append([_text(sheet, name, bold=True) for name in columns])
    for row in rows:
        sheet.append([_text(sheet, row[name]) for name in columns])


def _text(sheet: Worksheet, value: str, *, bold: bool = False) -> WriteOnlyCell:
    """A cell of text, whatever it begins with: `01` stays 01, and nothing becomes a formula."""
    cell = WriteOnlyCell(sheet, value=value)
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
