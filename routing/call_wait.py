"""Before the talk: greeting, choice of a language, the queue with what is told in it, and its key. Pure.

Steps of `routing.callflow`. While something is played there is no music, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from channels.phone_codec import caller_key
from hotline.errors import IllegalTransition
from routing import call_words as m
from routing.call_moves import Step, changed, dialled, end
from routing.calls import WAITS, Call, Direction, Leg, Phase, Role

GREETING, MENU, TAKEN_DOWN, FULL = "hotline-greeting", "hotline-menu", "hotline-callback", "hotline-full"
KEEP_PLACE = "1"


class Reception(msgspec.Struct, frozen=True, kw_only=True):
    """How a call is received: where it waits, with which head start, and languages by key (none: no menu)."""

    queue: str
    head_start: float = 0.0
    menu: Mapping[str, str] = msgspec.field(default_factory=dict)


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A call that an agent wants to make: their telephone is rung first, then `number`."""

    call: str
    agent: str
    endpoint: str
    number: str
    callback: int = 0
    ticket: str = ""


def enter(event: m.Entered, *, reception: Reception, now: datetime) -> Step:
    """A citizen calls: pick up and greet."""
    leg = Leg(channel=event.channel, role=Role.CITIZEN, name=event.caller, up=True, since=now)
    call = Call(
        id=event.channel, caller=event.caller, called=event.called, queue=reception.queue, arrived=now, legs=(leg,),
        head_start=reception.head_start, menu=reception.menu,
    )
    more = (MENU,) if reception.menu else ()
    return Step(call, (m.Answer(event.channel), m.Play(event.channel, GREETING, more)))


def place(preview: Preview, *, now: datetime) -> Step:
    """An agent calls a citizen: ring the agent; when they answer, `_agent_up` rings the citizen."""
    call = Call(
        id=preview.call, caller=preview.number, called="", queue="", arrived=now, phase=Phase.RINGING,
        agent=preview.agent, direction=Direction.OUT, callback=preview.callback, ticket=preview.ticket,
    )
    return dialled(call, Role.AGENT, preview.agent, preview.endpoint, now)


def _played(call: Call, event: m.Played, now: datetime) -> Step:
    if event.media == FULL and call.full:
        return end(call, now)
    if call.phase is Phase.GREETING and event.media in ("", GREETING):
        # who has to hear the last word to choose still needs a moment for it
        return Step(changed(call, menu_since=call.menu_since or now)) if call.menu else _queued(call, now)
    if call.playing != event.media or not call.playing:
        return Step(call)
    return Step(changed(call, playing=""), (m.Music(call.hearer, on=True),) if call.phase in WAITS else ())


def _queued(call: Call, now: datetime) -> Step:
    waiting = changed(call, phase=Phase.WAITING, asked_at=now, menu={}, menu_since=None)
    return Step(waiting, (m.Music(call.id, on=True), m.Enqueue(first=True)))


def _chosen(call: Call, event: m.Chosen, now: datetime) -> Step:
    if call.phase is not Phase.GREETING or not call.menu:
        return Step(call)
    queued = _queued(changed(call, language=event.language, queue=event.queue), now)
    return Step(queued.call, (m.Hush(call.id, GREETING), m.Speak(call.id, event.language), *queued.actions))


def _unchosen(call: Call, event: m.Unchosen, now: datetime) -> Step:
    return _queued(call, now) if call.phase is Phase.GREETING and call.menu_since is not None else Step(call)


def may_keep(caller: str) -> bool:
    """Tell whether the place is kept for a caller: only who can be rung back is promised that they are."""
    return caller_key(caller).startswith("+")


def is_kept(call: Call) -> bool:
    """Tell whether a place is kept for somebody who is not on the line."""
    citizen = call.of(Role.CITIZEN)
    return call.place_kept and call.phase in WAITS and (citizen is None or not citizen.up)


def _digit(call: Call, event: m.Digit, now: datetime) -> Step:
    """The key that keeps the place: the caller may hang up and is rung back in their turn. It is told to its end.

    Also while an agent is rung, who may not pick up: the caller has just been told of the key.
    """
    citizen = call.of(Role.CITIZEN)
    if event.digit != KEEP_PLACE or call.phase not in WAITS or call.full or citizen is None or not citizen.up:
        return Step(call)
    if not may_keep(call.caller) or call.playing == TAKEN_DOWN:
        return Step(call)
    return _say(changed(call, place_kept=True), TAKEN_DOWN)


def _told(call: Call, event: m.Told, now: datetime) -> Step:
    if call.phase is not Phase.WAITING or call.playing or call.full or call.of(Role.CITIZEN) is None:
        return Step(call)
    return _say(call, *event.sounds)


def _full(call: Call, event: m.Full, now: datetime) -> Step:
    if call.phase is not Phase.WAITING:
        return Step(call)
    full = changed(call, full=True)
    return end(full, now) if call.of(Role.CITIZEN) is None else _say(full, FULL)


def _say(call: Call, media: str, *more: str) -> Step:
    hush = (m.Hush(call.hearer, call.playing),) if call.playing else (m.Music(call.hearer, on=False),)
    return Step(changed(call, playing=media), (*hush, m.Play(call.hearer, media, more)))


def _assigned(call: Call, event: m.Assigned, now: datetime) -> Step:
    if call.phase is not Phase.WAITING or call.full:
        return Step(call, (m.Free(event.agent, talked=False),))
    return dialled(
        call, Role.AGENT, event.agent, event.endpoint, now, phase=Phase.RINGING, agent=event.agent
    )


def _move(call: Call, event: m.Move, now: datetime) -> Step:
    if call.phase is Phase.GREETING:
        return Step(changed(call, queue=event.queue))
    if call.phase is not Phase.WAITING or call.full:
        raise IllegalTransition(f"the call is {call.phase}: only a call that waits is moved")
    return Step(changed(call, queue=event.queue), (m.Dequeue(), m.Enqueue()))


WAIT_STEPS: Mapping[type, Callable[[Call, Any, datetime], Step]] = {
    m.Played: _played, m.Chosen: _chosen, m.Digit: _digit, m.Told: _told, m.Full: _full, m.Assigned: _assigned,
    m.Move: _move, m.Unchosen: _unchosen,
}
