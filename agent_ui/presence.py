"""Presence of staff (坐席状态): the one table of what may follow what, and why somebody is not ready. Pure.

Presence is leased: a console that is heard no more frees its agent when the lease runs out, from any state. What the
telephone sets (ringing, talking, hold) is not for a console to choose.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from hotline.errors import IllegalTransition, InvalidInput

LEASE_SECONDS = 10.0


class PresenceState(StrEnum):
    """States of a member of staff."""

    OFFLINE = "offline"
    AVAILABLE = "available"
    NOT_READY = "not_ready"
    RINGING = "ringing"
    TALKING = "talking"
    HOLD = "hold"
    WRAP_UP = "wrap_up"


class NotReadyReason(StrEnum):
    """Why somebody is not ready (示忙原因)."""

    BREAK = "break"
    MEAL = "meal"
    MEETING = "meeting"
    TRAINING = "training"
    PAPERWORK = "paperwork"
    OUTBOUND = "outbound"
    NO_ANSWER = "no_answer"
    """Set by the telephone when a call was not answered."""


_P = PresenceState
PRESENCE: Mapping[PresenceState, frozenset[PresenceState]] = {
    _P.OFFLINE: frozenset({_P.AVAILABLE, _P.NOT_READY}),
    _P.AVAILABLE: frozenset({_P.NOT_READY, _P.RINGING, _P.TALKING, _P.WRAP_UP, _P.OFFLINE}),
    _P.NOT_READY: frozenset({_P.AVAILABLE, _P.NOT_READY, _P.RINGING, _P.TALKING, _P.OFFLINE}),
    _P.RINGING: frozenset({_P.TALKING, _P.AVAILABLE, _P.NOT_READY, _P.WRAP_UP, _P.OFFLINE}),
    _P.TALKING: frozenset({_P.HOLD, _P.WRAP_UP, _P.OFFLINE}),
    _P.HOLD: frozenset({_P.TALKING, _P.WRAP_UP, _P.OFFLINE}),
    _P.WRAP_UP: frozenset({_P.AVAILABLE, _P.NOT_READY, _P.RINGING, _P.TALKING, _P.OFFLINE}),
}
CHOSEN_AT_CONSOLE = frozenset({_P.OFFLINE, _P.AVAILABLE, _P.NOT_READY, _P.WRAP_UP})
"""States that a person may choose; the others follow the telephone."""


class Presence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How somebody is present. `since` is when this state (or its reason) began."""

    staff: str
    state: PresenceState
    since: datetime
    reason: str = ""


def next_presence(
    current: Presence, state: PresenceState, reason: NotReadyReason | None, *, now: datetime
) -> Presence:
    """Return the presence after a person chose `state`; the same value where nothing changes.

    Raises:
        InvalidInput: not ready without a reason, or a reason with another state.
        IllegalTransition: the table has no such way, or only the telephone goes it.
    """
    if (state is PresenceState.NOT_READY) != (reason is not None):
        raise InvalidInput(f"not_ready needs a reason, one of {', '.join(NotReadyReason)}; other states have none")
    chosen = Presence(staff=current.staff, state=state, since=now, reason=reason or "")
    if (current.state, current.reason) == (chosen.state, chosen.reason):
        return current
    if state not in CHOSEN_AT_CONSOLE or state not in PRESENCE[current.state]:
        possible = ", ".join(sorted(PRESENCE[current.state] & CHOSEN_AT_CONSOLE))
        raise IllegalTransition(f"{current.staff} is {current.state} and cannot choose {state}; possible: {possible}")
    return chosen


def forced_presence(
    current: Presence, state: PresenceState, reason: NotReadyReason | None, *, now: datetime
) -> Presence:
    """Return the presence after a supervisor has forced it (强制示忙、示闲、签出), from any state but offline.

    Raises:
        InvalidInput: not ready without a reason, or a reason with another state.
        IllegalTransition: they are offline, or only the telephone sets this state.
    """
    if current.state is PresenceState.OFFLINE:
        raise IllegalTransition(f"{current.staff} is offline: nobody else can log them in")
    if state not in CHOSEN_AT_CONSOLE:
        raise IllegalTransition(f"{state} follows the telephone; possible: {', '.join(sorted(CHOSEN_AT_CONSOLE))}")
    if (state is PresenceState.NOT_READY) != (reason is not None):
        raise InvalidInput(f"not_ready needs a reason, one of {', '.join(NotReadyReason)}; other states have none")
    return Presence(staff=current.staff, state=state, since=now, reason=reason or "")


class Sight(msgspec.Struct, frozen=True):
    """Since when a process sees the database without a break, and when it saw it last; seconds of its own clock."""

    since: float
    last: float


NEVER_LOOKED = Sight(float("-inf"), float("-inf"))


def looked(before: Sight, *, now: float, lease: float) -> Sight:
    """Return the sight of a process that has just reached the database; half a lease without it is a break."""
    return Sight(before.since if now - before.last <= lease / 2 else now, now)


def may_judge(sight: Sight, *, lease: float) -> bool:
    """Tell whether a process may end the leases that ran out: it has seen for a whole one that others could renew.

    Whoever comes back first after an outage, or has just begun, would else end those of everybody who comes back later.
    """
    return sight.last - sight.since >= lease
