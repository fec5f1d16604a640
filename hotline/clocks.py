"""The clocks of a ticket and the rules that set them (domain.md section 5; every figure comes from the city's files).

Three clocks run side by side from dispatch – sign-in, first contact, completion, and for P1 a fourth, to be on site
(东莞's promise) – under a ceiling that runs from receipt (广东: 2/10/15 working days). P1 and P2 run in plain minutes,
day and night; P3 in working time.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from hotline.appeal import Category
from hotline.deadlines import WorkCalendar, WorkingTime, credited, due_at
from hotline.policy import Allowances, Policy
from hotline.terms import ClockName, Kind, Priority

__all__ = [
    "Allowances", "Clocks", "Policy", "at_dispatch", "at_receipt", "at_refusal", "earliest", "expected_completion",
    "extended", "is_done", "limited", "resumed",
]


class Clocks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Due times and what has been done; None where a clock does not run.

    Attributes:
        started_at: when sign-in, first contact and completion began to run, put off by pauses.
        promise: why completion is due sooner than the rules ask, "" where it is not (`hotline.promises`).
        promised_due: the earliest completion that the citizens of merged tickets were promised.
        adopted_due: the earliest ceiling of merged tickets.
        chat_due: until when a person is to answer in a conversation (`hotline.chat_clock`).
        supervise_at: when the next level of supervision comes.
        wait_until: when time itself acts on a ticket that stays in its state.
        follow_up_next: when the next try of the follow-up is to be made; `tried` are the periods of the day tried.
    """

    started_at: datetime | None = None
    ceiling_due: datetime | None = None
    sign_due: datetime | None = None
    contact_due: datetime | None = None
    on_site_due: datetime | None = None
    completion_due: datetime | None = None
    return_until: datetime | None = None
    follow_up_due: datetime | None = None
    signed_at: datetime | None = None
    contacted_at: datetime | None = None
    arrived_at: datetime | None = None
    completed_at: datetime | None = None
    handed_off_at: datetime | None = None
    paused_at: datetime | None = None
    sign_yellow: datetime | None = None
    contact_yellow: datetime | None = None
    on_site_yellow: datetime | None = None
    completion_yellow: datetime | None = None
    promise: str = ""
    promised_due: datetime | None = None
    adopted_due: datetime | None = None
    chat_due: datetime | None = None
    chat_yellow: datetime | None = None
    supervise_at: datetime | None = None
    wait_until: datetime | None = None
    follow_up_next: datetime | None = None
    tried: tuple[int, ...] = ()

    def due(self, clock: ClockName) -> datetime | None:
        """Return when a clock runs out."""
        match clock:
            case ClockName.SIGN:
                return self.sign_due
            case ClockName.CONTACT:
                return self.contact_due
            case ClockName.ON_SITE:
                return self.on_site_due
            case ClockName.COMPLETION:
                return self.completion_due
            case ClockName.FOLLOW_UP:
                return self.follow_up_due
            case ClockName.WAIT:
                return self.wait_until
            case ClockName.CHAT:
                return self.chat_due

    def yellow(self, clock: ClockName) -> datetime | None:
        """Return when a clock's light turns yellow, None where it has no yellow light."""
        match clock:
            case ClockName.SIGN:
                return self.sign_yellow
            case ClockName.CONTACT:
                return self.contact_yellow
            case ClockName.ON_SITE:
                return self.on_site_yellow
            case ClockName.COMPLETION:
                return self.completion_yellow
            case ClockName.CHAT:
                return self.chat_yellow
            case ClockName.FOLLOW_UP | ClockName.WAIT:
                return None


_DONE = {"sign_due": "signed_at", "contact_due": "contacted_at", "on_site_due": "arrived_at"}
"""Clocks that stop for good once the department has done what they wait for."""


def _due(start: datetime, allowance: WorkingTime | None, calendar: WorkCalendar) -> datetime | None:
    return due_at(start, allowance, calendar) if allowance is not None else None


def at_receipt(now: datetime, kind: Kind, policy: Policy) -> Clocks:
    """Return the clocks of a ticket just received: only the ceiling runs."""
    return Clocks(ceiling_due=due_at(now, policy.ceiling.get(kind, policy.ceiling_default), policy.calendar))


