"""What each command does to the clocks of a ticket. Pure; `hotline.decide` puts the outcome into the event."""

from __future__ import annotations

from datetime import datetime

import msgspec

from hotline import chat_clock, correction, follow_up, watch
from hotline import clocks as clock_rules
from hotline import commands as c
from hotline.alarms import DISSATISFIED, HAND_OFF_OPEN
from hotline.appeal import Appeal, Triage
from hotline.clocks import Clocks
from hotline.policy import Policy
from hotline.terms import Channel, State
from hotline.ticket import Ticket

_HELD_UP = {State.HANDED_OFF: HAND_OFF_OPEN, State.ANSWERED: DISSATISFIED}
"""States whose end of wait an alarm holds up: once it is cleared, they wait anew."""


def clocks_at_receipt(channel: Channel, appeal: Appeal, triage: Triage, *, now: datetime, policy: Policy) -> Clocks:
    """Return the clocks of an appeal just received: the provincial ceiling runs, and who talks waits for an answer."""
    clocks = clock_rules.at_receipt(now, appeal.kind or triage.kind, policy)
    if chat_clock.talks(channel, appeal):
        clocks = chat_clock.asked(clocks, now, policy)
    return watch.entered(clocks, State.RECEIVED, now, triage.priority, policy)


def clocks_after(ticket: Ticket, command: c.Command, state: State, *, now: datetime, policy: Policy) -> Clocks:
    """Return the clocks after a command that leads to `state`; `ticket.clocks` itself where it moves none."""
    clocks = _watched(ticket, command, _clocks(ticket, command, now, policy), now, policy)
    if chat_clock.talks(ticket.channel, ticket.appeal):
        clocks = chat_clock.asked_or_answered(command, clocks, state, now, policy)
    if state is ticket.state or state is State.PENDING_FOLLOW_UP:  # there the follow-up's plan tells how long
        return clocks
    return watch.entered(clocks, state, now, correction.priority_after(ticket, command), policy)


def _watched(ticket: Ticket, command: c.Command, clocks: Clocks, now: datetime, policy: Policy) -> Clocks:
    """Return the clocks with what the sweep watches; a second redo begins supervised (`hotline.ticket`)."""
    level = int(ticket.supervision)
    match command:
        case c.Supervise():
            return msgspec.structs.replace(clocks, supervise_at=watch.supervise_at(clocks, level + 1, policy))
        case c.Redispatch() if ticket.redos > 0:
            level = max(level, 1)
    priority = correction.priority_after(ticket, command)
    if not watch.moved(ticket.clocks, clocks):
        return clocks
    sign_from = now if isinstance(command, c.RefuseReturn) else ticket.course.sign_from
    return watch.watched(clocks, priority, policy, level=level, sign_from=sign_from)


def _clocks(ticket: Ticket, command: c.Command, now: datetime, policy: Policy) -> Clocks:
    """Return the clocks after the command; `ticket.clocks` itself where it moves none."""
    clocks = ticket.clocks
    match command:
        case c.Dispatch() | c.Rule() | c.Redispatch():
            return clock_rules.at_dispatch(clocks, now, ticket.priority, ticket.kind, ticket.category, policy)
        case c.Sign():
            return msgspec.structs.replace(clocks, signed_at=now)
        case c.RecordContact():
            return msgspec.structs.replace(clocks, contacted_at=now)
        case c.RecordArrival():
            return msgspec.structs.replace(clocks, arrived_at=now)
        case c.Reply():
            return msgspec.structs.replace(clocks, completed_at=now)
        case c.RejectReply():
            return msgspec.structs.replace(clocks, completed_at=None)
        case c.AcceptReply():
            plan = follow_up.planned(clocks, now, policy, reachable=bool(follow_up.ways(ticket)))
            return msgspec.structs.replace(clocks, **plan)
        case c.RecordTry(result=result):
            return msgspec.structs.replace(clocks, **follow_up.tried(clocks, result, now, policy))
        case c.ClearAlarm(alarm=alarm) if _HELD_UP.get(ticket.state) == alarm:
            return watch.entered(clocks, ticket.state, now, ticket.priority, policy)
        case c.Reopen():
            return clock_rules.at_receipt(now, ticket.kind, policy)
        case c.HandOff():
            return msgspec.structs.replace(clocks, handed_off_at=now)
        case c.AskInfo():
            return msgspec.structs.replace(clocks, paused_at=now)
        case c.RefuseReturn():
            return clock_rules.at_refusal(clocks, now, ticket.priority, policy)
        case c.Adopt() if clocks.paused_at is not None:  # what the pause lasted until now is none of the child's
            so_far = clock_rules.resumed(clocks, now, ticket.priority, policy)
            joined = clock_rules.earliest(so_far, command.ceiling_due, command.completion_due)
            return msgspec.structs.replace(joined, paused_at=now)
        case c.Adopt():
            return clock_rules.earliest(clocks, command.ceiling_due, command.completion_due)
        case c.Correct():
            return follow_up.learnt(ticket, command, correction.corrected(ticket, command, now, policy), now, policy)
        case c.Reassess():
            return correction.corrected(ticket, command, now, policy)
        case c.SupplyInfo() | c.Resume():
            return clock_rules.resumed(clocks, now, ticket.priority, policy)
        case c.GrantExtension():
            return clock_rules.extended(clocks, ticket.extension_days, policy)
        case _:
            return clocks
