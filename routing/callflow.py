"""What becomes of a call: one function from a call and a happening to the call after it and what is to be done. Pure.

    greeting ──► waiting ──► ringing ──► talking ──► over
                    ▲           │ nobody answers
                    └───────────┘ (the place is kept, the agent is set not ready)

Every party may leave a talk: while two are left they go on talking. What is not possible in a phase is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from hotline.errors import IllegalTransition
from routing import call_words as m
from routing.call_moves import (
    Step,
    agent_leaves,
    away,
    bring_back,
    changed,
    dialled,
    end,
    party_gone,
    supervise,
    supervisor_up,
    talking,
    unheard,
    with_leg,
    without,
)
from routing.call_words import Happening, Order
from routing.calls import Call, Leg, Phase, Role

GREETING, TAKEN_DOWN, KEEP_PLACE = "hotline-greeting", "hotline-callback", "1"
OUTSIDE = "outside:"  # before the number of an endpoint that is reached through the trunk


def enter(event: m.Entered, *, queue: str, now: datetime) -> Step:
    """A citizen calls: pick up and greet."""
    leg = Leg(channel=event.channel, role=Role.CITIZEN, name=event.caller, up=True, since=now)
    call = Call(
        id=event.channel, caller=event.caller, called=event.called, queue=queue, arrived=now, legs=(leg,)
    )
    return Step(call, (m.Answer(event.channel), m.Play(event.channel, GREETING)))


def step(call: Call, event: Happening, *, now: datetime) -> Step:
    """Return what becomes of the call; what the PBX tells late, or twice, changes nothing.

    Raises:
        IllegalTransition: the console asked for the impossible.
    """
    if call.phase is Phase.OVER:
        if isinstance(event, Order):
            raise IllegalTransition("the call is over")
        return Step(call)
    return _STEPS[type(event)](call, event, now)


# ── before the talk ──────────────────────────────────────────────────────────────────────────────
def _played(call: Call, event: m.Played, now: datetime) -> Step:
    if call.phase is not Phase.GREETING:
        return Step(call)
    waiting = changed(call, phase=Phase.WAITING, asked_at=now)
    return Step(waiting, (m.Music(call.id, on=True), m.Enqueue()))


def _digit(call: Call, event: m.Digit, now: datetime) -> Step:
    """The key that keeps the place: the caller may hang up and is rung back in their turn."""
    if event.digit != KEEP_PLACE or call.phase is not Phase.WAITING:
        return Step(call)
    return Step(changed(call, place_kept=True), (m.Play(call.id, TAKEN_DOWN),))


def _assigned(call: Call, event: m.Assigned, now: datetime) -> Step:
    if call.phase is not Phase.WAITING:
        return Step(call, (m.Free(event.agent, talked=False),))
    return dialled(
        call, Role.AGENT, event.agent, event.endpoint, now, phase=Phase.RINGING, agent=event.agent
    )


def _rung_out(call: Call, event: m.RungOut, now: datetime) -> Step:
    leg = call.leg(event.channel)
    if leg is None or leg.up:
        return Step(call)
    if leg.role is Role.CITIZEN:
        return end(call, now)
    if leg.role is Role.SUPERVISOR:
        return Step(changed(call, legs=without(call, leg.channel)), (m.Hang(leg.channel),))
    if leg.role is Role.AGENT:
        waiting = changed(call, phase=Phase.WAITING, agent="", legs=without(call, leg.channel))
        return Step(waiting, (m.Hang(leg.channel), m.Free(leg.name, talked=False, failed=True), m.Enqueue()))
    gone = party_gone(call, leg, now)
    return Step(gone.call, (m.Hang(leg.channel), *gone.actions))


def _up(call: Call, event: m.Up, now: datetime) -> Step:
    leg = call.leg(event.channel)
    if leg is None or leg.up:
        return Step(call)
    call = changed(call, legs=with_leg(call, msgspec.structs.replace(leg, up=True)))
    match leg.role:
        case Role.AGENT:
            return _agent_up(call, leg, now)
        case Role.CITIZEN:
            return _talk(call, leg, now)
        case Role.PARTY:
            return _party_up(call, leg, now)
        case Role.SUPERVISOR:
            return supervisor_up(call, leg)


def _agent_up(call: Call, agent: Leg, now: datetime) -> Step:
    """The agent has answered: connect the citizen, or ring the one who kept their place and hung up."""
    citizen, join = call.of(Role.CITIZEN), m.Join(call.bridge, (agent.channel,))
    if citizen is None:
        rung = dialled(call, Role.CITIZEN, call.caller, f"{OUTSIDE}{call.caller}", now)
        return Step(rung.call, (join, *rung.actions))
    talk = _talk(call, citizen, now)
    return Step(talk.call, (m.Music(citizen.channel, on=False), join, *talk.actions))


def _talk(call: Call, citizen: Leg, now: datetime) -> Step:
    answered = changed(call, phase=Phase.TALKING, answered_at=now)
    return Step(answered, (m.Join(call.bridge, (citizen.channel,)), m.Record(call.bridge, call.id)))


# ── the talk ─────────────────────────────────────────────────────────────────────────────────────
def _hold(call: Call, event: m.Hold, now: datetime) -> Step:
    talking(call)
    if call.held_since is not None:
        return Step(call)
    return away(call, now)


def _resume(call: Call, event: m.Resume, now: datetime) -> Step:
    talking(call)
    return bring_back(call, now)


def _no_party(call: Call) -> None:
    talking(call)
    if call.of(Role.PARTY) is not None:
        raise IllegalTransition("somebody is being rung or talked to already: drop them first")


def _consult(call: Call, event: m.Consult, now: datetime) -> Step:
    _no_party(call)
    return away(call, now).then(partial(_ring_party, event), now)


def _ring_party(event: m.Consult | m.Conference, call: Call, now: datetime) -> Step:
    return dialled(call, Role.PARTY, event.name, event.endpoint, now)


def _conference(call: Call, event: m.Conference, now: datetime) -> Step:
    _no_party(call)
    return _ring_party(event, call, now)


def _transfer(call: Call, event: m.Transfer, now: datetime) -> Step:
    if event.endpoint:
        _no_party(call)
        return dialled(call, Role.PARTY, event.name, event.endpoint, now, transferring=True)
    talking(call)
    party = call.of(Role.PARTY)
    if party is None:
        raise IllegalTransition("nobody is consulted: name who shall take the call")
    if not party.up:
        return Step(changed(call, transferring=True))
    return bring_back(call, now).then(agent_leaves, now)


def _party_up(call: Call, leg: Leg, now: datetime) -> Step:
    joined = m.Join(call.bridge, (leg.channel,))
    if not call.transferring:
        return Step(call, (joined,))
    left = Step(changed(call, transferring=False), (joined,))
    return left.then(bring_back, now).then(agent_leaves, now)


def _drop_party(call: Call, event: m.DropParty, now: datetime) -> Step:
    talking(call)
    party = call.of(Role.PARTY)
    if party is None:
        raise IllegalTransition("nobody is consulted")
    gone = party_gone(call, party, now)
    return Step(gone.call, (m.Hang(party.channel), *gone.actions))


def _leave(call: Call, event: m.Leave, now: datetime) -> Step:
    talking(call)
    party = call.of(Role.PARTY)
    if party is None or not party.up:
        raise IllegalTransition("without a third party this would leave the citizen alone: hang up instead")
    return bring_back(call, now).then(agent_leaves, now)


def _hang_up(call: Call, event: m.HangUp, now: datetime) -> Step:
    return end(call, now)


# ── the end ──────────────────────────────────────────────────────────────────────────────────────
def _gone(call: Call, event: m.Gone, now: datetime) -> Step:
    leg = call.leg(event.channel)
    if leg is None:
        return Step(call)
    match leg.role:
        case Role.SUPERVISOR:
            return Step(changed(call, legs=without(call, leg.channel)), (m.Dissolve(f"ear~{call.id}"),))
        case Role.PARTY:
            return party_gone(call, leg, now)
        case Role.AGENT:
            return _agent_gone(call, leg, now)
        case Role.CITIZEN:
            return _citizen_gone(call, leg, now)


def _agent_gone(call: Call, leg: Leg, now: datetime) -> Step:
    if not leg.up:
        return _rung_out(call, m.RungOut(leg.channel), now)
    left = Step(changed(call, legs=without(call, leg.channel)), (m.Free(leg.name, talked=True),))
    party = left.call.of(Role.PARTY)
    alone = party is None or not party.up or left.call.of(Role.CITIZEN) is None
    return left.then(end if alone else bring_back, now).then(unheard, now)


def _citizen_gone(call: Call, leg: Leg, now: datetime) -> Step:
    """In a three-way call agent and desk go on without the citizen; anything else is over."""
    left = changed(call, legs=without(call, leg.channel), held_since=None)
    if call.place_kept and leg.up and call.phase in {Phase.WAITING, Phase.RINGING}:
        return Step(left)
    party = left.of(Role.PARTY)
    if call.phase is Phase.TALKING and left.of(Role.AGENT) is not None and party is not None and party.up:
        return Step(left)
    return end(left, now)


_STEPS: dict[type, Callable[[Call, Any, datetime], Step]] = {
    m.Played: _played, m.Digit: _digit, m.Assigned: _assigned, m.RungOut: _rung_out, m.Up: _up, m.Gone: _gone,
    m.Hold: _hold, m.Resume: _resume, m.Consult: _consult, m.Conference: _conference, m.Transfer: _transfer,
    m.DropParty: _drop_party, m.Leave: _leave, m.HangUp: _hang_up, m.Supervise: supervise,
}
