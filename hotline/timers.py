"""What time itself does to a ticket: lights, supervision, and the end of a wait. Pure.

The sweep (`hotline.sweep`) and the simulated year carry out the same commands. Each threshold of each clock comes once:
what was shown is part of the ticket, and a clock that is put off gets its lights anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from hotline import commands as c
from hotline.alarms import DISSATISFIED, HAND_OFF_OPEN
from hotline.chat_clock import WITH_THE_CENTRE
from hotline.follow_up import next_try, next_way
from hotline.policy import Policy
from hotline.supervision import Supervision
from hotline.terms import ClockName, Light, RejectReason, TryResult, Way
from hotline.terms import State as S  # noqa: N817 - a table reads best in short words
from hotline.ticket import Ticket
from hotline.watch import light_of

RUNNING: Mapping[ClockName, frozenset[S]] = {
    ClockName.SIGN: frozenset({S.PENDING_SIGN}),
    ClockName.CONTACT: frozenset({S.PENDING_SIGN, S.HANDLING}),
    ClockName.ON_SITE: frozenset({S.PENDING_SIGN, S.HANDLING}),
    ClockName.COMPLETION: frozenset({S.PENDING_SIGN, S.RETURN_REQUESTED, S.ARBITRATION, S.HANDLING}),
    ClockName.FOLLOW_UP: frozenset({S.PENDING_FOLLOW_UP}),
    ClockName.WAIT: frozenset({
        S.RECEIVED, S.PENDING_DISPATCH, S.RETURN_REQUESTED, S.ARBITRATION, S.PENDING_REVIEW, S.REDO,
    }),
    ClockName.CHAT: WITH_THE_CENTRE,
}
"""In which states each clock runs; a pause stops all of them."""
_RUNNING_IN: Mapping[S, tuple[ClockName, ...]] = {
    state: tuple(clock for clock in ClockName if state in RUNNING[clock]) for state in S
}
_FINISHED = frozenset({S.CLOSED, S.REJECTED, S.WITHDRAWN, S.MERGED})
_PARENT_AGAIN = timedelta(days=1)
"""After so long it is looked anew whether the parent of a merged ticket is archived."""


class Threshold(NamedTuple):
    """Something that time does at a moment."""

    at: datetime
    command: c.Command


def is_running(ticket: Ticket, clock: ClockName) -> bool:
    """Tell whether a clock of the ticket runs now."""
    clocks = ticket.clocks
    if ticket.state not in RUNNING[clock] or clocks.paused_at is not None:
        return False
    match clock:
        case ClockName.SIGN:
            return clocks.signed_at is None
        case ClockName.CONTACT:
            return clocks.contacted_at is None
        case ClockName.ON_SITE:
            return clocks.arrived_at is None
        case ClockName.COMPLETION | ClockName.FOLLOW_UP | ClockName.WAIT | ClockName.CHAT:
            return True


def thresholds(ticket: Ticket) -> list[Threshold]:
    """Return what time will do to the ticket as it stands, the earliest first."""
    found = [*_lights(ticket), *_supervision(ticket), *_ends(ticket)]
    return sorted(found, key=lambda threshold: threshold.at)


def next_attention(ticket: Ticket) -> datetime | None:
    """Return when the sweep has to look at the ticket next, None for never."""
    found = thresholds(ticket)
    return found[0].at if found else None


def next_look(ticket: Ticket, now: datetime, policy: Policy, parent: S | None = None) -> datetime | None:
    """Return `next_attention`, put off by what is due and held until a later moment (`held_until`)."""
    looks = (max(t.at, held_until(ticket, t.command, now, policy, parent) or t.at) for t in thresholds(ticket))
    return min(looks, default=None)


def held_until(
    ticket: Ticket, command: c.Command, now: datetime, policy: Policy, parent: S | None = None
) -> datetime | None:
    """Return until when something that is due has to wait all the same, None where it need not.

    After an outage the moment of a link may have passed by night: it goes out when the next try may be made. A merged
    ticket is archived after its parent (`parent`: the state of that): archived, its citizen would hear of it no more.
    """
    match command:
        case c.RecordTry():
            at = next_try(now, ticket.clocks.tried, policy.follow_up_rules, policy.calendar)
            return at if at is not None and at > now else None
        case c.Archive() if ticket.state is S.MERGED and parent not in (None, S.ARCHIVED):
            return now + _PARENT_AGAIN
        case _:
            return None


def due_command(ticket: Ticket, now: datetime, policy: Policy, parent: S | None = None) -> c.Command | None:
    """Return the earliest thing that time has to do by now and that need not wait; carry it out and ask again.

    A light that is passed together with a later threshold is recorded without calling anybody.
    """
    passed = [threshold for threshold in thresholds(ticket) if threshold.at <= now]
    due = [threshold for threshold in passed if held_until(ticket, threshold.command, now, policy, parent) is None]
    if not due:
        return None
    first = due[0].command
    if isinstance(first, c.ShowLight) and len(due) > 1:
        return c.ShowLight(clock=first.clock, light=first.light, crossed_at=first.crossed_at, quiet=True)
    return first


def _lights(ticket: Ticket) -> Iterator[Threshold]:
    for clock in _RUNNING_IN[ticket.state]:
        if not is_running(ticket, clock):
            continue
        for light, at in ((Light.YELLOW, ticket.clocks.yellow(clock)), (Light.RED, ticket.clocks.due(clock))):
            if at is not None and light_of(clock, light) not in ticket.lights:
                yield Threshold(at, c.ShowLight(clock=clock, light=light, crossed_at=at))


def _supervision(ticket: Ticket) -> Iterator[Threshold]:
    at = ticket.clocks.supervise_at
    if at is not None and is_running(ticket, ClockName.COMPLETION) and ticket.supervision < Supervision.LEVEL_3:
        yield Threshold(at, c.Supervise(reason=f"超期未办结,自动督办至{ticket.supervision + 1}级"))


def _ends(ticket: Ticket) -> Iterator[Threshold]:
    if ticket.state is S.PENDING_FOLLOW_UP:
        yield from _follow_up(ticket)
        return
    command = _end_of_wait(ticket)
    if command is not None and ticket.clocks.wait_until is not None:
        yield Threshold(ticket.clocks.wait_until, command)


def _end_of_wait(ticket: Ticket) -> c.Command | None:
    match ticket.state:
        case S.NEED_INFO if ticket.asked_in is S.HANDLING:
            return c.Resume()  # the department goes on with what it has
        case S.NEED_INFO:
            return c.Reject(reason=RejectReason.NO_REPLY, note="逾期未补充")
        case S.ANSWERED if DISSATISFIED not in ticket.alarms:
            return c.Close(note="已答复,未再反映")
        case S.HANDED_OFF if HAND_OFF_OPEN not in ticket.alarms:
            return c.RaiseAlarm(alarm=HAND_OFF_OPEN, detail="移交后未收到处置结果,请与110等核实")
        case state if state in _FINISHED:
            return c.Archive()
        case _:
            return None


def _follow_up(ticket: Ticket) -> Iterator[Threshold]:
    """Links are sent by time itself, calls are made by agents; at the end of the wait nobody could be reached."""
    clocks, way = ticket.clocks, next_way(ticket)
    if clocks.follow_up_next is not None and way not in (None, Way.PHONE):
        yield Threshold(clocks.follow_up_next, c.RecordTry(result=TryResult.SENT, way=way or Way.SMS))
    if clocks.wait_until is not None:
        yield Threshold(clocks.wait_until, c.SettleFollowUp(solved=None, unreachable=True, note="多次回访未能联系上"))
