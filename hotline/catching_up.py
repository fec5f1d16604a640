"""When the line to the PBX is there anew, or a step failed: calls are told what they missed, what the PBX did not
answer is asked for again, and nobody is left on a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from hotline.errors import Unavailable
from hotline.telephone_ports import CallStore, Pbx, PbxChannel
from hotline.telephone_queue import Happen, Queues
from routing import call_words as m
from routing.call_again import still_due, undone
from routing.call_wait import FULL
from routing.calls import Call, Leg, Phase

log = structlog.get_logger(__name__)
TRIES = 3
"""How often what the PBX does not answer is asked for again: nothing holds up the rest for ever."""

BRIDGES = frozenset({"bridge", "ear"})
"""What the bridges of a call are named with before its id: that of the talk, that in which a supervisor listens."""


class CatchingUp:
    """What one process has to catch up with; `due` as long as there is anything."""

    def __init__(
        self, *, pbx: Pbx, store: CallStore, calls: Mapping[str, Call], queues: Queues, happen: Happen,
        follow: Callable[[Call], None],
    ) -> None:
        self._pbx, self._store, self._calls, self._queues = pbx, store, calls, queues
        self._happen, self._follow = happen, follow
        self.due, self._anew = False, False
        self._unheard: dict[str, m.Played] = {}
        """The ends of what is played to calls, which the PBX tells no more."""
        self._undone: dict[tuple[str, m.PbxAction], int] = {}
        """What the PBX did not answer, by call, and how often it was asked for again."""

    def failed(self, told: tuple[str, m.Happening] | None = None) -> None:
        """Something failed, or what was `told`, which is not told again: look what has become of the calls."""
        self.due = True
        if told is not None and isinstance(told[1], m.Played):  # no look at the PBX shows that
            self._unheard[told[0]] = told[1]

    async def perform(self, call_id: str, action: m.PbxAction) -> bool:
        """Have the PBX carry an action out; False where it refuses. Raises Unavailable: it is asked for again.

        Who is played nothing does not wait for its end.
        """
        try:
            done = await self._pbx.perform(action)
        except Unavailable:
            self._undone.setdefault((call_id, action), 0)
            self._not_played(call_id, action)
            raise
        self._undone.pop((call_id, action), None)
        if not done:
            self._not_played(call_id, action)
        return done

    def _not_played(self, call_id: str, action: m.PbxAction) -> None:
        if isinstance(action, m.Play):
            self.failed((call_id, m.Played(action.channel, action.media)))

    async def on_a_new_line(self) -> None:
        """Nobody tells of the ends of what is played now. Raises Unavailable."""
        self._unheard = {
            call.id: m.Played(call.id, _playing(call)) for call in self._calls.values() if _is_played_to(call)
        }
        self._anew = True
        await self.catch_up()

    async def catch_up(self) -> None:
        """Tell each call who has gone and who has answered, let those wait on who waited, let in who called meanwhile.

        A PBX that has just been started dials before it answers: what fails now is done with the next tick.

        Raises:
            Unavailable: the PBX or the database does not answer.
        """
        self.due = False
        self._queues.look_anew()
        there = {channel.id: channel for channel in await self._pbx.channels()}
        for call in list(self._calls.values()):
            for leg in call.legs:
                await self._missed_meanwhile(call.id, leg, there)
            if (left := self._calls.get(call.id)) is not None:
                await self._goes_on(left)
        for channel in there.values():
            await self._let_in(channel)
            await self._end_if_left(channel)
        if self._anew:
            await self._look_who_talks()
        await self._repeat()
        self._unheard = {id_: played for id_, played in self._unheard.items() if id_ in self._calls}

    async def _missed_meanwhile(self, call_id: str, leg: Leg, there: Mapping[str, PbxChannel]) -> None:
        found = there.get(leg.channel)
        if found is None:
            await self._happen(call_id, m.Gone(leg.channel))
        elif not leg.up and found.state == "Up":
            await self._happen(call_id, m.Up(leg.channel))

    async def _goes_on(self, call: Call) -> None:
        if call.phase is Phase.WAITING and call.id not in self._queues.board.waiting and not call.full:
            await self._queues.enqueue(call)
        if (played := self._unheard.get(call.id)) is not None:
            await self._happen(call.id, played)
            if self._unheard.get(call.id) is played:  # what came of it may not have been played either
                del self._unheard[call.id]
        self._follow(call)

    async def _let_in(self, channel: PbxChannel) -> None:
        """A PBX that dials us lets calls in while nobody hears it. What a call that has ended left over is hung up."""
        entered = channel.entered
        if entered is None or channel.id in self._calls:
            return
        if await self._store.is_over(channel.id):
            self._undone.setdefault((channel.id, m.Hang(channel.id)), 0)
        else:
            await self._happen(channel.id, entered)

    async def _end_if_left(self, channel: PbxChannel) -> None:
        """Who was rung for a call that wants them no more is let go: whoever steered was killed before it did so, or
        the PBX rang them after we had given that up. They would hear silence, or what is not meant for them.

        A call that we do not know is none of ours: another hotline may use the same PBX.
        """
        call_id = channel.dialled_for
        call = self._calls.get(call_id)
        left = call.leg(channel.id) is None if call is not None else call_id and await self._store.is_over(call_id)
        if left:
            self._undone.setdefault((call_id, m.Hang(channel.id)), 0)

    async def _look_who_talks(self) -> None:
        """Whoever steered may have been killed when a step was written and not carried out: two would hear nobody."""
        bridges = await self._pbx.bridges()
        for call in self._calls.values():
            for action in undone(call, bridges):
                self._undone.setdefault((call.id, action), 0)
        for bridge in bridges:
            name, _, call_id = bridge.partition("~")
            if name in BRIDGES and call_id not in self._calls and await self._store.is_over(call_id):
                self._undone.setdefault((call_id, m.Dissolve(bridge)), 0)
        self._anew = False

    async def _repeat(self) -> None:
        """Ask for what the PBX did not answer, as far as calls still want it."""
        for key, tries in list(self._undone.items()):
            call_id, action = key
            if tries < TRIES and still_due(self._calls.get(call_id), action):
                self._undone[key] = tries + 1
                await self._pbx.perform(action)
            elif tries >= TRIES:
                log.warning("call_action_given_up", call=call_id, action=type(action).__name__)
            del self._undone[key]


def _is_played_to(call: Call) -> bool:
    return call.phase is Phase.GREETING or call.full or call.playing != ""


def _playing(call: Call) -> str:
    return FULL if call.full else call.playing
