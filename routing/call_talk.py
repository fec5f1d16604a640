"""The talk itself: hold, consulting, conference, transfer, leaving. Steps of `routing.callflow`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from hotline.errors import IllegalTransition
from routing import call_words as m
from routing.call_moves import (
    Step,
    agent_leaves,
    away,
    bring_back,
    changed,
    dialled,
    party_gone,
    supervise,
    talking,
    waits_again,
)
from routing.calls import Call, Leg, Role


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


def _ring_party(event: m.Consult | m.Conference | m.Transfer, call: Call, now: datetime) -> Step:
    handed = isinstance(event, m.Transfer)
    return dialled(
        call, Role.PARTY, event.name, event.endpoint, now, claimed=event.claimed, transferring=handed
    )


def _conference(call: Call, event: m.Conference, now: datetime) -> Step:
    _no_party(call)
    return _ring_party(event, call, now)


def _transfer(call: Call, event: m.Transfer, now: datetime) -> Step:
    if event.endpoint:
        _no_party(call)
        return _ring_party(event, call, now)
    talking(call)
    party = call.of(Role.PARTY)
    if party is None:
        raise IllegalTransition("nobody is consulted: name who shall take the call")
    if not party.up:
        return Step(changed(call, transferring=True))
    return bring_back(call, now).then(agent_leaves, now)


def _requeue(call: Call, event: m.Requeue, now: datetime) -> Step:
    _no_party(call)
    return waits_again(call, event.queue, now)


def party_up(call: Call, leg: Leg, now: datetime) -> Step:
    """Who was rung has answered: they join, and the agent leaves where they only wanted to hand over."""
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


TALK_STEPS: Mapping[type, Callable[[Call, Any, datetime], Step]] = {
    m.Hold: _hold, m.Resume: _resume, m.Consult: _consult, m.Conference: _conference, m.Transfer: _transfer,
    m.Requeue: _requeue, m.DropParty: _drop_party, m.Leave: _leave, m.Supervise: supervise,
}
