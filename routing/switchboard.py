"""The queues of one centre with indexes: thousands of agents and callers, a decision in microseconds. No I/O, no clock.

Decides as `routing.queueing.next_assignment`. Callers lie in one heap for each (medium, skill, level) that their ladder
has opened to them, agents with room in one for each (medium, skill, level) of theirs; what is no longer true is
dropped when it comes to the top. Whoever calls tells every change and carries out the assignments that come back;
between two calls no caller waits whom a present agent with room may serve.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush

import msgspec

from routing.queueing import BEST, WORST, Agent, Assignment, Caller, Medium, Rung, Settings, reserved, serves

Bucket = tuple[Medium, str, int]
_Turn = tuple[float, str]


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
        return done + self._seek(caller, now)

    def leave(self, caller_id: str) -> None:
        """A caller hung up or was moved; nothing happens for one who does not wait."""
        if self._waiting.pop(caller_id, None) is not None:
            self._opened.pop(caller_id, None)

    def ready(self, agent: Agent, *, now: float) -> list[Assignment]:
        """An agent is there with room: just came, or has just finished something (`load` is what is left)."""
        done = self.advance(now=now)
        self._agents[agent.name] = agent
        return done + self._offer(agent, now)

    def away(self, name: str, *, now: float) -> list[Assignment]:
        """An agent is gone or not ready: who waited for them may go to others."""
        done = self.advance(now=now)
        self._agents.pop(name, None)
        for _, caller_id in sorted(self._mine.pop(name, ())):
            done += self._seek(self._waiting.get(caller_id), now)
        return done

    def advance(self, *, now: float) -> list[Assignment]:
        """Time has passed: open the rungs that callers have reached since, moment by moment."""
        done: list[Assignment] = []
        while self._alarms and self._alarms[0][0] <= now:
            moment, due = self._alarms[0][0], set[str]()
            while self._alarms and self._alarms[0][0] == moment:
                due.add(heappop(self._alarms)[1])
            callers = [self._waiting[one] for one in due if one in self._waiting]
            for caller in sorted(callers, key=lambda one: one.turn):
                done += self._seek(caller, moment)
        return done

    def next_alarm(self) -> float | None:
        """Return when `advance` has something to do next, None for never."""
        return self._alarms[0][0] if self._alarms else None

    # ── a caller seeks an agent ──────────────────────────────────────────────────────────────────
    def _seek(self, caller: Caller | None, now: float) -> list[Assignment]:
        if caller is None or caller.id not in self._waiting:
            return []
        rungs = self._settings.rungs(caller, now)
        if only := reserved(caller, self._agents, self._settings, now):
            agent = self._agents[only]
            if self._settings.fits(agent, caller.medium) and serves(rungs, agent) is not None:
                return [self._connect(caller, agent)]
            self._reserve(caller)
            return []
        found = self._best(caller.medium, rungs)
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

    def _best(self, medium: Medium, rungs: tuple[Rung, ...]) -> Agent | None:
        """Return who has been free longest at the best level that has somebody."""
        for level in range(BEST, WORST + 1):
            tops = [self._top(medium, rung.skill, level) for rung in rungs if level <= rung.level]
            found = min((top for top in tops if top is not None), default=None)
            if found is not None:
                return self._agents[found[1]]
        return None

    def _top(self, medium: Medium, skill: str, level: int) -> tuple[float, str] | None:
        heap = self._free.get((medium, skill, level))
        while heap:
            since, name = heap[0]
            agent = self._agents.get(name)
            if agent is not None and agent.since == since and self._fits(agent, medium, skill, level):
                return heap[0]
            heappop(heap)
        return None

    def _fits(self, agent: Agent, medium: Medium, skill: str, level: int) -> bool:
        return agent.skills.get(skill) == level and self._settings.fits(agent, medium)

    # ── an agent seeks callers ───────────────────────────────────────────────────────────────────
    def _offer(self, agent: Agent, now: float) -> list[Assignment]:
        done: list[Assignment] = []
        while (caller := self._first_for(agent, now)) is not None:
            done.append(self._connect(caller, agent))
            agent = self._agents[agent.name]
        for medium in Medium:
            if self._settings.fits(agent, medium):
                for skill, level in agent.skills.items():
                    heappush(self._free[medium, skill, level], (agent.since, agent.name))
        return done

    def _first_for(self, agent: Agent, now: float) -> Caller | None:
        turns = [turn for turn in self._turns_for(agent, now) if turn is not None]
        return self._waiting[min(turns)[1]] if turns else None

    def _turns_for(self, agent: Agent, now: float) -> Iterator[_Turn | None]:
        for medium in Medium:
            if not self._settings.fits(agent, medium):
                continue
            for skill, level in agent.skills.items():
                for bucket in range(level, WORST + 1):
                    yield self._oldest((medium, skill, bucket), now)
            yield self._own(agent, medium, now)  # last: somebody in a bucket may just have become theirs

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
        del self._waiting[caller.id]
        self._opened.pop(caller.id, None)
        load = agent.load + self._settings.cost[caller.medium]
        self._agents[agent.name] = msgspec.structs.replace(agent, load=load)
        return Assignment(caller, agent)
