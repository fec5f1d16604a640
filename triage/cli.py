"""`python -m hotline triage`: JSON lines `{"text": …, "channel": …}` in, one JSON line each out; no database.

A line that is no such object is answered with `{"error": …}` in its place, so that lines in and out stay aligned. A
line's `id` is told again.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec

from hotline.appeal import Category, Triage
from hotline.city import City
from hotline.terms import Verdict
from routing.dispatch import best_guess
from triage.title import key_sentences

T = TypeVar("T")
BATCH = 256
_HALF_A_SIGN = re.compile("[\ud800-\udfff]")


class Line(msgspec.Struct, frozen=True):
    """One line of input; other keys are ignored. `verdict` is what somebody found, for `--alarms`."""

    text: str
    channel: Any = None
    id: int | str | float | None = None
    verdict: Verdict | None = None


def run_triage(
    lines: Iterable[str | bytes],
    write: Callable[[str], object],
    *,
    city: City,
    pipeline: Callable[[Sequence[str]], Sequence[Triage]],
    alarms: bool = False,
) -> int:
    """Triage every line and pass each answer to `write`, newline included.

    Args:
        alarms: answer only the lines that alarm, for review: text, verdict, services and evidence; where a line says
            what its `verdict` should have been, only those that alarm wrongly, and those missed.

    Returns:
        The exit code: 0, or 1 if a line was wrong. Empty lines are skipped.
    """
    exit_code = 0
    for batch in _batches(line for line in lines if line.strip()):
        read = [_read(line) for line in batch]
        found = iter(pipeline([one.text for one in read if isinstance(one, Line)]))
        for one in read:
            if isinstance(one, Line):
                triage = next(found)
                if alarms and not worth_review(one, triage.verdict):
                    continue
                answer = review(one, triage) if alarms else _numbered(one) | as_json(
                    best_guess(triage, city.directory), one.text
                )
            else:
                answer, exit_code = {"error": one}, 1
            write(msgspec.json.encode(answer).decode() + "\n")
    return exit_code


def _batches(lines: Iterator[str | bytes]) -> Iterator[list[str | bytes]]:
    while batch := list(islice(lines, BATCH)):
        yield batch


def _read(line: str | bytes) -> Line | str:
    try:
        return decoded(line, Line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return f"应为一行JSON, 如 {{\"text\": \"…\", \"channel\": \"web\"}}: {error}"


def decoded(line: str | bytes, shape: type[T]) -> T:
    """Return what a line of JSON holds; half of an emoji, as programs leave it that cut texts to a length, is a �."""
    told = bare(line)
    try:
        return msgspec.json.decode(told, type=shape)
    except msgspec.DecodeError:
        if "\\ud" not in repr(told).lower():
            raise
    whole = _HALF_A_SIGN.sub("\ufffd", json.dumps(json.loads(told), ensure_ascii=False))
    return msgspec.json.decode(whole, type=shape)


def bare(line: str | bytes) -> str | bytes:
    """Return a line without the mark with which some programs begin a file."""
    return line.removeprefix(codecs.BOM_UTF8) if isinstance(line, bytes) else line.removeprefix("\ufeff")


def worth_review(line: Line, found: Verdict) -> bool:
    """Tell whether a person should look at the verdict: an alarm, or one that differs from what the line says."""
    return found is not (line.verdict or Verdict.NON_EMERGENCY)


def review(line: Line, triage: Triage) -> dict[str, Any]:
    """Return what a reviewer of alarms needs to see."""
    expected = {"expected": line.verdict.value} if line.verdict else {}
    full = as_json(triage, line.text)
    told = {key: full[key] for key in ("verdict", "services", "evidence")}
    return _numbered(line) | expected | told | {"text": line.text}


def _numbered(line: Line) -> dict[str, Any]:
    return {"id": line.id} if line.id is not None else {}


def as_json(triage: Triage, text: str) -> dict[str, Any]:
    """Return the answer in the shape that outside checks rely on; spans count characters of `text`."""
    return {
        "category": _category(triage.category) if triage.category else None,
        "alternatives": [_category(one) for one in triage.alternatives],
        "kind": triage.kind.value,
        "verdict": triage.verdict.value,
        "services": [service.value for service in triage.services],
        "towns": list(triage.towns),
        "department": triage.department,
        "assisting": list(triage.assisting),
        "priority": triage.priority.value,
        "entities": [
            {"type": one.type, "text": one.text, "start": one.start, "end": one.end} for one in triage.entities
        ],
        "needs_person": triage.needs_person,
        "evidence": [
            {"rule": one.rule, "text": one.text, "start": one.start, "end": one.end} for one in triage.evidence
        ],
        "title": triage.title,
        "key_sentences": list(key_sentences(text)),
        "model": triage.model,
    }


def _category(category: Category) -> dict[str, str | float]:
    return {"l1": category.l1, "l2": category.l2, "confidence": category.confidence}
