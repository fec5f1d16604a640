"""Callers who wait are told their place and the expected wait: soon after they begin to, and when it has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from hotline.telephone_ports import CallStore, Times
from hotline.telephone_queue import Happen, Queues
from routing import call_words as m
from routing.announcements import announcement, expected_wait
from routing.call_presence import AVAILABLE, HOLD, RINGING, TALKING, WRAP_UP
from routing.call_wait import may_keep
from routing.calls import Call, Phase, Role

_LOOK, _FIRST, _HANDLING = 1.0, 3.0, 60.0
"""Seconds between two looks, until the first announcement, and between two readings of the handling time."""
AT_ONCE = 20
"""Callers who are told in one look: each is written and asked of the PBX, and who picks up meanwhile hears nobody."""
_AT_WORK = frozenset({AVAILABLE, RINGING, TALKING, HOLD, WRAP_UP})


class _Told(NamedTuple):
    place: int
    at: float


class _Due(NamedTuple):
    call: Call
    place: int
    queue: str


class Announcer:
    """Tells each waiting caller at most every `Times.announce` seconds, and twice that while the place is the same."""

    def __init__(self, *, store: CallStore, times: Times, queues: Queues, happen: Happen) -> None:
        self._store, self._times, self._queues, self._happen = store, times, queues, happen
        self._told: dict[str, _Told] = {}
        self._next_look = self._next_reading = 0.0
        self._handling = 0.0

    async def tick(self, now: datetime, calls: Mapping[str, Call]) -> None:
        """Tell whose turn it is to be told."""
        seconds = now.timestamp()
        if not self._times.announce or seconds < self._next_look:
            return
        self._next_look = seconds + min(_LOOK, self._times.announce)
        waiting = self._queues.board.waiting
        self._told = {id_: told for id_, told in self._told.items() if id_ in waiting}
        if not waiting:
            return
        if seconds >= self._next_reading:
            self._handling, self._next_reading = await self._store.handling(), seconds + _HANDLING
        agents, due = self._serving(), self._all_due(calls, seconds)
        if len(due) > AT_ONCE:  # after a restart all are: the others with the next tick
            self._next_look = seconds
        for call, place, queue in due[:AT_ONCE]:
            self._told[call.id] = _Told(place, seconds)
            wait = expected_wait(place, agents=agents[queue], handling=self._handling)
            sounds = announcement(place, wait, language=call.language, keep=may_keep(call.caller))
            await self._happen(call.id, m.Told(sounds))

    def _all_due(self, calls: Mapping[str, Call], now: float) -> list[_Due]:
        """Return who is to be told, with their place: who has heard nothing for longest first, by their turn."""
        places, due = Counter[str](), list[_Due]()
        for caller in sorted(self._queues.board.waiting.values(), key=lambda one: one.turn):
            call = calls.get(caller.id)
            places[caller.queue] += call is not None  # not the chats
            if call is not None and self._due(call, places[caller.queue], now):
                due.append(_Due(call, places[caller.queue], caller.queue))
        return sorted(due, key=lambda one: self._told[one.call.id].at if one.call.id in self._told else 0.0)

    def _due(self, call: Call, place: int, now: float) -> bool:
        if call.phase is not Phase.WAITING or call.place_kept or call.playing or call.of(Role.CITIZEN) is None:
            return False
        told = self._told.get(call.id)
        if told is None:
            began = call.asked_at or call.arrived
            return now - began.timestamp() >= min(_FIRST, self._times.announce)
        return now - told.at >= self._times.announce * (1 if place != told.place else 2)

    def _serving(self) -> Counter[str]:
        """Return how many agents at work may serve each queue in the end."""
        found = Counter[str]()
        for name, queue in self._queues.centre.queues.items():
            found[name] = sum(
                agent.state in _AT_WORK and agent.endpoint != ""
                and any(agent.skills.get(step.skill, 9) <= step.level for step in queue.steps)
                for agent in self._queues.seen.values()
            )
        return found


