"""The sweep: carries out what time does to tickets, whatever process runs it and however long it was away.

Each ticket is taken under its lock and decided on anew, so two processes never do the same thing twice. A round takes
a limited number of tickets, the longest waiting first: after an outage everything is caught up with, at a pace that
leaves room for people. What was passed meanwhile is recorded with the moment at which it came; only the last light of a
ticket calls anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from hotline.decide import Decision, decide
from hotline.effects import Effects, effects_of_all
from hotline.events import SYSTEM
from hotline.in_turn import each_apart
from hotline.opening import Change, CityRules
from hotline.ports import Clock
from hotline.terms import State
from hotline.ticket import Ticket
from hotline.timers import due_command, next_look

MOST_STEPS = 32
"""Of one ticket in one look; more would mean that a threshold comes again and again."""
PUT_OFF = timedelta(hours=1)


Look = tuple[Change, Effects] | datetime | None
"""What is to become of a ticket that is due, or, where it is nothing, when to look again (None: never)."""


DecideDue = Callable[[Ticket, State | None], Look]
"""Decides on a ticket and, of a merged one, the state of its parent; called with the ticket under its lock."""


class DueTickets(Protocol):
    """Tickets that time has something to do to (`hotline.store.sweep.SweepStore`)."""

    async def due(self, now: datetime, *, limit: int) -> Sequence[str]:
        """Return the numbers of tickets that are due, the longest waiting first."""
        ...

    async def take(self, number: str, now: datetime, decide: DecideDue) -> bool:
        """Decide on a ticket under its lock and write what it leads to; False if another process has it.

        Raises Unavailable where the database cannot do it now, and what `decide` raises.
        """
        ...

    async def put_off(self, number: str, now: datetime, until: datetime) -> None:
        """Look at a ticket that is due again at a later moment; one that was changed meanwhile keeps its own."""
        ...


def caught_up(ticket: Ticket, *, rules: CityRules, now: datetime, parent: State | None = None) -> Change | None:
    """Return everything that time has done to a ticket by `now`, None for nothing. Pure.

    `parent`: of a merged ticket the state of its parent.
    """
    decisions: list[Decision] = []
    current = ticket
    while (command := due_command(current, now, rules.policy, parent)) is not None:
        if len(decisions) == MOST_STEPS:
            raise RuntimeError(f"time does not come to an end with ticket {ticket.number}: {command}")
        decisions.append(decide(current, command, now=now, policy=rules.policy, actor=SYSTEM))
        current = decisions[-1].ticket
    return Change(before=ticket, decisions=tuple(decisions)) if decisions else None


class Sweep:
    """Looks at what is due. Safe to run in several processes at once."""

    def __init__(
        self, *, rows: DueTickets, rules: Callable[[], CityRules], clock: Clock, batch: int = 200
    ) -> None:
        self._rows, self._rules, self._clock, self._batch = rows, rules, clock, batch

    async def run(self) -> None:
        """Take one round: at most `batch` tickets."""
        due = await self._rows.due(self._clock(), limit=self._batch)
        await each_apart([(number, partial(self._take, number)) for number in due], put_off=self._put_off)

    async def _take(self, number: str) -> None:
        now, rules = self._clock(), self._rules()

        def decided(ticket: Ticket, parent: State | None) -> Look:
            change = caught_up(ticket, rules=rules, now=now, parent=parent)
            if change is None:
                return next_look(ticket, now, rules.policy, parent)
            return change, effects_of_all(change.ticket, change.events, signature=rules.signature)

        await self._rows.take(number, now, decided)

    async def _put_off(self, number: str) -> None:
        now = self._clock()
        await self._rows.put_off(number, now, now + PUT_OFF)
