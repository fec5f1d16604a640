"""Thousands of consoles in rows, told one row after the other. Pure.

To write to 5,000 consoles takes some fifty milliseconds. Done in one go, nobody's question is answered meanwhile, and
what happens just after the beginning waits for its end before the first console hears of it. A row of some hundreds
takes a few; after each, the loop has its turn, and the next row gets what happened since as well. So an event waits for
one round, not for two, and each console still gets one write a round.

Each row is a hub of its own: what `agent_ui.hub` promises to a console (in order, once, nothing missed, how far it has
been told) it promises within its row, where the console stays. An event is serialised once for all rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Generic

from agent_ui.hub import C, Encoded, Hub
from hotline.feed import FeedEvent


class Hall(Generic[C]):
    """The rows, and what waits for each of them."""

    def __init__(self, *, start: int, capacity: int, rows: int) -> None:
        """Begin after event `start` with so many rows; each can repeat `capacity` recent events."""
        self.rows = tuple(Hub[C](start=start, capacity=capacity) for _ in range(rows))
        self._seats = itertools.cycle(self.rows)

    @property
    def seq(self) -> int:
        """All events up to this one have been published in every row."""
        return min(row.seq for row in self.rows)

    @property
    def waiting(self) -> int:
        """How many events the row that has most to hear has not heard."""
        return max(row.waiting for row in self.rows)

    def seat(self) -> Hub[C]:
        """Return the row for the next who comes."""
        return next(self._seats)

    def take_in(self, page: Iterable[FeedEvent]) -> None:
        """Let events wait in every row."""
        events = [Encoded(event) for event in page]
        for row in self.rows:
            row.take_in(events)

    def restart(self, position: int) -> None:
        """Go on after `position`, see `agent_ui.hub.Hub.restart`."""
        for row in self.rows:
            row.restart(position)
