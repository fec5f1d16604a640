"""The one table of a ticket's life: which command leads from which state to which (domain.md section 4).

`docs/lifecycle.md` is drawn from this table by `python -m hotline diagram`; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping

from hotline import commands as c
from hotline.errors import IllegalTransition
from hotline.terms import State as S  # noqa: N817 - a table reads best in short words
from hotline.terms import label

TRANSITIONS: Mapping[S, Mapping[type[c.LifecycleCommand], S]] = {
    S.RECEIVED: {
        c.Accept: S.PENDING_DISPATCH, c.Answer: S.ANSWERED, c.HandOff: S.HANDED_OFF, c.Reject: S.REJECTED,
        c.Merge: S.MERGED, c.AskInfo: S.NEED_INFO, c.Withdraw: S.WITHDRAWN,
    },
    S.NEED_INFO: {
        c.SupplyInfo: S.RECEIVED, c.Resume: S.HANDLING, c.Withdraw: S.WITHDRAWN, c.Reject: S.REJECTED,
    },
    S.PENDING_DISPATCH: {
        c.Dispatch: S.PENDING_SIGN, c.Answer: S.ANSWERED, c.HandOff: S.HANDED_OFF, c.Merge: S.MERGED,
        c.Reject: S.REJECTED, c.Withdraw: S.WITHDRAWN,
    },
    S.PENDING_SIGN: {
        c.Sign: S.HANDLING, c.RequestReturn: S.RETURN_REQUESTED, c.HandOff: S.HANDED_OFF, c.Merge: S.MERGED,
        c.Withdraw: S.WITHDRAWN, c.TakeBack: S.PENDING_DISPATCH,
    },
    S.RETURN_REQUESTED: {
        c.ApproveReturn: S.PENDING_DISPATCH, c.RefuseReturn: S.PENDING_SIGN, c.Arbitrate: S.ARBITRATION,
    },
    S.ARBITRATION: {c.Rule: S.PENDING_SIGN},
    S.HANDLING: {
        c.Reply: S.PENDING_REVIEW, c.AskInfo: S.NEED_INFO, c.HandOff: S.HANDED_OFF, c.Withdraw: S.WITHDRAWN,
        c.TakeBack: S.PENDING_DISPATCH,
    },
    S.PENDING_REVIEW: {c.AcceptReply: S.PENDING_FOLLOW_UP, c.RejectReply: S.HANDLING},
    S.ANSWERED: {c.Close: S.CLOSED, c.Reopen: S.RECEIVED},
    S.HANDED_OFF: {c.PoliceReturn: S.RECEIVED, c.Close: S.CLOSED},
    S.PENDING_FOLLOW_UP: {c.SettleFollowUp: S.CLOSED, c.DisputeFollowUp: S.REDO},
    S.REDO: {c.Redispatch: S.PENDING_SIGN},
    S.CLOSED: {c.Archive: S.ARCHIVED, c.Reopen: S.RECEIVED},
    S.REJECTED: {c.Archive: S.ARCHIVED},
    S.WITHDRAWN: {c.Archive: S.ARCHIVED},
    S.MERGED: {c.Archive: S.ARCHIVED, c.Unmerge: S.RECEIVED},
    S.ARCHIVED: {},
}

OPEN_STATES: frozenset[S] = frozenset({
    S.RECEIVED, S.NEED_INFO, S.PENDING_DISPATCH, S.PENDING_SIGN, S.RETURN_REQUESTED, S.ARBITRATION, S.HANDLING,
    S.PENDING_REVIEW, S.HANDED_OFF, S.PENDING_FOLLOW_UP, S.REDO,
})
"""States in which somebody still owes the citizen something."""


def next_state(state: S, command: c.LifecycleCommand) -> S:
    """Return the state that `command` leads to.

    Raises:
        IllegalTransition: the table has no such way; the detail names what is possible.
    """
    ways = TRANSITIONS[state]
    if type(command) not in ways:
        possible = ", ".join(sorted(c.tag_of(way) for way in ways)) or "nothing"
        tag = c.tag_of(type(command))
        raise IllegalTransition(f"a ticket in state {state} ({label(state)}) cannot {tag}; possible here: {possible}")
    return ways[type(command)]


def diagram() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> received"]
    lines += [f"    {state} : {state}<br/>{label(state)}" for state in S]
    for state, ways in TRANSITIONS.items():
        lines += [f"    {state} --> {after} : {c.tag_of(way)}" for way, after in ways.items()]
    return "\n".join([*lines, "    archived --> [*]", ""])
