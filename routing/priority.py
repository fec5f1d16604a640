"""Priority of an appeal (domain.md section 5): emergencies P0, sudden danger P1, utilities P2, the rest P3.

It follows verdict, category and kind through a ticket's life (`with_priority`), unless a person has set another.
"""

from __future__ import annotations

import msgspec

from hotline import commands as c
from hotline.terms import Kind, Priority, Verdict
from hotline.ticket import Ticket


class PriorityRules(msgspec.Struct, frozen=True, kw_only=True):
    """The city's choice: second-level categories that are P1 or P2 for these kinds of appeal."""

    kinds: frozenset[Kind]
    p1: frozenset[str]
    p2: frozenset[str]


def priority_of(verdict: Verdict, l2: str, kind: Kind, rules: PriorityRules) -> Priority:
    """Return the priority; an enquiry about water prices is not a burst pipe, so kinds count."""
    match verdict:
        case Verdict.EMERGENCY:
            return Priority.P0
        case Verdict.UNCLEAR:
            return Priority.P1
        case Verdict.NON_EMERGENCY:
            pass
    if kind not in rules.kinds:
        return Priority.P3
    if l2 in rules.p1:
        return Priority.P1
    return Priority.P2 if l2 in rules.p2 else Priority.P3


def with_priority(command: c.Command, ticket: Ticket, rules: PriorityRules) -> c.Command:
    """Return the command with the priority that the ticket gets by it, where that is another.

    A gas leak that 110 gives back is urgent still, and what turns out to be no danger is not. A priority that a person
    has set stays, except that a graver verdict never leaves it lower than the table. People handle the ticket then, so
    it is P1 at most: P0 is what lies with an emergency service.
    """
    match command:
        case c.Correct(priority=None):
            found = _of(ticket, rules, l2=command.l2, kind=command.kind)
        case c.Reassess(priority=None):
            found = _of(ticket, rules, verdict=command.verdict)
        case c.PoliceReturn(priority=None):
            return msgspec.structs.replace(command, priority=_of(ticket, rules, verdict=Verdict.NON_EMERGENCY))
        case _:
            return command
    present = max(ticket.priority, Priority.P1)
    raised = isinstance(command, c.Reassess) and found < present
    if found == present or not (raised or present == _of(ticket, rules)):
        return command
    return msgspec.structs.replace(command, priority=found)


def _of(
    ticket: Ticket, rules: PriorityRules, *, verdict: Verdict | None = None, l2: str | None = None,
    kind: Kind | None = None,
) -> Priority:
    """Return what the table says of the ticket, or of what it is to become; P1 at most."""
    of = ticket.category.l2 if ticket.category else ""
    found = priority_of(verdict or ticket.verdict, of if l2 is None else l2, kind or ticket.kind, rules)
    return max(found, Priority.P1)
