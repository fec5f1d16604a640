"""回拨: the ledger of missed calls. Every call that nobody took is owed, assigned, tried, and shown until done. Pure.

国办函〔2025〕66号: every missed call is called back. An entry ends in one of three ways only: somebody was reached, the
citizen called again and was answered, or the tries were made in vain – after which an SMS tells them.

    owed ──take──► assigned ──reached──► done
      ▲               │ no answer, given back, or held too long
      └───────────────┘            (after the last try: done, unreachable)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from hotline.deadlines import ZONE, WorkCalendar, due_at
from hotline.errors import Forbidden, IllegalTransition
from hotline.policy import CallbackRules
from hotline.terms import TryResult


class CallbackState(StrEnum):
    """Where an entry stands."""

    OWED = "owed"
    ASSIGNED = "assigned"
    DONE = "done"


class MissedReason(StrEnum):
    """Why nobody took the call."""

    ABANDONED = "abandoned"
    NO_ANSWER = "no_answer"
    QUEUE_FULL = "queue_full"
    LOST = "lost"


class CallResult(StrEnum):
    """How a call back went: somebody was reached, or why not (as `hotline.terms.TryResult`)."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    OFF = "off"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"


class Outcome(StrEnum):
    """How an entry was done."""

    REACHED = "reached"
    CALLED_AGAIN = "called_again"
    UNREACHABLE = "unreachable"


CALLBACKS: Mapping[CallbackState, frozenset[CallbackState]] = {
    CallbackState.OWED: frozenset({CallbackState.ASSIGNED, CallbackState.DONE}),
    CallbackState.ASSIGNED: frozenset({CallbackState.ASSIGNED, CallbackState.OWED, CallbackState.DONE}),
    CallbackState.DONE: frozenset(),
}
"""The one table of what may follow what; who has one may take it again, for longer."""


class MissedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that nobody took. `call` is the telephone's id: told again, it is owed once. `phone` in E.164."""

    call: str
    phone: str
    at: datetime
    reason: MissedReason = MissedReason.ABANDONED
    skill: str = ""


class CallbackTry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A try that did not bring anybody to the telephone."""

    at: datetime
    agent: str
    result: TryResult
    note: str = ""


class Callback(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of the ledger.

    Attributes:
        due_at: until when the first try is to be made; `late` once that has passed without one.
        next_at: when it is to be tried, or for an assigned one, when it goes back to the others; None when done.
        number: the ticket that came of it.
    """

    id: int = 0
    call: str
    phone: str
    missed_at: datetime
    due_at: datetime
    state: CallbackState = CallbackState.OWED
    reason: MissedReason = MissedReason.ABANDONED
    skill: str = ""
    next_at: datetime | None = None
    agent: str = ""
    tries: tuple[CallbackTry, ...] = ()
    late: bool = False
    outcome: Outcome | None = None
    done_at: datetime | None = None
    number: str = ""
    note: str = ""


def owed(missed: MissedCall, rules: CallbackRules, calendar: WorkCalendar) -> Callback:
    """Return the entry of a call just missed: to be tried at once."""
    return Callback(
        call=missed.call, phone=missed.phone, missed_at=missed.at, due_at=due_at(missed.at, rules.within, calendar),
        reason=missed.reason, skill=missed.skill, next_at=missed.at,
    )


def assigned(entry: Callback, agent: str, rules: CallbackRules, *, now: datetime) -> Callback:
    """Give it to an agent for a while; the one who has it already keeps it.

    Raises:
        IllegalTransition: it is done, or somebody else has it.
    """
    if entry.state is CallbackState.ASSIGNED and entry.agent != agent:
        raise IllegalTransition(f"callback {entry.id} is with {entry.agent}")
    held_until = now + timedelta(minutes=rules.hold_minutes)
    return _moved(entry, CallbackState.ASSIGNED, agent=agent, next_at=held_until)


