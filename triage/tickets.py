"""A city's own tickets from a CSV, Excel or JSON-lines file: text and category, checked line by line."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from hotline.city import Label
from hotline.errors import UNREADABLE, InvalidInput
from hotline.terms import Kind, Verdict
from triage.corpus import TICKET, Example
from triage.lessons import Lesson

_ENCODINGS = ("utf-8-sig", "gb18030")
_SEPARATORS = "/-—_>｜|·:： "
_SHORTENED = re.compile("[1-9][0-9]{2}")
_NEAR = 0.6
"""Jaccard similarity of 4-grams from which two texts are one group."""
_SKETCH, _EACH, _RIVALS = 16, 32, 16
"""4-grams of a text by which others are found, texts kept of each, and how many of those found are compared."""
_PRIME, _MIX = np.uint64(0x9E3779B1), np.uint64(0x9E3779B97F4A7C15)
_LAST = "g"
"""What comes after every hash."""
Grams = NDArray[np.uint32]


class Tickets(NamedTuple):
    """What a file held. `strange` counts the labels that are none of the city's; their rows are left out."""

    examples: list[Example]
    groups: list[str]
    strange: dict[str, int]
    empty: int

    @property
    def left_out(self) -> str:
        """Return what a person is told of the rows left out, "" where there are none."""
        strange = sorted(self.strange.items(), key=lambda item: -item[1])
        told = [f"空文本或空标签 {self.empty} 行"] if self.empty else []
        if strange:
            named = "、".join(f"{name}({count})" for name, count in strange[:20])
            told.append(f"不在 categories.csv 中的标签共 {sum(self.strange.values())} 行: {named}")
        return "; ".join(told)


def read_tickets(path: Path, *, text: str, label: str, labels: Sequence[Label]) -> Tickets:
    """Read the file; near-duplicates form a group, so that folds do not tear them apart.

    Args:
        text, label: names of the columns or keys. A label may be a code (0307), `03路灯`, a name that is only one
            category's (路灯), or first and second level with a sign between (城市管理/路灯).

    Raises:
        InvalidInput: the file cannot be read, has no such column, or no row that can be used.
    """
    known = _names(labels)
    examples, strange, empty = {}, dict[str, int](), 0
    for row in _rows(path, (text, label)):
        words, name = row[text].strip(), row[label].strip()
        found = known.get(_plain(name))
        if not words or not name:
            empty += 1
        elif found is None:
            strange[name] = strange.get(name, 0) + 1
        else:
            examples[words] = Example(
                text=words, l1=found.l1, l2=found.l2, kind=Kind.OTHER, verdict=Verdict.NON_EMERGENCY, source=TICKET
            )
    if not examples:
        told = "、".join(list(strange)[:10]) or "无"
        raise InvalidInput(f"{path}: 没有可用的工单; 不在分类表中的标签: {told}", error_id="tickets_invalid")
    return Tickets(list(examples.values()), groups_of(list(examples)), strange, empty)


def with_lessons(own: Tickets | None, lessons: Sequence[Lesson]) -> Tickets:
    """Return tickets and lessons together; of one text the lesson counts."""
    found = {example.text: example for example in (own.examples if own else ())}
    found |= {
        text: Example(text=text, l1=one.l1, l2=one.l2, kind=Kind.OTHER, verdict=Verdict.NON_EMERGENCY, source=TICKET)
        for one in lessons if (text := one.text.strip())
    }
    return Tickets(list(found.values()), groups_of(list(found)), own.strange if own else {}, own.empty if own else 0)


def _names(labels: Sequence[Label]) -> dict[str, Label]:
    """Return every way of writing a label that means only one category."""
    ways: dict[str, set[Label]] = {}
    for one in labels:
        for name in (one.code, one.l1 + one.l2, one.l1_name + one.l2, one.l1 + one.l1_name + one.l2, one.l2):
            ways.setdefault(_plain(name), set()).add(one)
    return {name: next(iter(found)) for name, found in ways.items() if len(found) == 1}


def _plain(name: str) -> str:
    """Return a label without signs; a code of three figures is one of four whose 0 a spreadsheet has taken away."""
    plain = name.translate(dict.fromkeys(map(ord, _SEPARATORS)))
    return f"0{plain}" if _SHORTENED.fullmatch(plain) else plain


