"""What must hold after every single event, told again in words of its own: it shares no rule with what it checks."""

from __future__ import annotations

from datetime import datetime, timedelta

from channels.message import Outbound
from hotline import commands as c
from hotline.events import Role, TicketEvent
from hotline.extension import Extension
from hotline.lifecycle import OPEN_STATES, TRANSITIONS
from hotline.terms import Channel, ClockName, Priority, State
from hotline.ticket import Ticket
from hotline.timers import next_attention

WITH_A_DEPARTMENT = {
    State.PENDING_SIGN, State.RETURN_REQUESTED, State.ARBITRATION, State.HANDLING, State.PENDING_REVIEW,
    State.PENDING_FOLLOW_UP, State.REDO,
}
CENTRE = {
    State.RECEIVED, State.PENDING_DISPATCH, State.RETURN_REQUESTED, State.ARBITRATION, State.PENDING_REVIEW,
    State.PENDING_FOLLOW_UP, State.REDO, State.ANSWERED,
}
MUST_BE_TOLD = (
    c.Answer, c.Merge, c.Unmerge, c.AskInfo, c.HandOff, c.PoliceReturn, c.Reject, c.Dispatch, c.Rule, c.Sign,
    c.GrantExtension, c.AcceptReply, c.Redispatch, c.SettleFollowUp, c.Close, c.Reopen, c.Withdraw,
)
BY_INTAKE = {State.HANDED_OFF, State.PENDING_SIGN}
"""Where intake itself sends a new ticket: the receipt tells of it."""
MAY_PAUSE = {State.NEED_INFO, State.WITHDRAWN, State.REJECTED, State.ARCHIVED}


class Broken(AssertionError):
    """An invariant does not hold."""


def require(condition: object, rule: str, ticket: Ticket, event: TicketEvent) -> None:
    if not condition:
        raise Broken(f"{rule}: ticket {ticket.number} after {event.type} v{event.version} at {event.at}: {ticket}")


def check(before: Ticket | None, after: Ticket, event: TicketEvent, told: tuple[Outbound, ...], children: int) -> None:
    """Raise Broken unless everything holds after an event.

    Args:
        told: the messages that it set going.
        children: how many merged tickets were told.
    """
    _check_way(before, after, event)
    _check_people(after, event)
    _check_clocks(before, after, event)
    _check_side_machines(before, after, event)
    if before is not None:
        _check_told(before, after, event, told, children)


def _check_way(before: Ticket | None, after: Ticket, event: TicketEvent) -> None:
    if before is None:
        require(event.state is State.RECEIVED and event.version == 1, "a life begins as received", after, event)
        return
    ways = TRANSITIONS[before.state]
    expected = ways.get(type(event.fact), None) if isinstance(event.fact, c.LifecycleCommand) else before.state  # type: ignore[arg-type]
    require(after.state is expected, "no state outside the table", after, event)
    require(event.version == before.version + 1 == after.version, "events without gaps", after, event)


def _check_people(after: Ticket, event: TicketEvent) -> None:
    require(after.state not in WITH_A_DEPARTMENT or after.lead, "one lead department", after, event)
    require(after.lead not in after.assisting, "who leads does not assist", after, event)
    require(len(set(after.assisting)) == len(after.assisting), "nobody assists twice", after, event)
    if after.state in OPEN_STATES:
        owner = after.state in CENTRE or (after.lead and after.state in (State.PENDING_SIGN, State.HANDLING))
        timer = next_attention(after) is not None
        alarmed = after.state is State.HANDED_OFF and after.alarms
        require(owner or timer or alarmed, "nothing without an owner or a timer", after, event)
    if after.state in (State.CLOSED, State.REJECTED, State.WITHDRAWN, State.MERGED, State.NEED_INFO):
        require(next_attention(after) is not None, "what waits for time has a timer", after, event)