def given_back(entry: Callback, *, now: datetime) -> Callback:
    """Let somebody else take it, at once. Raises IllegalTransition for one that nobody has."""
    return _moved(entry, CallbackState.OWED, agent="", next_at=now)


def tried(
    entry: Callback, agent: str, result: TryResult, rules: CallbackRules, *, now: datetime, note: str = ""
) -> Callback:
    """Record a try that brought nobody; the next comes later, and after the last one it is done.

    Raises:
        Forbidden: it is not with this agent. IllegalTransition: it is done.
    """
    _check_holder(entry, agent)
    tries = (*entry.tries, CallbackTry(at=now, agent=agent, result=result, note=note))
    if len(tries) > len(rules.gap_minutes) or result is TryResult.WRONG_NUMBER:
        return done(msgspec.structs.replace(entry, tries=tries), Outcome.UNREACHABLE, now=now)
    later = now + timedelta(minutes=rules.gap_minutes[len(tries) - 1])
    return _moved(entry, CallbackState.OWED, agent="", tries=tries, next_at=_waking(later, rules))


def reached(entry: Callback, agent: str, *, now: datetime, number: str = "", note: str = "") -> Callback:
    """Somebody spoke with the citizen; `number` is the ticket that came of it."""
    _check_holder(entry, agent)
    return msgspec.structs.replace(done(entry, Outcome.REACHED, now=now), agent=agent, number=number, note=note)


def spoken(entry: Callback, agent: str, *, since: datetime, now: datetime, number: str = "") -> Callback:
    """A call for it that was made at `since` is over, and somebody was spoken with, last by `agent`: whoever has it.

    Raises:
        IllegalTransition: how it went was told by hand meanwhile, or it was given back.
    """
    if entry.state is not CallbackState.ASSIGNED or any(one.at >= since for one in entry.tries):
        raise IllegalTransition(f"callback {entry.id} is {entry.outcome or entry.state}: how it went is told already")
    ended = done(entry, Outcome.REACHED, now=now)
    return msgspec.structs.replace(ended, agent=agent or entry.agent, number=number)


def done(entry: Callback, outcome: Outcome, *, now: datetime) -> Callback:
    """End it. Raises IllegalTransition for one that has ended."""
    return _moved(entry, CallbackState.DONE, outcome=outcome, done_at=now, next_at=None)


def lapsed(entry: Callback, *, now: datetime) -> Callback | None:
    """Return what time makes of it: back to the others when held too long, late when not tried. None: nothing."""
    changed = entry
    if entry.state is CallbackState.ASSIGNED and entry.next_at is not None and entry.next_at <= now:
        changed = given_back(entry, now=now)
    if entry.state is not CallbackState.DONE and not entry.tries and not entry.late and entry.due_at <= now:
        changed = msgspec.structs.replace(changed, late=True)
    return None if changed == entry else changed


def _moved(entry: Callback, state: CallbackState, **changes: Any) -> Callback:
    if state not in CALLBACKS[entry.state]:
        raise IllegalTransition(f"callback {entry.id} is {entry.outcome or entry.state}: it cannot become {state}")
    return msgspec.structs.replace(entry, state=state, **changes)


def _check_holder(entry: Callback, agent: str) -> None:
    if entry.state is CallbackState.DONE:
        raise IllegalTransition(f"callback {entry.id} is done ({entry.outcome})")
    if entry.state is not CallbackState.ASSIGNED or entry.agent != agent:
        raise Forbidden(f"take callback {entry.id} before you tell how it went")


def _waking(moment: datetime, rules: CallbackRules) -> datetime:
    """Nobody is rung out of bed for a second try."""
    local = moment.astimezone(ZONE)
    opens, closes = rules.day
    if local.time() >= closes:
        local = datetime.combine(local.date() + timedelta(days=1), opens, ZONE)
    elif local.time() < opens:
        local = datetime.combine(local.date(), opens, ZONE)
    return max(moment, local)
