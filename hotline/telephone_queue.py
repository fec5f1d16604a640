"""Who waits and who is free: the switchboard in use, for calls and chats.

An agent is claimed in the database before they are rung, a chat before it is theirs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime

import msgspec

from hotline.chat_queue import Chats
from hotline.ports import Clock
from hotline.telephone_ports import AgentSeen, CallStore, Times
from routing import call_presence as p
from routing import call_words as m
from routing.calls import Call, Phase
from routing.queue_plan import Centre, settings_of
from routing.queueing import Agent, Assignment, Caller, Medium
from routing.switchboard import Switchboard

STRAY = 3.0
"""Seconds after which nobody is believed to be claimed who takes part in no call."""
Happen = Callable[[str, m.Happening], Awaitable[None]]
"""Tells a call what happens to it."""


class Queues:
    """The queues of one PBX. `calls` are those under way; `centre` tells how is served now."""

    def __init__(
        self, *, store: CallStore, centre: Callable[[], Centre], clock: Clock, times: Times, calls: Mapping[str, Call],
        happen: Happen, chats: Chats | None = None,
    ) -> None:
        """Without `chats` only calls are given to agents."""
        self._store, self._read, self._clock, self._times = store, centre, clock, times
        self._calls, self._happen, self._chats = calls, happen, chats
        self.centre = centre()
        self.board = Switchboard(settings_of(self.centre))
        self.seen: dict[str, AgentSeen] = {}
        self._wrapping: dict[str, float] = {}
        self._anew = False
        self._next_expiry = 0.0

    async def tick(self, now: datetime) -> None:
        """Look who has come, gone, become free, and whom time has brought further."""
        if self._read() is not self.centre:
            await self._serve_by(self._read(), now)
        if now.timestamp() >= self._next_expiry:
            self._next_expiry = now.timestamp() + 1.0
            await self._store.expire_leases()
        await self._watch_agents(now)
        await self._watch_chats(now)
        await self._connect(self.board.advance(now=now.timestamp()))

    def look_anew(self) -> None:
        """Something failed midway: tell the board with the next tick what it knows of agents and chats no more."""
        self._anew = True
        if self._chats is not None:
            self._chats.forget(but=self.board.waiting)

    async def _serve_by(self, centre: Centre, now: datetime) -> None:
        """The queues were changed: who waits and who is there stays so."""
        before, self.centre = self.board, centre
        if self._chats is not None:
            self._chats.forget()
        self.board = Switchboard(settings_of(centre))
        found: list[Assignment] = []
        for agent in before.agents.values():
            found += self.board.ready(agent, now=now.timestamp())
        for caller_id in list(before.waiting):
            if caller_id in self._calls:
                found += await self._arrive(self._calls[caller_id])
        await self._connect(found)

    # ── callers ──────────────────────────────────────────────────────────────────────────────────
    async def enqueue(self, call: Call, *, first: bool = False) -> None:
        """Let a call wait, or tell one that waits for the `first` time that there is no room."""
        queue = self.centre.queues.get(call.queue)
        if first and queue is not None and queue.most and self._waiting_in(call.queue) >= queue.most:
            await self._happen(call.id, m.Full())
            return
        await self._connect(await self._arrive(call))

    def leave(self, call_id: str) -> None:
        """A call waits no more."""
        self.board.leave(call_id)

    def _waiting_in(self, queue: str) -> int:
        waiting = self.board.waiting.values()
        return sum(caller.queue == queue and caller.medium is Medium.CALL for caller in waiting)

    async def _arrive(self, call: Call) -> list[Assignment]:
        caller = Caller(
            id=call.id, queue=call.queue if call.queue in self.centre.queues else self.centre.default,
            arrived=call.arrived.timestamp(), head_start=call.head_start,
            last_agent=await self._store.last_agent(call.caller),
        )
        return self.board.arrive(caller, now=self._clock().timestamp())

    # ── agents ───────────────────────────────────────────────────────────────────────────────────
    async def look_at(self, names: Collection[str]) -> None:
        """Tell the queue at once who of these is available; all else that has become of them the next tick finds."""
        found, assigned, now = await self._store.agents(among=names), self._assigned(), self._clock().timestamp()
        for name, agent in found.items():
            if agent.state == p.AVAILABLE and name not in assigned and agent != self.seen.get(name):
                self.seen[name] = agent
                await self._connect(self.board.ready(self._agent(name, agent), now=now))

    async def _watch_agents(self, now: datetime) -> None:
        """Tell the queue who has become free and who has gone, as consoles and telephones say."""
        seen, assigned = await self._store.agents(), self._assigned()
        for name in [one for one in self.board.agents if one not in seen or seen[one].state != p.AVAILABLE]:
            if name in self.board.agents and name not in assigned:
                await self._connect(self.board.away(name, now=now.timestamp()))
        before, self.seen, self._anew = {} if self._anew else self.seen, seen, False
        await self._note_wrap_ups(seen, now)
        for name, agent in list(seen.items()):  # who is to be looked at anew leaves it
            if before.get(name) == agent:
                await self._overdue(name, agent, now, taking_part=name in assigned)
            elif agent.state == p.AVAILABLE and name not in assigned:
                await self._connect(self.board.ready(self._agent(name, agent), now=now.timestamp()))
        await self._take_back(seen, now)

    async def _note_wrap_ups(self, seen: Mapping[str, AgentSeen], now: datetime) -> None:
        """Whatever an agent goes over to, offline too, ends their wrap-up; a night after it is none."""
        wrapping = {name: agent.since for name, agent in seen.items() if agent.state == p.WRAP_UP}
        for name in self._wrapping.keys() - wrapping.keys():
            began = datetime.fromtimestamp(self._wrapping[name], UTC)
            ended = datetime.fromtimestamp(seen[name].since, UTC) if name in seen else now
            await self._store.wrapped_up(name, began=began, ended=ended)
        self._wrapping = wrapping

    def _agent(self, name: str, seen: AgentSeen) -> Agent:
        """Return an agent who is available, with the chats that they have; the last chat given counts as work."""
        chats = self._chats.held(name) if self._chats is not None else 0
        last = self._chats.given(name) if self._chats is not None else 0.0
        return Agent(
            name=name, skills=seen.skills, since=max(seen.since, last), load=chats * self.centre.chat_cost,
            media=frozenset(Medium) if seen.endpoint else frozenset({Medium.CHAT}),
        )

    async def _take_back(self, seen: Mapping[str, AgentSeen], now: datetime) -> None:
        """Who is rung and has gone meanwhile – a dead console, forced away – is not waited for."""
        for call in list(self._calls.values()):
            for leg in call.legs:
                if leg.up or leg.since >= now or not p.of_staff(leg):
                    continue
                if leg.name not in seen or seen[leg.name].state not in p.RUNG:
                    await self._happen(call.id, m.RungOut(leg.channel))

    async def _overdue(self, name: str, agent: AgentSeen, now: datetime, *, taking_part: bool) -> None:
        """End a wrap-up in time, and free who was claimed by a process that was killed before it wrote for what.

        Who talks is told as talking, whatever was chosen at a console that came back meanwhile.
        """
        lasted = now.timestamp() - agent.since
        if taking_part and agent.state in p.FREE:
            await self._talks_on(name, now)
        elif agent.state == p.WRAP_UP and lasted >= self._times.wrap_up:
            await self._store.set_presence(name, p.AVAILABLE, among=[p.WRAP_UP], now=now)
        elif agent.state in p.RUNG and lasted >= STRAY and not taking_part:
            await self._store.set_presence(name, p.AVAILABLE, among=[agent.state], now=now)

    async def _talks_on(self, name: str, now: datetime) -> None:
        for call in self._calls.values():
            for leg in call.legs:
                if leg.name == name and leg.up and p.of_staff(leg):
                    await self._store.set_presence(name, p.during(call, leg), among=p.FREE, now=now, call=call.id)

    def _assigned(self) -> set[str]:
        return {leg.name for call in self._calls.values() for leg in call.legs if p.takes_part(leg)}

    def is_on_a_call(self, name: str) -> bool:
        """Tell whether somebody takes part in a call, or is rung for one, however they are present."""
        return name in self._assigned()

    async def free(self, freed: m.Free, now: datetime) -> None:
        """Nobody is taken back who has gone offline meanwhile: only what the telephone set is undone."""
        state, reason = p.after(freed)
        among = [p.RINGING, p.TALKING, p.HOLD]
        changed = await self._store.set_presence(freed.agent, state, among=among, now=now, reason=reason)
        if changed and state == p.WRAP_UP:
            self._wrapping[freed.agent] = now.timestamp()
        if freed.failed or freed.talked:
            await self._connect(self.board.away(freed.agent, now=now.timestamp()))
        self.seen.pop(freed.agent, None)  # looked at anew with the next tick

    async def gone(self, name: str, now: datetime) -> None:
        """Somebody takes no calls for now."""
        await self._connect(self.board.away(name, now=now.timestamp()))

    # ── both ─────────────────────────────────────────────────────────────────────────────────────
    async def give(self, call: Call, name: str, now: datetime) -> bool:
        """Ring an agent for a call that waits, whoever's turn it is; False if they are not free."""
        if call.phase is not Phase.WAITING or call.full or name not in self.seen or not self.seen[name].endpoint:
            return False
        claims = self._store.set_presence
        if self.is_on_a_call(name) or not await claims(name, p.RINGING, among=[p.AVAILABLE], now=now, call=call.id):
            return False
        self.board.leave(call.id)
        await self._connect(self.board.away(name, now=now.timestamp()))
        await self._happen(call.id, m.Assigned(name, self.seen[name].endpoint))
        return True

    async def _connect(self, found: list[Assignment]) -> None:
        """Ring those whom the queue has found, if they are still free: the claim is in the database."""
        for one in found:
            now, name = self._clock(), one.agent.name
            if one.caller.medium is Medium.CHAT:
                await self._hand_over(one, now)
                continue
            claimed = await self._store.set_presence(name, p.RINGING, among=[p.AVAILABLE], now=now, call=one.caller.id)
            if claimed and one.caller.id in self._calls and name in self.seen:
                await self._happen(one.caller.id, m.Assigned(name, self.seen[name].endpoint))
                continue
            again = self.board.away(name, now=now.timestamp())
            if one.caller.id in self._calls:
                again += self.board.arrive(one.caller, now=now.timestamp())
            await self._connect(again)

    # ── chats ────────────────────────────────────────────────────────────────────────────────────
    async def _watch_chats(self, now: datetime) -> None:
        """Let chats wait with the calls, and tell the board who has room again."""
        if self._chats is None or not self.centre.chat_cost:
            return
        news, assigned = await self._chats.look(now), self._assigned()
        for id_ in news.left:
            self.board.leave(id_)
        for name in news.changed - assigned:
            seen = self.seen.get(name)
            if seen is not None and seen.state == p.AVAILABLE and name in self.board.agents:
                await self._connect(self.board.ready(self._agent(name, seen), now=now.timestamp()))
        for chat in news.come:
            queue = self.centre.chat_queue or self.centre.default
            caller = Caller(id=chat.id, queue=queue, arrived=chat.since, medium=Medium.CHAT)
            await self._connect(self.board.arrive(caller, now=now.timestamp()))

    async def _hand_over(self, one: Assignment, now: datetime) -> None:
        """Give a chat to who was found; who is not there after all is looked at anew."""
        name = one.agent.name
        given = self._chats is not None and await self._chats.give(one.caller.id, name, now=now)
        agent = self.board.agents.get(name)
        if given and agent is not None:  # their load holds chats that are still to be handed over
            last = msgspec.structs.replace(agent, since=max(agent.since, now.timestamp()))
            await self._connect(self.board.ready(last, now=now.timestamp()))
        else:
            self.seen.pop(name, None)
            await self._connect(self.board.away(name, now=now.timestamp()))
