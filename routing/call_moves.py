"""Moves that several steps of a call share. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from hotline.errors import IllegalTransition
from hotline.terms import Service
from routing import call_words as m
from routing.call_words import Action
from routing.calls import OUTSIDE, Call, Direction, Ear, Leg, Phase, Role


class Step(NamedTuple):
    """The call after a happening, and what is to be done, in order."""

    call: Call
    actions: tuple[Action, ...] = ()

    def then(self, move: Callable[[Call, datetime], Step], now: datetime) -> Step:
        """Return this and what `move` makes of the call after it."""
        after = move(self.call, now)
        return Step(after.call, (*self.actions, *after.actions))


def changed(call: Call, **changes: Any) -> Call:
    """Return the call with other values."""
    return msgspec.structs.replace(call, **changes)


def with_leg(call: Call, leg: Leg) -> tuple[Leg, ...]:
    """Return the legs with this one in the place of the one on its channel."""
    return tuple(leg if one.channel == leg.channel else one for one in call.legs)


def without(call: Call, channel: str) -> tuple[Leg, ...]:
    """Return the legs without the one on a channel."""
    return tuple(leg for leg in call.legs if leg.channel != channel)


def dialled(
    call: Call, role: Role, name: str, endpoint: str, now: datetime, *, ear: Ear | None = None, claimed: str = "",
    again: bool = False, **changes: Any,
) -> Step:
    """Ring somebody; the channel is named after the call, the role and the name, and numbered."""
    number = call.number + 1
    channel = f"{role}~{call.id}~{number}~{quote(name, safe='')}"
    leg = Leg(channel=channel, role=role, name=name, since=now, ear=ear, claimed=claimed, again=again)
    dial = m.Dial(channel, endpoint, call.caller)
    return Step(changed(call, legs=(*call.legs, leg), number=number, **changes), (dial,))


def away(call: Call, now: datetime) -> Step:
    """Send the citizen to the music."""
    citizen = call.of(Role.CITIZEN)
    if citizen is None or call.held_since is not None:
        return Step(call)
    held = changed(
        call, held_since=now, legs=with_leg(call, msgspec.structs.replace(citizen, away=True))
    )
    return Step(held, (m.Part(call.bridge, citizen.channel), m.Music(citizen.channel, on=True)))


def unheld(call: Call, now: datetime) -> Call:
    """Return the call with the seconds counted for which its citizen was held."""
    if call.held_since is None:
        return call
    return changed(call, held_since=None, held=call.held + (now - call.held_since).total_seconds())


def bring_back(call: Call, now: datetime) -> Step:
    """Bring the citizen back from the music."""
    citizen = call.of(Role.CITIZEN)
    if call.held_since is None or citizen is None:
        return Step(call)
    talking = changed(unheld(call, now), legs=with_leg(call, msgspec.structs.replace(citizen, away=False)))
    return Step(talking, (m.Music(citizen.channel, on=False), m.Join(call.bridge, (citizen.channel,))))


def party_gone(call: Call, leg: Leg, now: datetime) -> Step:
    """The one who was brought in is gone: agent and citizen go on, or the call ends with them: nobody talks alone.

    Whom the agent has left to somebody who never picked up waits for an agent again.
    """
    left = changed(call, legs=without(call, leg.channel), transferring=False)
    if left.of(Role.CITIZEN) is not None and left.of(Role.AGENT) is None and not leg.up:
        return waits_again(left, left.queue, now)
    if left.of(Role.AGENT) is None or left.of(Role.CITIZEN) is None:
        return end(left, now)
    return bring_back(left, now)


def waits_again(call: Call, queue: str, now: datetime) -> Step:
    """Let the citizen of a talk wait for an agent, at the place that their arrival gives them; all others leave."""
    citizen, agent, ear = (call.of(role) for role in (Role.CITIZEN, Role.AGENT, Role.SUPERVISOR))
    if citizen is None:
        raise IllegalTransition("there is nobody who could wait")
    legs = (msgspec.structs.replace(citizen, away=False),)
    waiting = changed(unheld(call, now), phase=Phase.WAITING, queue=queue, agent="", legs=legs, requeued_at=now)
    heard = (m.Hang(ear.channel), m.Dissolve(f"ear~{call.id}")) if ear is not None else ()
    leaves = (m.Hang(agent.channel), m.Free(agent.name, talked=True)) if agent is not None else ()
    part, music = m.Part(call.bridge, citizen.channel), m.Music(citizen.channel, on=True)
    return Step(waiting, (*heard, part, *leaves, music, m.Enqueue()))


def silent(call: Call, leg: Leg, now: datetime) -> Step:
    """Who was to be brought in did not pick up. An emergency desk is kept with the call, and rung once more."""
    if leg.name not in set(Service):
        return party_gone(call, leg, now)
    told = changed(call, unanswered=(*call.unanswered, leg.name))
    if leg.again:
        return party_gone(told, leg, now)
    left = changed(told, legs=without(told, leg.channel))
    return dialled(left, Role.PARTY, leg.name, f"{OUTSIDE}{leg.name}", now, again=True)


def agent_leaves(call: Call, now: datetime) -> Step:
    """The agent goes, the others talk on; there is nothing to hand over where the citizen has gone."""
    agent = call.of(Role.AGENT)
    if agent is None:  # they have gone already
        return succeeded(call, now)
    if call.of(Role.CITIZEN) is None:
        return end(call, now)
    left = changed(call, legs=without(call, agent.channel))
    gone = Step(left, (m.Hang(agent.channel), m.Free(agent.name, talked=True)))
    return gone.then(unheard, now).then(succeeded, now)


def succeeded(call: Call, now: datetime) -> Step:
    """A colleague who was brought in has the call now, with all that its agent may do."""
    party = call.of(Role.PARTY)
    if party is None or not party.claimed or not party.up:
        return Step(call)
    heir = msgspec.structs.replace(party, role=Role.AGENT, claimed="")
    return Step(changed(call, agent=heir.name, legs=with_leg(call, heir)))


def released(before: Call, after: Call, event: m.Happening) -> tuple[Action, ...]:
    """Return what frees the colleagues who were claimed and take part no more, however that came."""
    silent = event.channel if isinstance(event, m.RungOut | m.Gone) else ""
    there = {leg.channel for leg in after.legs}
    return tuple(
        m.Free(leg.name, talked=False, failed=leg.channel == silent and not leg.up, back=leg.claimed)
        for leg in before.legs if leg.claimed and leg.channel not in there
    )


def indebted(after: Step) -> Call:
    """Return the call with what it leaves to be noted, so that this is written with its end and cannot get lost."""
    debts = (action for action in after.actions if isinstance(action, m.Debt))
    return changed(after.call, debt=next(debts, after.call.debt))


def end(call: Call, now: datetime) -> Step:
    """End everything: nobody is left on a line, no agent is left busy, and a call that nobody took is owed."""
    actions: list[Action] = [m.Dequeue()] if call.phase in {Phase.GREETING, Phase.WAITING} else []
    for leg in call.legs:
        actions.append(m.Hang(leg.channel))
        if leg.role is Role.AGENT:
            actions.append(m.Free(leg.name, talked=call.placing or call.phase is Phase.TALKING))
    if call.phase is not Phase.TALKING and not call.placing:
        actions.append(m.Missed(full=call.full))
    elif call.direction is Direction.OUT and not call.placing:
        actions.append(m.Spoken())
    agent = call.of(Role.AGENT)
    if call.answered_at is not None or (agent is not None and agent.up):
        actions.append(m.Dissolve(call.bridge))
    if call.of(Role.SUPERVISOR) is not None:
        actions.append(m.Dissolve(f"ear~{call.id}"))
    return Step(changed(unheld(call, now), phase=Phase.OVER, ended_at=now, legs=()), tuple(actions))


def talking(call: Call) -> None:
    """Raise IllegalTransition unless an agent talks."""
    if call.phase is not Phase.TALKING or call.of(Role.AGENT) is None:
        raise IllegalTransition(f"the call is {call.phase}: this needs a talk that an agent takes part in")


# ── supervisors ──────────────────────────────────────────────────────────────────────────────────
def supervise(call: Call, event: m.Supervise, now: datetime) -> Step:
    """Ring the supervisor; one at a time takes part, and may go on in another way."""
    talking(call)
    leg = call.of(Role.SUPERVISOR)
    if leg is None:
        return dialled(call, Role.SUPERVISOR, event.name, event.endpoint, now, ear=event.ear, claimed=event.claimed)
    if leg.name != event.name or not leg.up:
        raise IllegalTransition("a supervisor takes part in the call already")
    return Step(call) if leg.ear is event.ear else _otherwise(call, leg, event.ear)


def _otherwise(call: Call, leg: Leg, ear: Ear) -> Step:
    """Let a supervisor who takes part do so in another way, on the same line."""
    if leg.ear is Ear.BARGE:
        before: tuple[Action, ...] = (m.Part(call.bridge, leg.channel),)
    else:
        before = (m.Part(f"ear~{call.id}", leg.channel), m.Hang(leg.snoop))
        before += (m.Dissolve(f"ear~{call.id}"),) if ear is Ear.BARGE else ()
    after = msgspec.structs.replace(leg, ear=ear)
    heard = supervisor_up(changed(call, legs=with_leg(call, after)), after)
    return Step(heard.call, (*before, *heard.actions))


def unheard(call: Call, now: datetime) -> Step:
    """Without the agent there is nothing to listen to; who has barged in stays in the talk."""
    leg = call.of(Role.SUPERVISOR)
    if leg is None or leg.ear is Ear.BARGE:
        return Step(call)
    return Step(changed(call, legs=without(call, leg.channel)), (m.Hang(leg.channel), m.Dissolve(f"ear~{call.id}")))


def supervisor_up(call: Call, leg: Leg) -> Step:
    """Let the supervisor hear: in the talk itself, or beside it through the agent's line."""
    agent = call.of(Role.AGENT)
    if leg.ear is Ear.BARGE:
        return Step(call, (m.Join(call.bridge, (leg.channel,)),))
    if agent is None:
        return Step(changed(call, legs=without(call, leg.channel)), (m.Hang(leg.channel),))
    return Step(call, (
        m.Snoop(agent.channel, leg.snoop, leg.ear is Ear.WHISPER), m.Join(f"ear~{call.id}", (leg.channel, leg.snoop)),
    ))
