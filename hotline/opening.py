"""What becomes of an appeal as it arrives: the pure heart of intake.

`open_ticket` makes a ticket with all its first events; `continue_ticket` adds a message to one that exists. Both return
a `Change`: everything that one transaction has to write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from channels.message import Inbound, Receipt
from hotline import commands as c
from hotline.alarms import VERDICT_RAISED
from hotline.appeal import Appeal, Category, Triage
from hotline.clocks import Policy, expected_completion
from hotline.decide import Decision, decide, receive
from hotline.events import SYSTEM, Actor, Role, TicketEvent
from hotline.ids import TicketNumber
from hotline.judged import chosen, decided, located, placed
from hotline.lifecycle import TRANSITIONS
from hotline.terms import GRAVITY, Channel, Kind, Priority, Service, State, Verdict
from hotline.ticket import Ticket
from routing.directory import Directory
from routing.dispatch import Dispatch
from routing.priority import PriorityRules, with_priority

Follows = Callable[[Ticket, Triage], tuple[c.Command, ...]]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket before, and one decision after the other; `before` is None for a new ticket."""

    before: Ticket | None
    decisions: tuple[Decision, ...]

    @property
    def ticket(self) -> Ticket:
        """The ticket after the last decision."""
        return self.decisions[-1].ticket

    @property
    def events(self) -> tuple[TicketEvent, ...]:
        """The events, in order."""
        return tuple(decision.event for decision in self.decisions)


class CityRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the use cases need of a city: how it signs and numbers, its policy, its dispatch directory,
    what is urgent there, and the category of micro-wishes."""

    signature: str
    prefix: str
    policy: Policy
    directory: Directory
    priorities: PriorityRules
    wish: Category | None = None


def _chain(first: Decision, commands: Sequence[c.Command], *, now: datetime, policy: Policy) -> tuple[Decision, ...]:
    decisions = [first]
    for command in commands:
        decisions.append(decide(decisions[-1].ticket, command, now=now, policy=policy))
    return tuple(decisions)


def _hand_off(triage: Triage) -> c.HandOff:
    return c.HandOff(services=triage.services or (Service.POLICE,), reason=_reason(triage))


def _reason(triage: Triage) -> str:
    return "、".join(dict.fromkeys(evidence.text for evidence in triage.evidence))


def first_commands(channel: Channel, triage: Triage, found: Dispatch | None) -> tuple[c.Command, ...]:
    """Return what the system does by itself with a new appeal, for which the directory has `found` a department.

    An emergency is handed off before any queue. A transfer that came from 110 is never sent back by the machine, and
    an unclear one waits for the three-way call: both stay with a person. The rest is dispatched if the choice is sure.
    """
    if triage.verdict is not Verdict.NON_EMERGENCY:
        return _alarm(channel, triage)
    if found is None:
        return ()
    dispatch = c.Dispatch(
        lead=found.lead, assisting=found.assisting, directory_version=found.directory_version, reasons=found.reasons
    )
    return (c.Accept(), dispatch)


def _alarm(channel: Channel, triage: Triage) -> tuple[c.Command, ...]:
    danger = triage.verdict is Verdict.EMERGENCY and channel is not Channel.POLICE
    return (_hand_off(triage),) if danger else ()


NEW_MATTER = "新诉求"
"""A message of a conversation that begins so is another matter, and opens a ticket of its own."""


def starts_anew(inbound: Inbound) -> bool:
    """Tell whether the citizen says that this is another matter than the conversation's open ticket."""
    return inbound.appeal.text.lstrip(" 【[「").startswith(NEW_MATTER)


def open_ticket(inbound: Inbound, triage: Triage, *, number: TicketNumber, rules: CityRules, now: datetime) -> Change:
    """Open a ticket for an appeal and do what can be done at once."""
    if inbound.appeal.kind is Kind.WISH and rules.wish is not None:
        # Who brings a wish says what it is; of a text such as 想要一个书包 triage could only guess.
        triage = msgspec.structs.replace(triage, category=rules.wish, kind=Kind.WISH, needs_person=False)
    elif inbound.category is not None:
        triage = chosen(triage, inbound.category, rules.priorities)
    appeal = located(inbound.appeal, rules.directory)
    if appeal.place.town:
        triage = placed(triage, (appeal.place.town,))
    triage, found = decided(triage, rules.directory)
    commands = first_commands(inbound.channel, triage, found)
    if inbound.person:  # who asks for a person is not sent on by the machine, but danger waits for nobody
        commands = _alarm(inbound.channel, triage)
    return _begun(inbound, appeal, triage, commands, number=number, rules=rules, now=now)