def _rows(path: Path, columns: tuple[str, str]) -> Iterator[dict[str, str]]:
    readers = {".csv": _csv, ".xlsx": _xlsx, ".jsonl": _jsonl, ".json": _jsonl}
    if path.suffix.lower() not in readers:
        raise InvalidInput(f"{path}: 只能读取 .csv、.xlsx 或 .jsonl 文件", error_id="tickets_invalid")
    try:
        rows = readers[path.suffix.lower()](path)
        first = next(rows, None)
        if first is None:
            raise InvalidInput(f"{path}: 文件中没有数据行", error_id="tickets_invalid")
        lacking = [column for column in columns if column not in first]
        if lacking:
            there = "、".join(map(str, first))
            raise InvalidInput(f"{path}: 没有列 {'、'.join(lacking)}; 有 {there}", error_id="tickets_invalid")
        for row in (first, *rows):
            yield {column: _text(row.get(column)) for column in columns}
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror or error}", error_id="tickets_invalid") from error


def _text(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return "" if value is None else str(int(value) if whole else value)


def _csv(path: Path) -> Iterator[Mapping[str, Any]]:
    raw = path.read_bytes()
    for encoding in _ENCODINGS:
        try:
            table = io.StringIO(raw.decode(encoding), newline="")
        except UnicodeDecodeError:
            continue
        rows = csv.DictReader(table, strict=True)
        try:
            yield from rows
        except csv.Error as error:
            detail = f"{path.name}: 第{rows.line_num}行附近: {error}(引号没有成对?)"
            raise InvalidInput(detail, error_id="tickets_invalid") from error
        return
    raise InvalidInput(f"{path}: 既不是UTF-8也不是GB18030编码", error_id="tickets_invalid")


def _jsonl(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield msgspec.json.decode(line, type=dict[str, Any])
                except UNREADABLE as error:
                    raise InvalidInput(f"{path.name}:{number}: {error}", error_id="tickets_invalid") from error


def _xlsx(path: Path) -> Iterator[Mapping[str, Any]]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError) as error:
        raise InvalidInput(f"{path}: 不是可读的Excel文件: {error}", error_id="tickets_invalid") from error
    rows = book.worksheets[0].iter_rows(values_only=True)
    head = [_text(cell).strip() for cell in next(rows, ())]
    for row in rows:
        if any(cell is not None for cell in row):
            yield dict(zip(head, row, strict=False))


def groups_of(texts: Sequence[str]) -> list[str]:
    """Return the group of each text: texts that nearly repeat each other are in one.

    The group is named by the least of its texts' hashes, so that it is the same in whatever order they come. Texts are
    compared with the few that share the rarest of some of their 4-grams, so that half a million take minutes: what all
    of a hotline's records share (来电人反映…请相关部门核实处理) leads to none.
    """
    grams = [_grams(text) for text in texts]
    seen: dict[int, list[int]] = {}
    above = list(range(len(texts)))
    for number, own in enumerate(grams):
        met = [seen.setdefault(gram, []) for gram in own[:_SKETCH].tolist()]
        for rival in _rivals(met):
            if alike(own, grams[rival]):
                above[_first(above, rival)] = _first(above, number)
        for those in met:
            if len(those) < _EACH:
                those.append(number)
    firsts = [_first(above, number) for number in range(len(texts))]
    names: dict[int, str] = {}
    for first, text in zip(firsts, texts, strict=True):
        names[first] = min(hash_of(text), names.get(first, _LAST))
    return [names[first] for first in firsts]


def _first(above: list[int], number: int) -> int:
    """Return the text that stands for all of the group, by a way that is halved each time it is gone."""
    while above[number] != number:
        above[number] = above[above[number]]
        number = above[number]
    return number


def _rivals(met: Sequence[Sequence[int]]) -> list[int]:
    """Return the likeliest of the texts met at each gram; what is met at every corner counts little."""
    found = Counter[int]()
    for those in met:
        for rival in those:
            found[rival] += _EACH // len(those)
    return [rival for rival, _ in found.most_common(_RIVALS)]


def alike(one: Grams, other: Grams) -> bool:
    """Tell whether one text nearly repeats the other."""
    few, many = sorted((one.size, other.size))
    if few <= _NEAR * many:
        return False
    shared = int(np.intersect1d(one, other, assume_unique=True).size)
    return shared > _NEAR * (few + many - shared)


def _grams(text: str) -> Grams:
    """Return hashes of the text's 4-grams, each once and in order: the first are as good as drawn by lot."""
    codes = np.zeros(max(4, len(text)), dtype=np.uint64)
    codes[: len(text)] = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    keys = ((codes[:-3] * _PRIME + codes[1:-2]) * _PRIME + codes[2:-1]) * _PRIME + codes[3:]
    keys = (keys ^ (keys >> np.uint64(32))) * _MIX
    return np.unique((keys >> np.uint64(32)).astype(np.uint32))


def hash_of(text: str) -> str:
    """Return a hash that is the same on every machine and day."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
