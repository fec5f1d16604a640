"""Decisions on a ticket: a command, the time and the city's policy in; one event and the new ticket out, or an error.

Pure. The lifecycle table says which way leads where; the guards here hold the rules that a table cannot say.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from hotline import clocks as clock_rules
from hotline import commands as c
from hotline.appeal import Appeal, Triage
from hotline.clocks import Clocks, Policy
from hotline.deadlines import due_at
from hotline.errors import RuleViolation
from hotline.events import SYSTEM, Actor, Receive, Role, TicketEvent
from hotline.extension import Extension, next_extension
from hotline.ids import TicketNumber
from hotline.lifecycle import OPEN_STATES, next_state
from hotline.supervision import next_supervision
from hotline.terms import Channel, Priority, State, Verdict
from hotline.ticket import Ticket, evolve


class Decision(NamedTuple):
    """What a command led to."""

    ticket: Ticket
    event: TicketEvent


def receive(
    *, number: TicketNumber, channel: Channel, appeal: Appeal, triage: Triage, now: datetime, policy: Policy,
    actor: Actor = Actor(Role.CITIZEN),
) -> Decision:
    """Open a ticket for an appeal; only the provincial ceiling starts to run."""
    clocks = clock_rules.at_receipt(now, appeal.kind or triage.kind, policy)
    fact = Receive(number=number, channel=channel, appeal=appeal, triage=triage)
    event = TicketEvent(version=1, at=now, actor=actor, fact=fact, state=State.RECEIVED, clocks=clocks)
    return Decision(evolve(None, event), event)


def decide(
    ticket: Ticket, command: c.Command, *, now: datetime, policy: Policy, actor: Actor = SYSTEM
) -> Decision:
    """Decide on one command.

    Raises:
        IllegalTransition: the state's row in the table has no such command.
        RuleViolation: a rule of the domain forbids it; the detail says which.
    """
    state = next_state(ticket.state, command) if isinstance(command, c.LifecycleCommand) else ticket.state
    extension = _extension(ticket, command)
    if guard := _GUARDS.get(type(command)):
        guard(ticket, command, now, policy)
    clocks = _clocks(ticket, command, now, policy)
    event = TicketEvent(
        version=ticket.version + 1, at=now, actor=actor, fact=command, state=state,
        clocks=clocks if clocks != ticket.clocks else None, extension=extension,
    )
    return Decision(evolve(ticket, event), event)


def _extension(ticket: Ticket, command: c.Command) -> Extension | None:
    if isinstance(command, c.RequestExtension | c.GrantExtension | c.RefuseExtension):
        return next_extension(ticket.extension, command)
    return None


# ── guards: what the table cannot say ────────────────────────────────────────────────────────────
def _require(condition: bool, rule: str) -> None:
    if not condition:
        raise RuleViolation(rule)


def _guard_hand_off(ticket: Ticket, command: c.HandOff, now: datetime, policy: Policy) -> None:
    _require(bool(command.services), "a hand-off names at least one service of 110, 119, 120, 122")
    _require(ticket.police_returns == 0, "110 has returned this ticket; a returned transfer is never sent again")


def _guard_request_return(ticket: Ticket, command: c.RequestReturn, now: datetime, policy: Policy) -> None:
    _require(not ticket.return_locked, "a return was refused or ruled on; no further return is possible")
    _require(bool(command.legal_basis.strip() and command.suggested), "a return needs its legal basis and an owner")
    until = ticket.clocks.return_until
    _require(until is None or now <= until, f"the window for returns closed at {until}")


def _guard_approve_return(ticket: Ticket, command: c.ApproveReturn, now: datetime, policy: Policy) -> None:
    _require(ticket.returns == 0, "the second return of a ticket goes to arbitration")


def _guard_police_return(ticket: Ticket, command: c.PoliceReturn, now: datetime, policy: Policy) -> None:
    _require(ticket.police_returns == 0, "110 may return a ticket once")
    handed_off_at = ticket.clocks.handed_off_at
    if handed_off_at is not None and ticket.incident:  # what 110 never took, it may refuse at any time
        until = due_at(handed_off_at, policy.police_return_window, policy.calendar)
        _require(now <= until, f"the window for returns by 110 closed at {until}")


def _guard_reassess(ticket: Ticket, command: c.Reassess, now: datetime, policy: Policy) -> None:
    rank = [Verdict.NON_EMERGENCY, Verdict.UNCLEAR, Verdict.EMERGENCY]
    lowered = rank.index(command.verdict) < rank.index(ticket.verdict)
    _require(not lowered or bool(command.reason.strip()), "lowering a verdict needs a reason")


def _guard_request_extension(ticket: Ticket, command: c.RequestExtension, now: datetime, policy: Policy) -> None:
    due = ticket.clocks.completion_due
    _require(ticket.priority not in {Priority.P0, Priority.P1, Priority.P2}, "P0, P1 and P2 are never extended")
    _require(ticket.state is State.HANDLING, "only a ticket being handled can be extended")
    _require(due is not None and now < due, "an extension is asked for before the clock expires")
    rules = policy.allowances[ticket.priority]
    limit = rules.completion.get(ticket.kind, rules.completion_default)
    _require(limit is not None and 1 <= command.days <= limit.amount, "an extension is 1 day up to the original limit")


def _guard_supervise(ticket: Ticket, command: c.Supervise, now: datetime, policy: Policy) -> None:
    next_supervision(ticket.supervision)


def _guard_open(ticket: Ticket, command: c.Urge, now: datetime, policy: Policy) -> None:
    _require(ticket.state in OPEN_STATES, "the ticket is finished")


def _guard_contact(ticket: Ticket, command: c.RecordContact, now: datetime, policy: Policy) -> None:
    _require(ticket.clocks.contacted_at is None, "first contact is recorded already")


def _guard_acknowledge(ticket: Ticket, command: c.AcknowledgeIncident, now: datetime, policy: Policy) -> None:
    _require(ticket.incident != command.incident, f"incident {command.incident} is acknowledged already")


def _guard_raise_alarm(ticket: Ticket, command: c.RaiseAlarm, now: datetime, policy: Policy) -> None:
    _require(command.alarm not in ticket.alarms, f"the alarm {command.alarm} is raised already")


_GUARDS: dict[type, Callable[[Ticket, Any, datetime, Policy], None]] = {
    c.HandOff: _guard_hand_off, c.RequestReturn: _guard_request_return, c.ApproveReturn: _guard_approve_return,
    c.PoliceReturn: _guard_police_return, c.Reassess: _guard_reassess, c.RequestExtension: _guard_request_extension,
    c.AcknowledgeIncident: _guard_acknowledge, c.RaiseAlarm: _guard_raise_alarm,
    c.Supervise: _guard_supervise, c.Urge: _guard_open, c.RecordContact: _guard_contact,
}


# ── clocks ───────────────────────────────────────────────────────────────────────────────────────
def _clocks(ticket: Ticket, command: c.Command, now: datetime, policy: Policy) -> Clocks:
    """Return the clocks after the command; `ticket.clocks` itself where it moves none."""
    clocks = ticket.clocks
    match command:
        case c.Dispatch() | c.Rule() | c.Redispatch():
            return clock_rules.at_dispatch(clocks, now, ticket.priority, ticket.kind, policy)
        case c.Sign():
            return msgspec.structs.replace(clocks, signed_at=now)
        case c.RecordContact():
            return msgspec.structs.replace(clocks, contacted_at=now)
        case c.Reply():
            return msgspec.structs.replace(clocks, completed_at=now)
        case c.RejectReply():
            return msgspec.structs.replace(clocks, completed_at=None)
        case c.AcceptReply():
            return msgspec.structs.replace(clocks, follow_up_due=due_at(now, policy.follow_up, policy.calendar))
        case c.HandOff():
            return msgspec.structs.replace(clocks, handed_off_at=now)
        case c.AskInfo():
            return msgspec.structs.replace(clocks, paused_at=now)
        case c.SupplyInfo():
            return clock_rules.resumed(clocks, now, policy)
        case c.GrantExtension():
            return clock_rules.extended(clocks, ticket.extension_days, policy)
        case _:
            return clocks
