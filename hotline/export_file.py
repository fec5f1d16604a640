"""Rows of the export as files: JSON lines, and Parquet (pyarrow, imported when it is first needed: 45 MB)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from hotline.export import ExportRow

if TYPE_CHECKING:
    import pyarrow

JSON_LINES, PARQUET = "application/x-ndjson", "application/vnd.apache.parquet"
_encoder = msgspec.json.Encoder()
_TIMES = frozenset({"at", "created_at", "updated_at", "due_at"})
_NUMBERS = {"cursor": "int64", "version": "int32", "supervision": "int8"}


def json_lines(rows: Sequence[ExportRow]) -> bytes:
    """Return the rows as JSON lines in UTF-8."""
    return _encoder.encode_lines(rows)


def parquet(rows: Sequence[ExportRow]) -> bytes:
    """Return the rows as one Parquet file (zstd), with the same schema also when there are none."""
    from pyarrow import parquet as files

    data = io.BytesIO()
    write: Any = files.write_table
    write(table(rows), data, compression="zstd")
    return data.getvalue()


def table(rows: Sequence[ExportRow]) -> pyarrow.Table:
    """Return the rows as an Arrow table; times are microseconds in UTC."""
    import pyarrow as arrow

    names = ExportRow.__struct_fields__
    columns: list[Any] = [[getattr(row, name) for row in rows] for name in names]
    return arrow.table(
        [arrow.array(column, type=_type(arrow, name)) for name, column in zip(names, columns, strict=True)],
        schema=arrow.schema([(name, _type(arrow, name)) for name in names]),
    )


def _type(arrow: Any, name: str) -> Any:
    if name in _TIMES:
        return arrow.timestamp("us", tz="UTC")
    if name in _NUMBERS:
        return getattr(arrow, _NUMBERS[name])()
    match name:
        case "needs_person":
            return arrow.bool_()
        case "assisting":
            return arrow.list_(arrow.string())
        case _:
            return arrow.string()
