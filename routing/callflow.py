"""What becomes of a call: one function from a call and a happening to the call after it and what is to be done. Pure.

    greeting ──► waiting ──► ringing ──► talking ──► over
                    ▲           │ nobody answers
                    └───────────┘ (the place is kept, the agent is set not ready)

Every party may leave a talk: while two are left they go on talking. What is not possible in a phase is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from channels.phone_codec import caller_key
from hotline.errors import IllegalTransition
from hotline.terms import Service
from routing import call_words as m
from routing.call_causes import RANG_OUT
from routing.call_moves import (
    Step,
    away,
    bring_back,
    changed,
    dialled,
    end,
    indebted,
    party_gone,
    released,
    silent,
    succeeded,
    supervisor_up,
    unheard,
    unheld,
    with_leg,
    without,
)
from routing.call_talk import TALK_STEPS, party_up
from routing.call_wait import WAIT_STEPS
from routing.call_words import Happening, Order
from routing.calls import OUTSIDE as OUTSIDE
from routing.calls import WAITS, Call, Leg, Phase, Role


def step(call: Call, event: Happening, *, now: datetime) -> Step:
    """Return what becomes of the call; what the PBX tells late, or twice, changes nothing.

    Raises:
        IllegalTransition: the console asked for the impossible.
    """
    if call.phase is Phase.OVER:
        if isinstance(event, Order):
            raise IllegalTransition("the call is over")
        return Step(call)
    after = _STEPS[type(event)](call, event, now)
    return Step(indebted(after), (*after.actions, *released(call, after.call, event)))


# ── ringing ──────────────────────────────────────────────────────────────────────────────────────
def _rung_out(call: Call, event: m.RungOut, now: datetime) -> Step:
    leg = call.leg(event.channel)
    if leg is None or leg.up:
        return Step(call)
    if leg.role is Role.CITIZEN:
        return _citizen_gone(call, leg, now, cause=RANG_OUT)
    if leg.role is Role.SUPERVISOR:
        return Step(changed(call, legs=without(call, leg.channel)), (m.Hang(leg.channel),))
    if leg.role is Role.AGENT and call.placing:
        return end(call, now)
    if leg.role is Role.AGENT:
        waiting = changed(call, phase=Phase.WAITING, agent="", legs=without(call, leg.channel))
        return Step(waiting, (m.Hang(leg.channel), m.Free(leg.name, talked=False, failed=True), m.Enqueue()))
    gone = silent(call, leg, now)
    return Step(gone.call, (m.Hang(leg.channel), *gone.actions))


def _up(call: Call, event: m.Up, now: datetime) -> Step:
    leg = call.leg(event.channel)
    if leg is None:  # who was given up, and rung all the same: nobody is left on a line
        return Step(call, (m.Hang(event.channel),))
    if leg.up:
        return Step(call)
    call = changed(call, legs=with_leg(call, msgspec.structs.replace(leg, up=True)))
    match leg.role:
        case Role.AGENT:
            return _agent_up(call, leg, now)
        case Role.CITIZEN:
            return _talk(call, leg, now)
        case Role.PARTY:
            return party_up(call, leg, now)
        case Role.SUPERVISOR:
            return supervisor_up(call, leg)


def _agent_up(call: Call, agent: Leg, now: datetime) -> Step:
    """The agent has answered: connect the citizen, or ring the one who kept their place and hung up."""
    citizen, join = call.of(Role.CITIZEN), m.Join(call.bridge, (agent.channel,))
    if citizen is None:
        number = caller_key(call.caller)  # in the form in which all are rung, and nothing that a caller has made up
        rung = dialled(call, Role.CITIZEN, number, f"{OUTSIDE}{number}", now)
        return Step(rung.call, (join, *rung.actions))
    talk = _talk(changed(call, playing=""), citizen, now)
    quiet = m.Hush(citizen.channel, call.playing) if call.playing else m.Music(citizen.channel, on=False)
    return Step(talk.call, (quiet, join, *talk.actions))


def _talk(call: Call, citizen: Leg, now: datetime) -> Step:
    answered = changed(call, phase=Phase.TALKING, answered_at=call.answered_at or now)
    return Step(answered, (m.Join(call.bridge, (citizen.channel,)), m.Record(call.bridge, call.id)))


# ── the end ──────────────────────────────────────────────────────────────────────────────────────
def _hang_up(call: Call, event: m.HangUp, now: datetime) -> Step:
    agent = call.of(Role.AGENT)
    if agent is None and event.own and _talks_with_somebody(call):
        return Step(call)  # pressed twice, or the receiver was quicker: those whom they left talk on
    if agent is None or not (_hands_over(call) or _desk_is_there(call)):
        return end(call, now)
    left = _agent_gone(call, agent, now)
    return Step(left.call, (m.Hang(agent.channel), *left.actions))


def _hands_over(call: Call) -> bool:
    """Tell whether the citizen is handed over to somebody who is still rung: the agent need not stay for that."""
    party = call.of(Role.PARTY)
    return call.transferring and party is not None and not party.up and call.of(Role.CITIZEN) is not None


def _desk_is_there(call: Call) -> bool:
    """Tell whether the citizen has an emergency desk: no agent who hangs up, by key or telephone, parts the two."""
    party = call.of(Role.PARTY)
    return party is not None and party.name in set(Service) and _talks_with_somebody(call)


def _talks_with_somebody(call: Call) -> bool:
    party = call.of(Role.PARTY)
    return party is not None and party.up and call.of(Role.CITIZEN) is not None


def _gone(call: Call, event: m.Gone, now: datetime) -> Step:
    leg = call.leg(event.channel)
    if leg is None:
        return Step(call)
    match leg.role:
        case Role.SUPERVISOR:
            return Step(changed(call, legs=without(call, leg.channel)), (m.Dissolve(f"ear~{call.id}"),))
        case Role.PARTY:
            return party_gone(call, leg, now) if leg.up else silent(call, leg, now)
        case Role.AGENT:
            return _agent_gone(call, leg, now)
        case Role.CITIZEN:
            return _citizen_gone(call, leg, now, cause=event.cause)


def _agent_gone(call: Call, leg: Leg, now: datetime) -> Step:
    if not leg.up:
        return _rung_out(call, m.RungOut(leg.channel), now)
    left = Step(changed(call, legs=without(call, leg.channel)), (m.Free(leg.name, talked=True),))
    if _hands_over(call):
        return left.then(away, now).then(unheard, now)
    party = left.call.of(Role.PARTY)
    alone = party is None or not party.up or left.call.of(Role.CITIZEN) is None
    return left.then(end if alone else bring_back, now).then(unheard, now).then(succeeded, now)


def _citizen_gone(call: Call, leg: Leg, now: datetime, *, cause: int) -> Step:
    """In a three-way call agent and desk go on without the citizen; anything else is over."""
    if not leg.up:
        tried: tuple[m.Action, ...] = (m.Tried(cause),) if call.placing else ()
        ended = end(call, now)
        return Step(ended.call, (*tried, *ended.actions))
    left = changed(unheld(call, now), legs=without(call, leg.channel), playing="")
    if call.place_kept and leg.up and call.phase in WAITS:
        return Step(left)
    party = left.of(Role.PARTY)
    if call.phase is Phase.TALKING and left.of(Role.AGENT) is not None and party is not None and party.up:
        return Step(left)
    return end(left, now)


_STEPS: dict[type, Callable[[Call, Any, datetime], Step]] = {
    **WAIT_STEPS, **TALK_STEPS, m.RungOut: _rung_out, m.Up: _up, m.Gone: _gone, m.HangUp: _hang_up,
}
