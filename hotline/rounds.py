"""One round of handling as the figures see it: a dispatch to a department, its clocks, and how it ended. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from hotline.clocks import Clocks
from hotline.metrics import Metric


class Round:
    """From a dispatch, a ruling or a redispatch until the next one, or until the ticket leaves the departments.

    Attributes:
        dispatched: by 派单, not by a ruling or a redo.
        void: the return was approved or ruled on: the clocks of this round count for nobody.
        held_at: since when the department waits for a decision on its return.
    """

    __slots__ = ("agent", "at", "clocks", "department", "dispatched", "ended_at", "held_at", "returned", "void")

    def __init__(self, at: datetime, department: str, agent: str, clocks: Clocks, *, dispatched: bool) -> None:
        self.at, self.department, self.agent, self.clocks, self.dispatched = at, department, agent, clocks, dispatched
        self.returned = self.void = False
        self.held_at: datetime | None = None
        self.ended_at: datetime | None = None

    def end(self, at: datetime, *, void: bool = False) -> None:
        """End the round once; it can still become void."""
        self.ended_at = self.ended_at or at
        self.void |= void

    def stops(self) -> Iterator[datetime]:
        """Yield the moments at which its clocks stand still."""
        yield from (moment for moment in (self.held_at, self.clocks.paused_at, self.ended_at) if moment is not None)

    def clocks_of(self) -> Iterator[tuple[Metric, datetime, datetime | None]]:
        """Yield the clocks that count once they are decided: metric, due, done."""
        clocks = self.clocks
        if not self.void and clocks.sign_due is not None:
            yield Metric.SIGN, clocks.sign_due, clocks.signed_at
        if not self.void and clocks.completion_due is not None:
            yield Metric.COMPLETION, clocks.completion_due, clocks.completed_at

    def was_taken_before(self, due: datetime) -> bool:
        """Tell whether the dispatch was taken from the department, not replied to, before a clock ran out."""
        return self.ended_at is not None and self.clocks.completed_at is None and min(self.stops()) < due

    def undecided(self, as_of: datetime) -> list[datetime]:
        """Return when clocks will run out that still run."""
        stop = min(self.stops(), default=None)
        return [
            due for _, due, done in self.clocks_of()
            if done is None and due >= as_of and (stop is None or due < stop)
        ]


def clock_facts(r: Round, as_of: datetime) -> Iterator[tuple[Metric, datetime, int]]:
    """Yield (metric, moment, in time) for each clock that is decided: done, or run out before it stood still."""
    until = min((as_of, *r.stops()))
    for metric, due, done in r.clocks_of():
        if done is not None:
            yield metric, due, done <= due
        elif due < until:
            yield metric, due, 0


def round_facts(r: Round) -> Iterator[tuple[Metric, datetime, int]]:
    """Yield (metric, moment, numerator) of what is counted by the moment of dispatch."""
    if r.dispatched:
        yield Metric.RETURNED, r.at, r.returned
    due, done = r.clocks.contact_due, r.clocks.contacted_at
    if not r.void and due is not None and (done is not None or not r.was_taken_before(due)):
        yield Metric.CONTACT, r.at, done is not None and done <= due
