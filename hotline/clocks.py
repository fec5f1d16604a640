"""The clocks of a ticket and the rules that set them (domain.md section 5; every figure comes from the city's files).

Three clocks run side by side from dispatch – sign-in, first contact, completion – under a ceiling that runs from
receipt (广东: 2/10/15 working days). P1 and P2 run in plain minutes, day and night; P3 in working time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from hotline.deadlines import WorkCalendar, WorkingTime, credited, due_at
from hotline.terms import Kind, Priority


class Allowances(msgspec.Struct, frozen=True, kw_only=True):
    """Allowances of one priority; `completion` by kind, with `completion_default` for the others."""

    sign: WorkingTime | None = None
    contact: WorkingTime | None = None
    completion: Mapping[Kind, WorkingTime] = {}
    completion_default: WorkingTime | None = None


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The city's figures: calendar, allowances, ceilings and windows. `[P]` values live here, never in code."""

    calendar: WorkCalendar
    allowances: Mapping[Priority, Allowances]
    ceiling: Mapping[Kind, WorkingTime]
    ceiling_default: WorkingTime
    return_window: WorkingTime
    police_return_window: WorkingTime
    follow_up: WorkingTime


class Clocks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Due times and what has been done; None where a clock does not run."""

    ceiling_due: datetime | None = None
    sign_due: datetime | None = None
    contact_due: datetime | None = None
    completion_due: datetime | None = None
    return_until: datetime | None = None
    follow_up_due: datetime | None = None
    signed_at: datetime | None = None
    contacted_at: datetime | None = None
    completed_at: datetime | None = None
    handed_off_at: datetime | None = None
    paused_at: datetime | None = None


def _due(start: datetime, allowance: WorkingTime | None, calendar: WorkCalendar) -> datetime | None:
    return due_at(start, allowance, calendar) if allowance is not None else None


def at_receipt(now: datetime, kind: Kind, policy: Policy) -> Clocks:
    """Return the clocks of a ticket just received: only the ceiling runs."""
    return Clocks(ceiling_due=due_at(now, policy.ceiling.get(kind, policy.ceiling_default), policy.calendar))


def at_dispatch(clocks: Clocks, now: datetime, priority: Priority, kind: Kind, policy: Policy) -> Clocks:
    """Start sign-in, first contact and completion; completion never passes the ceiling."""
    rules = policy.allowances[priority]
    completion = _due(now, rules.completion.get(kind, rules.completion_default), policy.calendar)
    if completion is not None and clocks.ceiling_due is not None:
        completion = min(completion, max(clocks.ceiling_due, now))
    return msgspec.structs.replace(
        clocks,
        sign_due=_due(now, rules.sign, policy.calendar),
        contact_due=_due(now, rules.contact, policy.calendar),
        completion_due=completion,
        return_until=due_at(now, policy.return_window, policy.calendar),
        signed_at=None, contacted_at=None, completed_at=None, follow_up_due=None,
    )


def expected_completion(
    now: datetime, clocks: Clocks, priority: Priority, kind: Kind, policy: Policy
) -> datetime | None:
    """Return what the citizen may expect: the completion clock, or what it would be if dispatched now."""
    return clocks.completion_due or at_dispatch(clocks, now, priority, kind, policy).completion_due


def resumed(clocks: Clocks, now: datetime, policy: Policy) -> Clocks:
    """End a pause: every clock still running is put off by the working time it lasted."""
    paused_at = clocks.paused_at
    if paused_at is None:
        return clocks
    running = ("ceiling_due", "sign_due", "contact_due", "completion_due", "return_until")
    moved = {
        name: credited(due, paused_at, now, policy.calendar)
        for name in running
        if (due := getattr(clocks, name)) is not None
    }
    return msgspec.structs.replace(clocks, paused_at=None, **moved)


def extended(clocks: Clocks, days: int, policy: Policy) -> Clocks:
    """Put completion off by working days, never past the ceiling."""
    if clocks.completion_due is None:
        return clocks
    later = due_at(clocks.completion_due, WorkingTime(days), policy.calendar)
    limit = clocks.ceiling_due
    return msgspec.structs.replace(clocks, completion_due=min(later, limit) if limit is not None else later)
