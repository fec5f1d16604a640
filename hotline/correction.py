"""What the clocks become when a person corrects a ticket's kind, priority or category. Pure (decisions/0026, 0038).

The ceiling is the law's, and becomes what the right kind has from receipt on. Of the clocks that a department still has
before it, one that gets longer runs from the dispatch, as if it had been right from the beginning; one that gets
shorter, or is new, runs from the correction and ends no later than before: nobody is late by what they could not know.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

from hotline import commands as c
from hotline import watch
from hotline.appeal import Category
from hotline.clocks import Clocks, at_dispatch, at_receipt, extended, is_done, limited, resumed
from hotline.course import Course
from hotline.deadlines import credited
from hotline.lifecycle import OPEN_STATES
from hotline.policy import Policy
from hotline.promises import held
from hotline.terms import Kind, Priority, State
from hotline.ticket import Ticket

_AT_WORK = frozenset({
    State.PENDING_SIGN, State.RETURN_REQUESTED, State.ARBITRATION, State.HANDLING, State.PENDING_REVIEW,
})
_CLOCKS = ("sign_due", "contact_due", "on_site_due", "completion_due")
_OWED = OPEN_STATES | {State.MERGED}
"""Where a ceiling still matters: a merged ticket may go its own way again."""


class _Matter(NamedTuple):
    """What a department's clocks follow."""

    priority: Priority
    kind: Kind
    category: Category | None


def priority_after(ticket: Ticket, command: c.Command) -> Priority:
    """Return the priority by which clocks run after the command."""
    corrected_to = command.priority if isinstance(command, c.Correct | c.Reassess | c.PoliceReturn) else None
    return ticket.priority if corrected_to is None else corrected_to


def corrected(ticket: Ticket, command: c.Correct | c.Reassess, now: datetime, policy: Policy) -> Clocks:
    """Return the clocks after a correction; those of the ticket itself where it changes none."""
    was, matter = _Matter(ticket.priority, ticket.kind, ticket.category), _matter_after(ticket, command)
    if not _differ(ticket, was, matter, now, policy) or ticket.state not in _OWED:
        return ticket.clocks
    priority, kind, _ = matter
    clocks = msgspec.structs.replace(ticket.clocks, ceiling_due=_ceiling(ticket, kind, policy))
    if _is_at_work(ticket):
        clocks = _of_department(ticket, clocks, was, matter, now, policy)
    fresh = watch.entered(clocks, ticket.state, now, priority, policy).wait_until
    if clocks.wait_until is None or fresh is None:
        return clocks
    return msgspec.structs.replace(clocks, wait_until=min(clocks.wait_until, fresh))


def _matter_after(ticket: Ticket, command: c.Correct | c.Reassess) -> _Matter:
    kind, category = ticket.kind, ticket.category
    if isinstance(command, c.Correct):
        kind = command.kind or kind
        if command.l1 is not None and command.l2 is not None:
            category = Category(l1=command.l1, l2=command.l2)
    return _Matter(priority_after(ticket, command), kind, category)


def _differ(ticket: Ticket, was: _Matter, becomes: _Matter, now: datetime, policy: Policy) -> bool:
    """Tell whether the clocks run otherwise; of categories only those do of which the city has promised something."""
    if was.category == becomes.category:
        return was != becomes
    start, before = ticket.course.dispatched_at or now, policy.as_dispatched(ticket.clocks.promise)
    same = (was.priority, was.kind) == (becomes.priority, becomes.kind)
    return not same or before.completion_of(*was, start) != policy.completion_of(*becomes, start)


def _is_at_work(ticket: Ticket) -> bool:
    """Tell whether a department has the matter, or its question to the citizen stops the clocks for now."""
    asked = ticket.state is State.NEED_INFO and ticket.asked_in is State.HANDLING
    return asked or ticket.state in _AT_WORK


def _ceiling(ticket: Ticket, kind: Kind, policy: Policy) -> datetime | None:
    """Return the ceiling of the kind, put off by what the present one was put off: by pauses, or a reopening."""
    due = ticket.clocks.ceiling_due
    before, after = (at_receipt(ticket.created_at, one, policy).ceiling_due for one in (ticket.kind, kind))
    if due is None or before is None or after is None or before == after:
        return due
    found = credited(after, before, due, policy.calendar)
    adopted = ticket.clocks.adopted_due
    return found if adopted is None else min(found, adopted)


def _of_department(
    ticket: Ticket, clocks: Clocks, was_of: _Matter, matter: _Matter, now: datetime, policy: Policy
) -> Clocks:
    """Return the clocks with those moved that a department still has before it, by the promises of the dispatch."""
    if ticket.course.dispatched_at is None:
        return clocks
    version = held(policy.promises, ticket.course.dispatched_at)
    policy = msgspec.structs.replace(policy, promises=() if version is None else (version,))
    start = clocks.paused_at or now  # the answer will put off what the question stopped by the whole of the pause
    was = _from_dispatch(ticket.course, ticket.clocks, was_of, policy.as_dispatched(ticket.clocks.promise))
    becomes = _from_dispatch(ticket.course, clocks, matter, policy)
    fresh = at_dispatch(clocks, start, *matter, policy)
    dues = {
        name: _moved(*(getattr(one, name) for one in (clocks, was, becomes, fresh)))
        for name in _CLOCKS if not is_done(clocks, name)
    }
    dues["completion_due"] = limited(dues["completion_due"], clocks, start)
    return msgspec.structs.replace(clocks, promise=becomes.promise, **dues)


def _moved(
    due: datetime | None, was: datetime | None, becomes: datetime | None, fresh: datetime | None
) -> datetime | None:
    """Return when a clock runs out that `was` so, counted from the dispatch, and `becomes` so; `fresh`: from now on."""
    if was == becomes:
        return due
    if due is None or was is None or becomes is None:
        return fresh
    if becomes > was:
        return max(due, becomes)
    return due if fresh is None else min(due, fresh)


def _from_dispatch(course: Course, clocks: Clocks, matter: _Matter, policy: Policy) -> Clocks:
    """Return a department's clocks as if the matter had been so from the dispatch on."""
    start = course.dispatched_at
    if start is None:
        return clocks
    counted = at_dispatch(Clocks(), start, *matter, policy)
    if course.sign_from is not None:
        counted = msgspec.structs.replace(
            counted, sign_due=at_dispatch(Clocks(), course.sign_from, *matter, policy).sign_due
        )
    for paused_at, answered_at in course.pauses:
        counted = resumed(msgspec.structs.replace(counted, paused_at=paused_at), answered_at, matter.priority, policy)
    if course.extended and not policy.runs_day_and_night(matter.priority):
        counted = extended(counted, course.extended, policy)
    return msgspec.structs.replace(counted, completion_due=limited(counted.completion_due, clocks, start))
