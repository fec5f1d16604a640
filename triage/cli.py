"""`python -m hotline triage`: JSON lines `{"text": …, "channel": …}` in, one JSON line each out; no database.

A line that is no such object is answered with `{"error": …}` in its place, so that lines in and out stay aligned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from hotline.appeal import Category, Triage
from hotline.city import City
from routing.dispatch import best_guess

BATCH = 256


class Line(msgspec.Struct, frozen=True):
    """One line of input; other keys are ignored."""

    text: str
    channel: str = ""


def run_triage(
    lines: Iterable[str | bytes],
    write: Callable[[str], object],
    *,
    city: City,
    pipeline: Callable[[Sequence[str]], Sequence[Triage]],
) -> int:
    """Triage every line and pass each answer to `write`, newline included.

    Returns:
        The exit code: 0, or 1 if a line was wrong. Empty lines are skipped.
    """
    exit_code = 0
    for batch in _batches(line for line in lines if line.strip()):
        read = [_read(line) for line in batch]
        found = iter(pipeline([one.text for one in read if isinstance(one, Line)]))
        for one in read:
            if isinstance(one, Line):
                answer = as_json(best_guess(next(found), city.directory), one.text)
            else:
                answer, exit_code = {"error": one}, 1
            write(msgspec.json.encode(answer).decode() + "\n")
    return exit_code


def _batches(lines: Iterator[str | bytes]) -> Iterator[list[str | bytes]]:
    while batch := list(islice(lines, BATCH)):
        yield batch


def _read(line: str | bytes) -> Line | str:
    try:
        return msgspec.json.decode(line, type=Line)
    except (msgspec.MsgspecError, UnicodeError) as error:
        return f"应为一行JSON, 如 {{\"text\": \"…\", \"channel\": \"web\"}}: {error}"


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
        "model": triage.model,
    }


def _category(category: Category) -> dict[str, str | float]:
    return {"l1": category.l1, "l2": category.l2, "confidence": category.confidence}