def open_unrouted(inbound: Inbound, triage: Triage, *, number: TicketNumber, rules: CityRules, now: datetime) -> Change:
    """Open a ticket for a person without asking the directory for anything; an emergency is handed off all the same."""
    unrouted = msgspec.structs.replace(triage, category=None, needs_person=True, sure=False)
    commands = _alarm(inbound.channel, unrouted)
    return _begun(inbound, inbound.appeal, unrouted, commands, number=number, rules=rules, now=now)


def _begun(
    inbound: Inbound, appeal: Appeal, triage: Triage, commands: Sequence[c.Command], *, number: TicketNumber,
    rules: CityRules, now: datetime,
) -> Change:
    first = receive(
        number=number, channel=inbound.channel, appeal=appeal, triage=_prioritised(triage), now=now,
        policy=rules.policy, actor=Actor(Role.CITIZEN, inbound.source),
    )
    return Change(before=None, decisions=_chain(first, commands, now=now, policy=rules.policy))


def _prioritised(triage: Triage) -> Triage:
    """An emergency is P0 whatever its category; an unclear one waits in front of ordinary work as P1."""
    floor = {Verdict.EMERGENCY: Priority.P0, Verdict.UNCLEAR: Priority.P1}.get(triage.verdict, triage.priority)
    return msgspec.structs.replace(triage, priority=min(floor, triage.priority))


def raised(ticket: Ticket, triage: Triage) -> tuple[c.Command, ...]:
    """What a further message's verdict leads to, if it is graver than the ticket's.

    An alarm that nobody has seen yet sounds for this message too.
    """
    told = reassessed(ticket, triage, reason=_reason(triage))
    if not told:
        return ()
    may_hand_off = c.HandOff in TRANSITIONS[ticket.state] and ticket.police_returns == 0
    if triage.verdict is Verdict.EMERGENCY and may_hand_off and ticket.channel is not Channel.POLICE:
        return (*told, _hand_off(triage))
    if VERDICT_RAISED in ticket.alarms - ticket.alarms_seen:
        return told
    return (*told, c.RaiseAlarm(alarm=VERDICT_RAISED, detail=_reason(triage)))


def reassessed(ticket: Ticket, triage: Triage, *, reason: str = "") -> tuple[c.Command, ...]:
    """What needs nothing but the verdict: the ticket shows it, if it is graver than its own."""
    if GRAVITY[triage.verdict] <= GRAVITY[ticket.verdict]:
        return ()
    return (c.Reassess(verdict=triage.verdict, services=triage.services, reason=reason),)


def nothing(ticket: Ticket, triage: Triage) -> tuple[c.Command, ...]:
    """The message alone."""
    return ()


def continue_ticket(
    ticket: Ticket, inbound: Inbound, triage: Triage, *, rules: CityRules, now: datetime,
    merged: TicketNumber | None = None, follows: Follows = raised,
) -> Change:
    """Add a citizen's further message: it answers our question if we asked one, and may raise the verdict.

    `merged`: it is the citizen of this ticket who speaks, which was merged into `ticket`; they were asked nothing.
    `follows`: what its verdict leads to.
    """
    text, attachments = inbound.appeal.text, inbound.appeal.attachments
    text = text if merged is None else f"[并单{merged}] {text}"
    message: c.Command = c.AddMessage(text=text, attachments=attachments)
    if ticket.state is State.NEED_INFO and merged is None:
        answer = c.Resume if ticket.asked_in is State.HANDLING else c.SupplyInfo
        message = answer(text=text, attachments=attachments)
    decisions = [decide(ticket, message, now=now, policy=rules.policy, actor=Actor(Role.CITIZEN, inbound.source))]
    for command in follows(decisions[0].ticket, triage):
        last = decisions[-1].ticket
        command = with_priority(command, last, rules.priorities)
        decisions.append(decide(last, command, now=now, policy=rules.policy, actor=SYSTEM))
    return Change(before=ticket, decisions=tuple(decisions))


def receipt_of(change: Change, code: str, *, rules: CityRules, now: datetime) -> Receipt:
    """Return what the citizen is told."""
    ticket = change.ticket
    category = f"{ticket.category.l1}/{ticket.category.l2}" if ticket.category else ""
    expected = None
    if ticket.state not in {State.HANDED_OFF, State.CLOSED}:
        expected = expected_completion(
            now, ticket.clocks, max(ticket.priority, Priority.P1), ticket.kind, ticket.category, rules.policy
        )
    return Receipt(
        number=ticket.number, code=code, status=ticket.state, verdict=ticket.verdict, category=category,
        department=ticket.lead, expected_by=expected, continued=change.before is not None,
    )
