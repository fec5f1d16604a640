"""The queues of one centre with indexes: thousands of agents and callers, a decision in microseconds. No I/O, no clock.

Decides as `routing.queueing.next_assignment`. Callers lie in one heap for each (medium, skill, level) that their ladder
has opened to them, agents with room in one for each (medium, skill, level) of theirs; what is no longer true is
dropped when it comes to the top. Whoever calls tells every change and carries out the assignments that come back;
between two calls no caller waits whom a present agent with room may serve, but chats behind a call that the agent may
serve too (those of a call that has left until `advance`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from heapq import heappop, heappush

import msgspec

from routing.queueing import BEST, WORST, Agent, Assignment, Caller, Medium, Rung, Settings, reserved, serves

Bucket = tuple[Medium, str, int]
_Turn = tuple[float, str]
_MEDIA = tuple(Medium)


class Switchboard:
    """The present picture. All methods take `now`, which never goes back, and return what is to be connected."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: dict[str, Caller] = {}
        self._agents: dict[str, Agent] = {}
        self._callers: defaultdict[Bucket, list[_Turn]] = defaultdict(list)
        self._free: defaultdict[Bucket, list[tuple[float, str]]] = defaultdict(list)
        self._mine: defaultdict[str, list[_Turn]] = defaultdict(list)
        self._opened: dict[str, int] = {}
        self._alarms: list[tuple[float, str]] = []
        self._kept: defaultdict[str, set[str]] = defaultdict(set)  # by a call's id, agents who get no chat for its sake
        self._let_go = set[str]()  # agents whose call waits no more

    @property
    def waiting(self) -> Mapping[str, Caller]:
        """Who waits, by id."""
        return self._waiting

    @property
    def agents(self) -> Mapping[str, Agent]:
        """Who is present and ready, by name."""
        return self._agents

    # ── what happens ─────────────────────────────────────────────────────────────────────────────
    def arrive(self, caller: Caller, *, now: float) -> list[Assignment]:
        """Somebody begins to wait, or is back at their old place (`arrived`) after an agent did not answer."""
        done = self.advance(now=now)
        self._waiting[caller.id] = caller
        for rung in self._settings.queues[caller.queue].rungs:
            if caller.arrived + rung.after > now:
                self._wake(caller, caller.arrived + rung.after)
        return done + self._settle([caller.turn], now)

    def leave(self, caller_id: str) -> None:
        """A caller hung up or was moved; nothing happens for one who does not wait."""
        if self._waiting.pop(caller_id, None) is not None:
            self._opened.pop(caller_id, None)
            self._let_go |= self._kept.pop(caller_id, set())

    def ready(self, agent: Agent, *, now: float) -> list[Assignment]:
        """An agent is there with room: just came, or has just finished something (`load` is what is left)."""
        done = self.advance(now=now)
        if agent.name not in self._agents:  # who has waited for just them from now on keeps nobody else
            for call in [one for one in self._kept if self._waiting[one].last_agent == agent.name]:
                self._let_go |= self._kept.pop(call)
        self._agents[agent.name] = agent
        done += self._settle([], now, agent.name)
        self._stand_by(agent.name)
        return done

    def away(self, name: str, *, now: float) -> list[Assignment]:
        """An agent is gone or not ready: who waited for them may go to others."""
        done = self.advance(now=now)
        self._agents.pop(name, None)
        return done + self._settle(self._mine.pop(name, ()), now)

    def advance(self, *, now: float) -> list[Assignment]:
        """Time has passed: open the rungs that callers have reached since, moment by moment."""
        done: list[Assignment] = []
        while self._alarms and self._alarms[0][0] <= now:
            moment, due = self._alarms[0][0], set[str]()
            while self._alarms and self._alarms[0][0] == moment:
                due.add(heappop(self._alarms)[1])
            done += self._settle([self._waiting[one].turn for one in due if one in self._waiting], moment)
        return done + self._settle([], now) if self._let_go else done

    def next_alarm(self) -> float | None:
        """Return when `advance` has something to do next, None for never."""
        return self._alarms[0][0] if self._alarms else None

    # ── in the order of turns ────────────────────────────────────────────────────────────────────
    def _settle(self, turns: Iterable[_Turn], now: float, name: str = "") -> list[Assignment]:
        """Connect those of `turns`, those for whom the agent `name` has room, and the chats behind calls that go."""
        todo, done = sorted(turns), list[Assignment]()
        while True:
            if self._let_go:
                todo = sorted({*todo, *self._behind_calls(now)})
                self._stand_by(name)  # other agents may be for theirs, and they for others'
            own = self._first_for(self._agents[name], now) if name else None
            if todo and (own is None or todo[0] <= own):
                done += self._seek(self._waiting.get(heappop(todo)[1]), now)
            elif own is not None:
                done.append(self._connect(self._waiting[own[1]], self._agents[name]))
            else:
                return done

    def _behind_calls(self, now: float) -> list[_Turn]:
        """Return the chats that may be for agents who were kept for a call that waits no more."""
        free, self._let_go = [self._agents[name] for name in self._let_go if name in self._agents], set()
        first = [self._first_for(agent, now) for agent in free]  # of all: who is kept for another call is noted for it
        chats = (one.turn for one in self._waiting.values() if one.medium is Medium.CHAT)
        return list(chats) if any(first) else []

    # ── a caller seeks an agent ──────────────────────────────────────────────────────────────────
    def _seek(self, caller: Caller | None, now: float) -> list[Assignment]:
        if caller is None or caller.id not in self._waiting:
            return []
        rungs = self._settings.rungs(caller, now)
        if only := reserved(caller, self._agents, self._settings, now):
            agent = self._agents[only]
            free = self._settings.fits(agent, caller.medium) and not self._is_kept(agent, caller, now)
            if free and serves(rungs, agent) is not None:
                return [self._connect(caller, agent)]
            self._reserve(caller)
            return []
        found = self._best(caller, rungs, now)
        if found is not None:
            return [self._connect(caller, found)]
        for rung in rungs[self._opened.get(caller.id, 0):]:
            heappush(self._callers[caller.medium, rung.skill, rung.level], caller.turn)
        self._opened[caller.id] = len(rungs)
        return []

    def _reserve(self, caller: Caller) -> None:
        self._mine[caller.last_agent].append(caller.turn)
        self._opened.pop(caller.id, None)
        self._wake(caller, caller.arrived + self._settings.last_agent_wait)

    def _wake(self, caller: Caller, at: float) -> None:
        heappush(self._alarms, (at, caller.id))

    def _best(self, caller: Caller, rungs: tuple[Rung, ...], now: float) -> Agent | None:
        """Return who has been free longest at the best level that has somebody."""
        for level in range(BEST, WORST + 1):
            tops = [self._top(caller, rung.skill, level, now) for rung in rungs if level <= rung.level]
            found = min((top for top in tops if top is not None), default=None)
            if found is not None:
                return self._agents[found[1]]
        return None

    def _top(self, caller: Caller, skill: str, level: int, now: float) -> tuple[float, str] | None:
        heap, passed = self._free.get((caller.medium, skill, level), []), list[tuple[float, str]]()
        while heap:
            since, name = heap[0]
            agent = self._agents.get(name)
            if agent is None or agent.since != since or not self._fits(agent, caller.medium, skill, level):
                heappop(heap)
            elif not self._is_kept(agent, caller, now):
                break
            else:
                passed.append(heappop(heap))
        found = heap[0] if heap else None
        for one in passed:
            heappush(heap, one)
        return found

    def _fits(self, agent: Agent, medium: Medium, skill: str, level: int) -> bool:
        return agent.skills.get(skill) == level and self._settings.fits(agent, medium)

    def _is_kept(self, agent: Agent, caller: Caller, now: float) -> bool:
        """Tell whether the agent could serve a call that waits before this chat, and remember for which."""
        if caller.medium is Medium.CALL or Medium.CALL not in agent.media:
            return False
        call = self._oldest_for(agent, Medium.CALL, now)
        if call is None or caller.turn < call:
            return False
        self._kept[call[1]].add(agent.name)
        return True

    # ── an agent seeks callers ───────────────────────────────────────────────────────────────────
    def _stand_by(self, name: str) -> None:
        agent = self._agents.get(name)
        for medium in _MEDIA:
            if agent is not None and self._settings.fits(agent, medium):
                for skill, level in agent.skills.items():
                    heappush(self._free[medium, skill, level], (agent.since, agent.name))

    def _first_for(self, agent: Agent, now: float) -> _Turn | None:
        """Return the first caller whom the agent may have."""
        able = [medium for medium in _MEDIA if self._settings.fits(agent, medium)]
        first = min((turn for one in able if (turn := self._oldest_for(agent, one, now)) is not None), default=None)
        return None if first is None or self._is_kept(agent, self._waiting[first[1]], now) else first

    def _oldest_for(self, agent: Agent, medium: Medium, now: float) -> _Turn | None:
        """Return the first caller whom the agent, if they had room, may serve."""
        turns = [
            self._oldest((medium, skill, bucket), now)
            for skill, level in agent.skills.items() for bucket in range(level, WORST + 1)
        ]
        turns.append(self._own(agent, medium, now))  # last: somebody in a bucket may just have become theirs
        return min((turn for turn in turns if turn is not None), default=None)

    def _oldest(self, bucket: Bucket, now: float) -> _Turn | None:
        heap = self._callers.get(bucket)
        while heap:
            caller = self._waiting.get(heap[0][1])
            if caller is not None and caller.turn == heap[0] and self._opened.get(caller.id):
                if not reserved(caller, self._agents, self._settings, now):
                    return heap[0]
                self._reserve(caller)
            heappop(heap)
        return None

    def _own(self, agent: Agent, medium: Medium, now: float) -> _Turn | None:
        """Return the first caller who waits for just this agent and may have them."""
        own = self._mine.get(agent.name)
        if not own:
            return None
        waiting = [self._waiting[turn[1]] for turn in dict.fromkeys(own) if turn[1] in self._waiting]
        theirs = [one for one in waiting if reserved(one, self._agents, self._settings, now) == agent.name]
        self._mine[agent.name] = [caller.turn for caller in theirs]
        able = [
            caller.turn for caller in theirs
            if caller.medium is medium and serves(self._settings.rungs(caller, now), agent) is not None
        ]
        return min(able, default=None)

    # ── both ─────────────────────────────────────────────────────────────────────────────────────
    def _connect(self, caller: Caller, agent: Agent) -> Assignment:
        self.leave(caller.id)
        load = agent.load + self._settings.cost[caller.medium]
        self._agents[agent.name] = msgspec.structs.replace(agent, load=load)
        return Assignment(caller, agent)
