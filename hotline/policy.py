"""A city's figures for clocks, waits and follow-up: everything that a city can replace in city.toml.

Every default is this project's proposal ([P] in domain.md); the city's file tells the value in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time

import msgspec

from hotline.appeal import Category
from hotline.deadlines import Unit, WorkCalendar, WorkingTime, due_at
from hotline.promises import Promises, promised
from hotline.terms import Kind, Priority, State


class Allowances(msgspec.Struct, frozen=True, kw_only=True):
    """Allowances of one priority; `completion` by kind, with `completion_default` for the others."""

    sign: WorkingTime | None = None
    contact: WorkingTime | None = None
    on_site: WorkingTime | None = None
    completion: Mapping[Kind, WorkingTime] = {}
    completion_default: WorkingTime | None = None


class FollowUpRules(msgspec.Struct, frozen=True, kw_only=True):
    """回访: periods of a day in which a try counts once, how long the last link waits, and how often a redo is made."""

    periods: tuple[tuple[time, time], ...] = (
        (time(9), time(11, 30)), (time(14, 30), time(17, 30)), (time(19), time(20, 30)),
    )
    link: WorkingTime = WorkingTime(1)
    max_redos: int = 2


class CallbackRules(msgspec.Struct, frozen=True, kw_only=True):
    """回拨: how soon a missed call is tried, how long one is held, how far apart the tries lie, and by day."""

    within: WorkingTime = WorkingTime(30, Unit.MINUTES)
    hold_minutes: int = 15
    gap_minutes: tuple[int, ...] = (30, 240)
    day: tuple[time, time] = (time(7, 30), time(21, 30))


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The city's figures: calendar, allowances, ceilings and windows. `[P]` values live here, never in code.

    Attributes:
        promises: what is closed sooner than `allowances` ask, in versions.
        chat_answer: how soon a person answers in a conversation, None for no such clock.
        yellow_percent: share of a clock's time after which its light turns yellow.
        supervision: working time after the completion clock's end at which each level of supervision comes.
        waits: how long a ticket may stay in a state before time itself acts (`hotline.timers`); `urgent_waits` are
            those of P0 and P1 where they differ.
    """

    calendar: WorkCalendar
    allowances: Mapping[Priority, Allowances]
    ceiling: Mapping[Kind, WorkingTime]
    ceiling_default: WorkingTime
    return_window: WorkingTime
    police_return_window: WorkingTime
    follow_up: WorkingTime
    follow_up_rules: FollowUpRules = FollowUpRules()
    callbacks: CallbackRules = CallbackRules()
    promises: tuple[Promises, ...] = ()
    chat_answer: WorkingTime | None = None
    yellow_percent: int = 80
    supervision: tuple[WorkingTime, ...] = (WorkingTime(0), WorkingTime(2), WorkingTime(5))
    waits: Mapping[State, WorkingTime] = {}
    urgent_waits: Mapping[State, WorkingTime] = {}

    def rules_of(self, priority: Priority) -> Allowances:
        """Return the allowances; an emergency that comes to a department after all is handled as P1."""
        rules = self.allowances[priority]
        return self.allowances[Priority.P1] if rules == Allowances() else rules

    def completion_of(
        self, priority: Priority, kind: Kind, category: Category | None, at: datetime
    ) -> tuple[WorkingTime | None, str]:
        """Return how long completion may take of what is dispatched `at`, and why so where a promise made it shorter.

        What runs day and night is urgent by itself, and is promised nothing else.
        """
        rules = self.rules_of(priority)
        allowed = rules.completion.get(kind, rules.completion_default)
        promise = promised(self.promises, category, kind, at)
        if promise is None or allowed is None or self.runs_day_and_night(priority):
            return allowed, ""
        is_sooner = due_at(at, promise.completion, self.calendar) < due_at(at, allowed, self.calendar)
        return promise if is_sooner else (allowed, "")

    def as_dispatched(self, promise: str) -> Policy:
        """Return the policy that clocks follow which tell this `promise`: where they tell none, a list came later."""
        return self if promise else msgspec.structs.replace(self, promises=())

    def runs_day_and_night(self, priority: Priority) -> bool:
        """Tell whether clocks of this priority run in plain minutes, not in working time."""
        completion = self.rules_of(priority).completion_default
        return completion is not None and completion.unit is Unit.MINUTES

    def wait_in(self, state: State, priority: Priority) -> WorkingTime | None:
        """Return how long a ticket may stay in a state, None for as long as it takes."""
        urgent = self.urgent_waits.get(state) if priority <= Priority.P1 else None
        return urgent or self.waits.get(state)
