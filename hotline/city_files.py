"""Reading a city's files, gathering every mistake with its file and line instead of stopping at the first."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hotline.errors import UNREADABLE, InvalidInput

T = TypeVar("T")
_UNREAD: tuple[type[Exception], ...] = (OSError, *UNREADABLE)


class CityFiles:
    """Reads a city's files and gathers what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wrong: list[str] = []

    def attempt(self, where: str, make: Callable[[], T], fallback: T) -> T:
        """Return `make()`, or note the mistake at `where` and return `fallback`."""
        try:
            return make()
        except KeyError as error:
            self.wrong.append(f"{where}: 缺少 {error.args[0]}")
        except (ValueError, TypeError, AttributeError) as error:
            self.wrong.append(f"{where}: {error}")
        return fallback

    def settings(self) -> dict[str, Any]:
        """Return what city.toml holds. Raises InvalidInput where it cannot be read."""
        path = self.folder / "city.toml"
        try:
            return tomllib.loads(path.read_text("utf-8"))
        except _UNREAD as error:
            raise InvalidInput(f"{path}: {error}") from error

    def rows(self, name: str, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str], int]]:
        """Yield (where, row, line) for each line of a CSV file with exactly these columns."""
        path = self.folder / name
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            self.wrong.append(f"{path.name}: {error}")
            return
        reader = csv.DictReader(lines)
        if list(reader.fieldnames or ()) != list(columns):
            self.wrong.append(f"{name}:1: 表头应为 {','.join(columns)}")
            return
        for row in reader:
            where = f"{name}:{reader.line_num}"
            if None in row or None in row.values():
                self.wrong.append(f"{where}: 应有{len(columns)}列")
                continue
            yield where, {key: value.strip() for key, value in row.items()}, reader.line_num
