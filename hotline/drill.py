"""From a figure to the tickets behind it: which tickets are counted in it, and how often. Pure.

A ticket stands behind a figure where its share of the figures (`hotline.tally`) adds to it, so that what a list adds up
to is the figure itself, whatever the figure is. Only tickets to which something of the right kind happened need to be
looked at: `LEADS` names those facts for each figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum

import msgspec

from hotline import commands as c
from hotline.commands import tag_of
from hotline.errors import InvalidInput
from hotline.events import Receive
from hotline.lifecycle import TRANSITIONS
from hotline.metric_views import By, Figure, Question
from hotline.metrics import FROM_TICKETS, Metric, Volume
from hotline.shares import Key
from hotline.terms import State


class Side(StrEnum):
    """Which part of a figure: its numerator, its denominator, what misses it, what exclusions leave out."""

    NUMERATOR = "num"
    DENOMINATOR = "den"
    MISSING = "miss"
    EXCLUDED = "out"


BY_DUE = frozenset({Metric.SIGN, Metric.COMPLETION, Metric.CHAT_ANSWERED})
"""Figures that belong to the moment a clock runs out, which is later than what happened to the ticket."""
_ROUNDS = (c.Dispatch, c.Rule, c.Redispatch)
_CLOSING = tuple(sorted(
    {kind for ways in TRANSITIONS.values() for kind, state in ways.items() if state is State.CLOSED},
    key=lambda kind: kind.__name__,
))
_FOLLOWED = (c.SettleFollowUp, c.DisputeFollowUp)
LEADS: Mapping[str, tuple[type, ...]] = {
    Volume.RECEIVED: (Receive,), Volume.EMERGENCIES: (Receive,), Volume.DISPATCHED: (c.Dispatch,),
    Volume.ANSWERED: (c.Answer,), Volume.HANDED_OFF: (c.HandOff,), Volume.REJECTED: (c.Reject,),
    Volume.WITHDRAWN: (c.Withdraw,), Volume.MERGED: (c.Merge,), Volume.CLOSED: _CLOSING, Volume.URGED: (c.Urge,),
    Volume.SUPERVISED: (c.Supervise,), Volume.EXTENDED: (c.GrantExtension,),
    Metric.DIRECT: (c.Answer, c.Dispatch), Metric.SIGN: _ROUNDS, Metric.CONTACT: _ROUNDS, Metric.COMPLETION: _ROUNDS,
    Metric.FOLLOWED_UP: (c.AcceptReply,), Metric.SOLVED: _FOLLOWED, Metric.SATISFIED: (*_FOLLOWED, c.Rate),
    Metric.ONE_PASS: _CLOSING, Metric.RETURNED: _ROUNDS, Metric.REDONE: _FOLLOWED, Metric.ACCURATE: _ROUNDS,
    Metric.DURATION: _CLOSING, Metric.CHAT_ANSWERED: (Receive, c.AddMessage, c.SupplyInfo),
}
"""What happened to a ticket where it is counted in a figure: at that moment, or before it for `BY_DUE`."""


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """The tickets behind a figure: of a question, its part (as `Figure.part`), and the side of it."""

    asked: Question
    figure: str
    part: str = ""
    side: Side = Side.DENOMINATOR

    @property
    def types(self) -> list[str]:
        """The tags of the facts that lead to it."""
        return [tag_of(kind) for kind in LEADS[self.figure]]

    def checked(self) -> Drill:
        """Return itself; raises InvalidInput for what is no figure of tickets."""
        self.asked.checked()
        if self.figure not in LEADS:
            raise InvalidInput(f"figure is one of {', '.join(LEADS)}")
        if self.figure not in FROM_TICKETS and self.side is not Side.NUMERATOR:
            raise InvalidInput(f"{self.figure} is a plain number: its side is num")
        if self.asked.by is By.TOTAL and self.part:
            raise InvalidInput("by=total has no parts; name what `part` belongs to in `by`")
        return self

    def total(self, figures: Iterable[Figure]) -> int:
        """Return what the list adds up to, given the answer to the question."""
        found = next((one for one in figures if (one.part, one.figure) == (self.part, self.figure)), None)
        if found is None:
            return 0
        match self.side:
            case Side.NUMERATOR:
                return round(found.numerator)
            case Side.DENOMINATOR:
                return round(found.denominator)
            case Side.MISSING:
                return round(found.denominator - found.numerator)
            case Side.EXCLUDED:
                return found.excluded

    def times(self, counts: Counter[tuple[Key, str]]) -> int:
        """Return how often a ticket with these counts is counted, 0 for not at all."""
        return sum(
            n * self._weight(column) for (key, column), n in counts.items()
            if column.startswith(self.figure) and n and self._holds(key)
        )

    def _weight(self, column: str) -> int:
        if self.figure not in FROM_TICKETS:
            return column == self.figure
        end = column.removeprefix(f"{self.figure}_")
        if self.side is Side.MISSING:
            return {"den": 1, "num": -1}.get(end, 0)
        return end == self.side

    def _holds(self, key: Key) -> bool:
        q = self.asked
        if key.grain != q.grain or not q.first <= key.day <= q.last:
            return False
        narrowed = ((q.department, key.department), (q.channel, key.channel), (q.kind, key.kind), (q.agent, key.agent))
        if q.place is not None and q.place != key.town:
            return False
        return all(not wanted or wanted == found for wanted, found in narrowed) and part_of(q.by, key) == self.part


def part_of(by: By, key: Key) -> str:
    """Return to which part a line of the rollup belongs, as the statement `figures` names it."""
    match by:
        case By.TOTAL:
            return ""
        case By.CATEGORY:
            return f"{key.l1}/{key.l2}"
        case By.HOUR:
            return f"{key.hour:02}"
        case By.MONTH:
            return f"{key.day:%Y-%m}"
        case By.DAY:
            return key.day.isoformat()
        case By.DEPARTMENT | By.TOWN | By.CHANNEL | By.L1 | By.KIND | By.AGENT:
            return str(getattr(key, by.value))


class Place(msgspec.Struct, frozen=True):
    """Where a page ended: the day of the walk, the last ticket, how much was listed so far."""

    day: date
    ticket: int
    listed: int

    def __str__(self) -> str:
        return f"{self.day}.{self.ticket}.{self.listed}"


def place_of(cursor: str) -> Place | None:
    """Return the place that a cursor names, None for ""; raises InvalidInput for a made-up one."""
    if not cursor:
        return None
    try:
        day, ticket, listed = cursor.split(".")
        return Place(date.fromisoformat(day), int(ticket), int(listed))
    except ValueError as error:
        raise InvalidInput("the cursor is not one that a page gave as `next`") from error