def _check_clocks(before: Ticket | None, after: Ticket, event: TicketEvent) -> None:
    clocks = after.clocks
    start = clocks.started_at
    met = {
        ClockName.SIGN: clocks.signed_at, ClockName.CONTACT: clocks.contacted_at, ClockName.ON_SITE: clocks.arrived_at,
        ClockName.COMPLETION: None,
    }
    for clock, done_at in met.items():
        due, yellow = clocks.due(clock), clocks.yellow(clock)
        # A pause puts off the start of those that still run: what was met before stays where it was.
        negative = done_at is None and due is not None and start is not None and due < start
        require(not negative, "clocks never negative", after, event)
        require(yellow is None or due is None or yellow <= due, "yellow before red", after, event)
    done = (clocks.signed_at, clocks.contacted_at, clocks.arrived_at, clocks.completed_at)
    require(all(at is None or at <= event.at for at in done), "nothing is done in the future", after, event)
    ceiling, completion = clocks.ceiling_due, clocks.completion_due
    if ceiling is not None and completion is not None and start is not None:
        require(completion <= max(ceiling, start), "the ceiling is a hard limit", after, event)
    require(clocks.paused_at is None or after.state in MAY_PAUSE, "a pause ends with the question", after, event)
    entered = before is None or before.state is not after.state
    if entered and clocks.wait_until is not None:
        require(clocks.wait_until >= event.at, "a wait ends after it began", after, event)


def _check_side_machines(before: Ticket | None, after: Ticket, event: TicketEvent) -> None:
    if before is None:
        return
    climbed = after.supervision - before.supervision
    require(climbed in (0, 1), "supervision climbs one by one and never falls", after, event)
    require(after.redos <= 2, "a matter is redone twice at most", after, event)
    require(after.returns <= 1, "one approved return", after, event)
    if isinstance(event.fact, c.ShowLight):
        name = f"{event.fact.clock}_{event.fact.light}"
        require(name not in before.lights and name in after.lights, "each light once", after, event)
        require(event.fact.crossed_at <= event.at, "no light before its moment", after, event)
    if before.extension is not Extension.NONE and after.extension is Extension.REQUESTED:
        require(before.extension is Extension.REQUESTED, "an extension is asked for once", after, event)
    if isinstance(event.fact, c.RequestExtension):
        require(after.priority is Priority.P3, "P1 and P2 are never extended", after, event)
    if isinstance(event.fact, c.SettleFollowUp) and event.fact.unreachable:
        written = after.channel in (Channel.WECHAT, Channel.APP) or after.appeal.citizen.key.startswith("chat:")
        asked = len(before.clocks.tried) == 3 or not (written or after.appeal.citizen.phone)
        require(asked, "unreachable only after three periods", after, event)


def _check_told(
    before: Ticket, after: Ticket, event: TicketEvent, told: tuple[Outbound, ...], children: int
) -> None:
    citizen = after.appeal.citizen
    known = citizen.key.startswith(("openid", "chat:", "J")) or after.channel is Channel.APP or citizen.phone
    by_receipt = event.actor.role is Role.SYSTEM and after.state in BY_INTAKE and event.version <= 3
    if isinstance(event.fact, MUST_BE_TOLD) and known and not by_receipt:
        require(told, "every citizen is told", after, event)
        require(all(message.to and message.text for message in told), "told something, somewhere", after, event)
    shared = (c.AcceptReply, c.Sign, c.SettleFollowUp, c.Close, c.Answer, c.Rule, c.Redispatch, c.Reopen)
    if isinstance(event.fact, shared) and before.children:
        require(children == len(before.children), "merged citizens are told what their parent's is", after, event)


def check_on_time(ticket: Ticket, now: datetime, event: TicketEvent, slack: timedelta) -> None:
    """Raise Broken if the sweep has left something undone for longer than `slack`."""
    due = next_attention(ticket)
    require(due is None or due >= now - slack, "the sweep skips nothing", ticket, event)
