"""Priority of an appeal (domain.md section 5): emergencies P0, sudden danger P1, utilities P2, the rest P3."""

from __future__ import annotations

import msgspec

from hotline.terms import Kind, Priority, Verdict


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
