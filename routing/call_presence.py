"""How somebody is present who takes part in a call, and after it. Pure. The states are those of `agent_ui.presence`."""

from __future__ import annotations

from routing import call_words as m
from routing.calls import Call, Leg, Phase, Role

OFFLINE, AVAILABLE, RINGING, TALKING, HOLD = "offline", "available", "ringing", "talking", "hold"
WRAP_UP, NOT_READY, NO_ANSWER = "wrap_up", "not_ready", "no_answer"
RUNG = frozenset({RINGING, TALKING, HOLD})
"""States in which somebody's telephone may ring for a call of theirs."""
FREE = frozenset({AVAILABLE, WRAP_UP})
"""States of nobody who talks, though a console may choose them meanwhile."""


def of_staff(leg: Leg) -> bool:
    """Tell whether a leg is that of an agent, or of somebody who was claimed for the call."""
    return leg.role is Role.AGENT or leg.claimed != ""


def takes_part(leg: Leg) -> bool:
    """Tell whether a leg keeps whoever it is from another call: also who was offline when they were brought in, and may
    log in meanwhile."""
    return of_staff(leg) or (leg.up and leg.role in (Role.PARTY, Role.SUPERVISOR))


def during(call: Call, leg: Leg) -> str:
    """Return how an agent, or a colleague who was brought in, is present who has picked up."""
    if leg.claimed:
        return TALKING
    if call.phase is not Phase.TALKING:
        return RINGING  # the citizen is being rung
    return TALKING if call.held_since is None else HOLD


def after(freed: m.Free) -> tuple[str, str]:
    """Return the presence of who is freed, and why they are not ready."""
    if freed.talked:
        return WRAP_UP, ""
    if freed.failed and freed.back in ("", AVAILABLE):
        return NOT_READY, NO_ANSWER
    state, _, reason = (freed.back or AVAILABLE).partition(" ")
    return state, reason