def at_dispatch(
    clocks: Clocks, now: datetime, priority: Priority, kind: Kind, category: Category | None, policy: Policy
) -> Clocks:
    """Start sign-in, first contact and completion; completion never passes the ceiling, nor what was promised."""
    rules = policy.rules_of(priority)
    allowed, promise = policy.completion_of(priority, kind, category, now)
    return msgspec.structs.replace(
        clocks,
        started_at=now,
        sign_due=_due(now, rules.sign, policy.calendar),
        contact_due=_due(now, rules.contact, policy.calendar),
        on_site_due=_due(now, rules.on_site, policy.calendar),
        completion_due=limited(_due(now, allowed, policy.calendar), clocks, now),
        promise=promise,
        return_until=due_at(now, policy.return_window, policy.calendar),
        signed_at=None, contacted_at=None, arrived_at=None, completed_at=None,
        follow_up_due=None, follow_up_next=None, tried=(),
    )


def limited(completion: datetime | None, clocks: Clocks, now: datetime) -> datetime | None:
    """Return completion under the ceiling and what was promised; what these leave no time for is due at once."""
    for limit in (clocks.ceiling_due, clocks.promised_due):
        if completion is not None and limit is not None:
            completion = min(completion, max(limit, now))
    return completion


def at_refusal(clocks: Clocks, now: datetime, priority: Priority, policy: Policy) -> Clocks:
    """Start sign-in anew after a refused return; what the citizen was promised stays. [P]: no public rule."""
    return msgspec.structs.replace(clocks, sign_due=_due(now, policy.rules_of(priority).sign, policy.calendar))


def earliest(clocks: Clocks, ceiling: datetime | None, completion: datetime | None) -> Clocks:
    """Take over what a merged ticket's citizen was promised, where that is earlier (domain.md section 4)."""

    def first(*moments: datetime | None) -> datetime | None:
        return min((moment for moment in moments if moment is not None), default=None)

    ceiling_due, promised_due = first(clocks.ceiling_due, ceiling), first(clocks.promised_due, completion)
    completion_due = clocks.completion_due and first(clocks.completion_due, promised_due, ceiling_due)
    since = clocks.completed_at or clocks.started_at
    if completion_due is not None and since is not None and completion_due < since:
        # What is overdue is due at once, not in the past; what was done in time stays so.
        completion_due = first(clocks.completion_due, since)
    return msgspec.structs.replace(
        clocks, ceiling_due=ceiling_due, adopted_due=first(clocks.adopted_due, ceiling), promised_due=promised_due,
        completion_due=completion_due,
    )


def expected_completion(
    now: datetime, clocks: Clocks, priority: Priority, kind: Kind, category: Category | None, policy: Policy
) -> datetime | None:
    """Return what the citizen may expect: the completion clock, or what it would be if dispatched now."""
    if clocks.completion_due is not None:
        return clocks.completion_due
    completion = _due(now, policy.completion_of(priority, kind, category, now)[0], policy.calendar)
    return limited(completion, clocks, now)


def resumed(clocks: Clocks, now: datetime, priority: Priority, policy: Policy) -> Clocks:
    """End a pause: every clock still running is put off by what it lasted, in the time that the clock counts.

    What is done was done in time or not: a later question to the citizen says nothing about it.
    """
    paused_at = clocks.paused_at
    if paused_at is None:
        return clocks
    plain = policy.runs_day_and_night(priority)

    def later(due: datetime, *, plain: bool) -> datetime:
        return due + (now - paused_at) if plain else credited(due, paused_at, now, policy.calendar)

    moved = {
        name: later(due, plain=plain and name not in ("ceiling_due", "adopted_due"))
        for name in (
            "started_at", "ceiling_due", "adopted_due", "promised_due", "sign_due", "contact_due", "on_site_due",
            "completion_due", "return_until",
        )
        if (due := getattr(clocks, name)) is not None and not is_done(clocks, name)
    }
    return msgspec.structs.replace(clocks, paused_at=None, **moved)


def is_done(clocks: Clocks, name: str) -> bool:
    """Tell whether the department has done what a due time (`sign_due`, …) waits for."""
    return name in _DONE and getattr(clocks, _DONE[name]) is not None


def extended(clocks: Clocks, days: int, policy: Policy) -> Clocks:
    """Put completion off by working days, never past the ceiling."""
    if clocks.completion_due is None:
        return clocks
    later = due_at(clocks.completion_due, WorkingTime(days), policy.calendar)
    limit = clocks.ceiling_due
    due = min(later, limit) if limit is not None else later
    return msgspec.structs.replace(clocks, completion_due=max(due, clocks.completion_due))
