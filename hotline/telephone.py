"""The telephone in use: what the PBX tells becomes steps of calls, the queue finds agents, the store remembers.

One process steers the PBX at a time. Each step is written before it is carried out, so another process goes on where
this one was killed: it reads the calls from the store, looks which channels the PBX still has, and tells itself what it
has missed. Calls in conversation are not touched by any of that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from hotline.call_orders import order_of
from hotline.errors import Forbidden, HotlineError, NotFound
from hotline.ports import Clock
from hotline.telephone_ports import AgentSeen, CallStore, Pbx, PbxChannel, Times
from routing import call_words as m
from routing.call_orders import Asked
from routing.callbacks import MissedCall, MissedReason
from routing.callflow import enter, step
from routing.calls import Call, Leg, Phase, Role
from routing.queueing import Agent, Assignment, Caller, Settings
from routing.switchboard import Switchboard

log = structlog.get_logger(__name__)
AVAILABLE, RINGING, BUSY, WRAP_UP, NOT_READY = "available", "ringing", "busy", "wrap_up", "not_ready"
NO_ANSWER = "no_answer"


Owe = Callable[[MissedCall], Awaitable[Any]]
Through = Callable[[str], Awaitable[Any]]
"""Told of a caller who got through: nothing is owed to them any more."""


async def _always() -> None:
    """The right to steer that nobody can take."""


async def _watched(right: Callable[[], Awaitable[None]]) -> None:
    while True:
        await right()
        await asyncio.sleep(1.0)


class Telephone:
    """Steers the calls of one PBX. `run` never ends by itself."""

    def __init__(
        self, *, pbx: Pbx, store: CallStore, owe: Owe, through: Through, settings: Settings, clock: Clock,
        queue: str = "general", times: Times = Times(),
    ) -> None:
        self._pbx, self._store, self._owe, self._through, self._clock = pbx, store, owe, through, clock
        self._queue, self._times = queue, times
        self._board = Switchboard(settings)
        self._calls: dict[str, Call] = {}
        self._seen: dict[str, AgentSeen] = {}
        self._one = asyncio.Lock()

    @property
    def calls(self) -> Mapping[str, Call]:
        """The calls under way."""
        return self._calls

    async def run(self, *, while_true: Callable[[], Awaitable[None]] = _always) -> None:
        """Steer until cancelled, or until `while_true`, asked once a second, raises what this then raises."""
        for call in await self._store.under_way():
            self._calls[call.id] = call
        work = [asyncio.create_task(one) for one in (self._hear(), self._look(), _watched(while_true))]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def order(self, call_id: str, order: m.Order) -> Call:
        """Carry out what a console asks. Raises NotFound, IllegalTransition, Unavailable."""
        async with self._one:
            if call_id not in self._calls:
                raise NotFound(f"there is no call {call_id}")
            await self._happen(call_id, order)
            if call_id not in self._calls:
                raise NotFound(f"call {call_id} has ended")
            return self._calls[call_id]

    async def _obey(self, asked: Asked, now: datetime) -> None:
        """Carry out what a console asked and tell it how that went."""
        error_id = detail = ""
        try:
            call = self._calls.get(asked.order.call)
            if call is None:
                raise NotFound(f"there is no call {asked.order.call}")
            if asked.staff != call.agent and not asked.order.supervisor:
                raise Forbidden("this call belongs to another agent")
            await self._happen(call.id, await order_of(asked, self._store.endpoint))
        except HotlineError as error:
            error_id, detail = error.error_id, error.detail
        await self._store.order_done(asked.id, now=now, error_id=error_id, detail=detail)

    # ── hearing and looking ──────────────────────────────────────────────────────────────────────
    async def _hear(self) -> None:
        async for told in self._pbx.events():
            async with self._one:
                try:
                    if told is None:
                        await self._compare()
                    else:
                        await self._happen(*told)
                except HotlineError as error:
                    log.warning("call_step_failed", told=str(told), error=error.detail)

    async def _look(self) -> None:
        while True:
            async with self._one:
                try:
                    await self._tick()
                except HotlineError as error:
                    log.warning("telephone_tick_failed", error=error.detail)
            await asyncio.sleep(self._times.tick)

    async def _tick(self) -> None:
        now = self._clock()
        await self._watch_agents(now)
        for asked in await self._store.orders(now=now):
            await self._obey(asked, now)
        await self._connect(self._board.advance(now=now.timestamp()))
        for call in list(self._calls.values()):
            for leg in call.legs:
                if not leg.up and (now - leg.since).total_seconds() > self._times.ring:
                    await self._happen(call.id, m.RungOut(leg.channel))

    async def _watch_agents(self, now: datetime) -> None:
        """Tell the queue who has become free and who has gone, as consoles and telephones say."""
        seen = await self._store.agents()
        for name in [one for one in self._seen if one not in seen or seen[one].state != AVAILABLE]:
            if name in self._board.agents and name not in self._assigned():
                await self._connect(self._board.away(name, now=now.timestamp()))
        before, self._seen = self._seen, seen
        for name, agent in seen.items():
            if before.get(name) == agent:
                await self._end_wrap_up(name, agent, now)
            elif agent.state == AVAILABLE and name not in self._assigned():
                await self._store.wrapped_up(name, now=now)
                ready = Agent(name=name, skills=agent.skills, since=agent.since)
                await self._connect(self._board.ready(ready, now=now.timestamp()))

    async def _end_wrap_up(self, name: str, agent: AgentSeen, now: datetime) -> None:
        if agent.state == WRAP_UP and now.timestamp() - agent.since >= self._times.wrap_up:
            await self._store.set_presence(name, AVAILABLE, among=[WRAP_UP], now=now)

    def _assigned(self) -> set[str]:
        return {call.agent for call in self._calls.values() if call.agent and call.of(Role.AGENT) is not None}

    # ── after a restart ──────────────────────────────────────────────────────────────────────────
    async def _compare(self) -> None:
        """Tell ourselves what we have missed: who has gone, who has answered; and let those wait on who waited."""
        there = {channel.id: channel for channel in await self._pbx.channels()}
        for call in list(self._calls.values()):
            for leg in call.legs:
                await self._missed_meanwhile(call.id, leg, there)
            left = self._calls.get(call.id)
            if left is not None and left.phase is Phase.WAITING and left.id not in self._board.waiting:
                await self._enqueue(left)
            if left is not None and left.phase is Phase.GREETING:
                await self._happen(left.id, m.Played(left.id))

    async def _missed_meanwhile(self, call_id: str, leg: Leg, there: Mapping[str, PbxChannel]) -> None:
        found = there.get(leg.channel)
        if found is None:
            await self._happen(call_id, m.Gone(leg.channel))
        elif not leg.up and found.state == "Up":
            await self._happen(call_id, m.Up(leg.channel))

    # ── steps ────────────────────────────────────────────────────────────────────────────────────
    async def _happen(self, call_id: str, event: m.Happening) -> None:
        now, call = self._clock(), self._calls.get(call_id)
        if isinstance(event, m.Entered):
            if call is not None:
                return  # told twice
            after, actions = enter(event, queue=self._queue, now=now)
        elif call is not None:
            after, actions = step(call, event, now=now)
        else:
            return  # of a call that is over
        if after == call and not actions:
            return
        await self._store.save(after, now=now)
        if after.phase is Phase.OVER:
            self._calls.pop(call_id, None)
        else:
            self._calls[call_id] = after
        for action in actions:
            await self._carry_out(after, action, now)
        if after.phase is Phase.TALKING and after.agent and isinstance(event, m.Up):
            await self._store.set_presence(after.agent, BUSY, among=[RINGING], now=now, call=after.id)
            if call is not None and call.phase is not Phase.TALKING:
                await self._through(after.caller)

    async def _carry_out(self, call: Call, action: m.Action, now: datetime) -> None:
        match action:
            case m.Enqueue():
                await self._enqueue(call)
            case m.Dequeue():
                self._board.leave(call.id)
            case m.Free():
                await self._free(action, now)
            case m.Missed():
                self._board.leave(call.id)
                await self._owe(MissedCall(call=call.id, phone=call.caller, at=now, skill=call.queue,
                                           reason=MissedReason.ABANDONED))
            case _:
                if not await self._pbx.perform(action) and isinstance(action, m.Dial):
                    await self._happen(call.id, m.RungOut(action.channel))

    async def _enqueue(self, call: Call) -> None:
        last = await self._store.last_agent(call.caller)
        caller = Caller(id=call.id, queue=call.queue, arrived=call.arrived.timestamp(), last_agent=last)
        await self._connect(self._board.arrive(caller, now=self._clock().timestamp()))

    async def _free(self, freed: m.Free, now: datetime) -> None:
        """Nobody is taken back who has gone offline meanwhile: only what the telephone set is undone."""
        state, reason = (WRAP_UP, "") if freed.talked else (NOT_READY, NO_ANSWER) if freed.failed else (AVAILABLE, "")
        await self._store.set_presence(freed.agent, state, among=[RINGING, BUSY], now=now, reason=reason)
        if freed.failed or freed.talked:
            await self._connect(self._board.away(freed.agent, now=now.timestamp()))
        self._seen.pop(freed.agent, None)  # looked at anew with the next tick

    async def _connect(self, found: list[Assignment]) -> None:
        """Ring those whom the queue has found, if they are still free: the claim is in the database."""
        for one in found:
            now, name = self._clock(), one.agent.name
            claimed = await self._store.set_presence(name, RINGING, among=[AVAILABLE], now=now, call=one.caller.id)
            if claimed and one.caller.id in self._calls:
                await self._happen(one.caller.id, m.Assigned(name, self._seen[name].endpoint))
                continue
            again = self._board.away(name, now=now.timestamp())
            if one.caller.id in self._calls:
                again += self._board.arrive(one.caller, now=now.timestamp())
            await self._connect(again)
