"""`python -m hotline cluster`: lines `{"id": …, "text": …, "at": …}` in, `{"id": …, "cluster": …}` out; no database.

All lines are read, compared, and answered in their order. Clusters are numbered from 1 as they first occur; what stands
alone is a cluster of its own. `at` (ISO 8601, 2026/3/1 8:05:00, 20260301, 20260301080500, seconds or milliseconds since
1970) and `title` may be left out. A line that is no such object is answered with `{"error": …}` in its place; an `at`
that cannot be read counts as left out, and is told apart from the answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from triage.background import background
from triage.cli import decoded
from triage.group import bundles, group
from triage.linear import LinearModel
from triage.match import batch_of
from triage.place import Gazetteer, happened
from triage.telling import Telling, tellings
from triage.text import normalise

_AT = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?)?")
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:[T ]?(\d\d)(\d\d)(\d\d)?)?(?!\d)")
"""A date without signs. As seconds or thousandths these digits would be of 1970, the seventies or the year 2600: no
ticket is from then."""
_NUMBER = re.compile(r"\d{8,}(?:\.\d+)?")
_MILLISECONDS = 1e11
"""Seconds since 1970 beyond which they are thousandths: the year 5138."""
_SET = 200
"""Texts from which a set's own words are counted in."""
_SHOWN = 5
"""Unreadable times that are named."""


class Line(msgspec.Struct, frozen=True):
    """One line of input; other keys are ignored."""

    id: int | str | float
    text: str
    at: int | float | str | None = None
    title: str | None = None


class Clusterer:
    """Groups texts that tell of one matter at one place."""

    def __init__(self, model: LinearModel, gazetteer: Gazetteer) -> None:
        self._model = model
        self._gazetteer = gazetteer

    def tellings(self, texts: Sequence[str], at: Sequence[datetime | None]) -> list[Telling]:
        """Return what the clean texts are compared by."""
        batch = batch_of(texts)
        return tellings(
            texts, background=background(), category=self._model(texts).category, at=at,
            towns=[happened(found) for found in self._gazetteer.mentions(batch)], places=self._gazetteer.spots(batch),
            counted_in=len(texts) >= _SET,
        )

    def tell(self, texts: Sequence[str], at: Sequence[datetime | None]) -> list[Telling]:
        """Return what texts are compared by, as they came."""
        return self.tellings([text.clean for text in normalise(texts)], at)

    def __call__(self, texts: Sequence[str], at: Sequence[datetime | None]) -> list[int]:
        """Return for each text the position of the first text of its group."""
        if not texts:
            return []
        clean = [text.clean for text in normalise(texts)]
        same = sorted(sorted(bundle) for bundle in bundles(clean, at))
        told = [bundle[0] for bundle in same]  # one of each is compared: copies would make their own words common
        some = [clean[number] for number in told]
        groups = group(some, self.tellings(some, [at[number] for number in told]))
        first = {number: told[found] for bundle, found in zip(same, groups, strict=True) for number in bundle}
        return [first[number] for number in range(len(clean))]


def run_cluster(
    lines: Iterable[str | bytes],
    write: Callable[[str], object],
    *,
    clusterer: Callable[[Sequence[str], Sequence[datetime | None]], Sequence[int]],
    warn: Callable[[str], object] = lambda _: None,
) -> int:
    """Group all lines and pass each answer to `write`, and what is odd about them to `warn`, newline included.

    Returns:
        The exit code: 0, or 1 if a line was wrong. Empty lines are skipped.
    """
    read = [_read(line) for line in lines if line.strip()]
    good = [line for line in read if isinstance(line, Line)]
    times = [time_of(line.at) for line in good]
    if unread := [one.at for one, time in zip(good, times, strict=True) if time is None and one.at not in (None, "")]:
        warn(f"{len(unread)}行的 at 无法识别, 按没有时间处理: {'、'.join(str(at) for at in unread[:_SHOWN])}\n")
    groups = iter(clusterer([_text(line) for line in good], times))
    numbers: dict[int, int] = {}
    for line in read:
        if isinstance(line, Line):
            first = next(groups)
            answer: dict[str, object] = {"id": line.id, "cluster": numbers.setdefault(first, len(numbers) + 1)}
        else:
            answer = {"error": line}
        write(msgspec.json.encode(answer).decode() + "\n")
    return int(len(good) < len(read))


def _text(line: Line) -> str:
    return f"{line.title}。{line.text}" if line.title else line.text


def _read(line: str | bytes) -> Line | str:
    try:
        return decoded(line, Line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return f'应为一行JSON, 如 {{"id": 1, "text": "…", "at": "2026-03-01T08:00:00"}}: {error}'


def time_of(at: float | str | None) -> datetime | None:
    """Return the moment, None where it cannot be told; the zone is left out, as only distances matter."""
    try:
        if (written := _COMPACT.fullmatch(str(at).strip())) is not None and (date := _date(written)) is not None:
            return date
        if isinstance(at, str) and not _NUMBER.fullmatch(at.strip()):
            found = _AT.match(at.strip()) or _COMPACT.match(at.strip())
            return _date(found) if found else None
        seconds = float("nan" if at is None else at)
        return datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _date(found: re.Match[str]) -> datetime | None:
    """Return the moment of the parts found, None where there is no such day or hour."""
    try:
        return datetime(*(int(part or 0) for part in found.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None
