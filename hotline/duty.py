"""The time of agents as occupancy counts it: changes of presence become time by whole hour. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

BUSY = frozenset({"talking", "hold", "wrap_up", "busy"})  # `busy` in older logs: talking or hold
THERE = BUSY | {"available", "ringing"}
_HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)


class Change(msgspec.Struct, frozen=True):
    """What a presence event says, as far as it matters here."""

    staff: str
    state: str


class Span(NamedTuple):
    """An hour of a member of staff."""

    hour: datetime
    staff: str


class Duty:
    """Follows changes of presence; `present` holds (state, since) of everybody seen."""

    def __init__(self, present: dict[str, tuple[str, datetime]]) -> None:
        self.present = present
        self.there: Counter[Span] = Counter()
        self.busy: Counter[Span] = Counter()

    def follow(self, changes: Iterable[tuple[datetime, Change]]) -> None:
        """Take changes in, in their order; microseconds until each go to the state before it."""
        for at, change in changes:
            state, since = self.present.get(change.staff, ("", at))
            for hour, lasted in hours(since, at):
                if state in THERE:
                    self.there[Span(hour, change.staff)] += lasted
                if state in BUSY:
                    self.busy[Span(hour, change.staff)] += lasted
            self.present[change.staff] = (change.state, at)


def hours(since: datetime, until: datetime) -> Iterator[tuple[datetime, int]]:
    """Yield each whole hour between two moments with the microseconds in it."""
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour < until and since < until:
        yield hour, (min(until, hour + _HOUR) - max(since, hour)) // _MICROSECOND
        hour += _HOUR
