"""并单: one parent, many merged tickets. Both sides of a merge are decided together, and written together.

The parent keeps the earliest deadline of all, also after one of them has gone again: what was promised is promised.
Only a ticket without children is merged, and only into an open one, so a family has two generations and never a ring.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

from hotline import commands as c
from hotline.clocks import Clocks, Policy, expected_completion, limited, resumed
from hotline.decide import Decision, decide
from hotline.errors import RuleViolation
from hotline.events import Actor
from hotline.lifecycle import OPEN_STATES
from hotline.summary import is_discreet
from hotline.terms import GRAVITY, Channel, Priority, label
from hotline.ticket import Ticket

MAX_CHILDREN = 5000
"""A ticket is replayed from its events, so a family must stay of a size that can be read at once."""


class Family(NamedTuple):
    """What became of both sides."""

    child: Decision
    parent: Decision


def _require(condition: bool, rule: str) -> None:
    if not condition:
        raise RuleViolation(rule)


def merge(
    child: Ticket, parent: Ticket, command: c.Merge, *, now: datetime, policy: Policy, actor: Actor
) -> Family:
    """Merge `child` into `parent`.

    Raises:
        IllegalTransition: the child's state does not allow it.
        RuleViolation: the parent is finished, merged itself, full, or less urgent than the child; or its department
            could learn who the child's citizen is; or the child is another city's.
    """
    _require(child.number != parent.number, "a ticket cannot be merged into itself")
    _require(
        parent.state in OPEN_STATES,
        f"ticket {parent.number} is {parent.state} ({label(parent.state)}): merge into one that is open",
    )
    _require(len(parent.children) < MAX_CHILDREN, f"a ticket takes {MAX_CHILDREN} merged ones: choose another parent")
    _require(
        GRAVITY[child.verdict] <= GRAVITY[parent.verdict],
        f"ticket {child.number} may be more urgent than {parent.number}: reassess it first",
    )
    _require(
        child.channel is not Channel.CITY,
        f"another city waits for what becomes of {child.number}: merge {parent.number} into it instead",
    )
    _require(
        not is_discreet(child) or _hides(parent, child),
        f"ticket {child.number} is confidential or 举报: in {parent.number} its citizen's words would tell who it is",
    )
    joined = decide(child, command, now=now, policy=policy, actor=actor)
    adopt = c.Adopt(
        child=child.number, ceiling_due=child.clocks.ceiling_due, completion_due=_promised(child, policy)
    )
    return Family(joined, decide(parent, adopt, now=now, policy=policy, actor=actor))


def _hides(parent: Ticket, child: Ticket) -> bool:
    """Tell whether the parent's department learns nothing of the child's citizen from what they add: masking knows the
    parent's citizen only, so it must be the same."""
    theirs, own = parent.appeal.citizen, child.appeal.citizen
    same = (own.name, own.phone, own.key) == (theirs.name, theirs.phone, theirs.key)
    return is_discreet(parent) and same and bool(own.phone or own.key)


def _promised(child: Ticket, policy: Policy) -> datetime | None:
    """Return when the child's citizen may expect completion: by its clock, or as the receipt, or the last reopening,
    told it, put off by what they were asked since."""
    clocks, course, priority = child.clocks, child.course, max(child.priority, Priority.P1)
    if clocks.completion_due is not None:
        return clocks.completion_due
    since = course.received_at or child.created_at
    told = Clocks(completion_due=expected_completion(since, Clocks(), priority, child.kind, child.category, policy))
    for asked_at, answered_at in course.pauses:
        told = resumed(msgspec.structs.replace(told, paused_at=asked_at), answered_at, priority, policy)
    return limited(told.completion_due, clocks, since)


def unmerge(
    child: Ticket, parent: Ticket, command: c.Unmerge, *, now: datetime, policy: Policy, actor: Actor
) -> Family:
    """Let `child` go its own way again, whatever has become of its parent. Raises IllegalTransition."""
    freed = decide(child, command, now=now, policy=policy, actor=actor)
    return Family(freed, decide(parent, c.Disown(child=child.number), now=now, policy=policy, actor=actor))
