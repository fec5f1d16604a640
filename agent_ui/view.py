"""What a console makes of snapshots and events: the rows of one list. Pure, and the measure for every client.

The rule is short. A row is replaced only by one with a higher version, and a row that no longer belongs to the list is
remembered by its version, so that an older one arriving later does not bring it back (positions are in commit-safe
order, which within one ticket need not be the order of versions). Events up to the snapshot's `seq` are in it already.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hotline.feed import CALLBACK_TOPIC, PRESENCE_TOPIC
from hotline.lifecycle import OPEN_STATES
from hotline.summary import CENTRE_STATES, Summary
from hotline.terms import State, Verdict


def fits(topic: str, row: Summary) -> bool:
    """Tell from a row alone whether it belongs to the list of a topic; agrees with `hotline.summary.topics`."""
    kind, _, name = topic.partition(":")
    match kind:
        case "tickets":
            return True
        case "ticket":
            return row.number == name
        case "centre":
            return row.state in CENTRE_STATES
        case "emergency":
            return row.verdict != Verdict.NON_EMERGENCY and row.state != State.ARCHIVED
        case "department":
            return name in (row.lead, *row.assisting)
        case "agent":
            return row.agent == name
        case "alarms":
            return bool(row.alarms)
        case "supervised":
            return row.supervision > 0 and row.state in OPEN_STATES
        case _:
            return False  # `presence` and `callbacks` have rows of their own kind, and other topics do not exist


class _Known(msgspec.Struct, frozen=True):
    row: Summary
    seq: int
    shown: bool


class ConsoleView:
    """The rows of one topic, kept by a console: `states` narrows the list (empty: all)."""

    def __init__(self, topic: str, *, states: Iterable[State] = ()) -> None:
        if topic in (PRESENCE_TOPIC, CALLBACK_TOPIC):
            raise ValueError(f"{topic} is not a list of tickets")
        self.topic, self.states = topic, frozenset(states)
        self.seq = 0
        self._known: dict[str, _Known] = {}

    @property
    def rows(self) -> dict[str, Summary]:
        """The rows shown, by ticket number."""
        return {number: known.row for number, known in self._known.items() if known.shown}

    def snapshot(self, rows: Iterable[Summary], *, seq: int, first: bool) -> None:
        """Take a page of a snapshot in; `first` marks the first page, which begins the list anew."""
        if first:
            self.seq = seq
            self._known = {number: known for number, known in self._known.items() if known.seq > seq}
        for row in rows:
            self._take(row, seq)

    def event(self, row: Summary, *, seq: int) -> None:
        """Take the summary of one event in."""
        if seq > self.seq:
            self._take(row, seq)

    def _take(self, row: Summary, seq: int) -> None:
        known = self._known.get(row.number)
        if known is None or known.row.version < row.version:
            shown = fits(self.topic, row) and (not self.states or row.state in self.states)
            self._known[row.number] = _Known(row, seq, shown)
