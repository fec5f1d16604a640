"""Decisions on a ticket: a command, the time and the city's policy in; one event and the new ticket out, or an error.

Pure. The lifecycle table says which way leads where; `hotline.guards` holds the rules that a table cannot say.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from hotline import commands as c
from hotline.appeal import Appeal, Triage
from hotline.clock_moves import clocks_after, clocks_at_receipt
from hotline.clocks import Policy
from hotline.events import SYSTEM, Actor, Receive, Role, TicketEvent
from hotline.extension import extension_after
from hotline.guards import GUARDS
from hotline.ids import TicketNumber
from hotline.lifecycle import next_state
from hotline.terms import Channel, State
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
    clocks = clocks_at_receipt(channel, appeal, triage, now=now, policy=policy)
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
    extension = extension_after(ticket.extension, command, state)
    if guard := GUARDS.get(type(command)):
        guard(ticket, command, now, policy)
    clocks = clocks_after(ticket, command, state, now=now, policy=policy)
    event = TicketEvent(
        version=ticket.version + 1, at=now, actor=actor, fact=command, state=state,
        clocks=clocks if clocks != ticket.clocks else None, extension=extension,
    )
    return Decision(evolve(ticket, event), event)
