"""Who may serve whom in the queues of calls and chats: skills, ladders of relaxation, ranks and capacity. Pure.

A queue is a ladder: the longer a caller waits, the wider the circle of agents who may answer – lower levels of the
skill first, other skills (overflow) after that. Times are seconds of any clock that only goes forward.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

BEST, WORST = 1, 5
"""Levels of a skill: 1 knows it best."""


class Medium(StrEnum):
    """What has to be served. One capacity model holds for both."""

    CALL = "call"
    CHAT = "chat"


class Rung(msgspec.Struct, frozen=True):
    """From `after` seconds of waiting on, agents with `skill` at `level` or better may answer too."""

    after: float
    skill: str
    level: int = WORST


class Ladder(msgspec.Struct, frozen=True):
    """A queue: its rungs in the order of time, the first at 0 seconds.

    Raises:
        ValueError: no rung at 0, rungs out of order, or a level that does not exist.
    """

    rungs: tuple[Rung, ...]

    def __post_init__(self) -> None:
        times = [rung.after for rung in self.rungs]
        if not times or times[0] != 0 or times != sorted(times):
            raise ValueError("a queue's steps begin at 0 seconds and follow in time")
        if any(not BEST <= rung.level <= WORST for rung in self.rungs):
            raise ValueError(f"levels of a skill are {BEST} (best) to {WORST}")


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who waits.

    Attributes:
        queue: name of the ladder. arrived: when they began to wait; kept by who asked to be rung back.
        head_start: seconds by which this rank counts as having waited longer (repeat callers, the enterprise desk);
            as it is the same all the time, nobody of a rank overtakes another of it, and nobody waits for ever.
        last_agent: who served them last; reserved for them during `Settings.last_agent_wait`, if there.
    """

    id: str
    queue: str
    arrived: float
    medium: Medium = Medium.CALL
    head_start: float = 0.0
    last_agent: str = ""

    @property
    def turn(self) -> tuple[float, str]:
        """The order in which callers are served: by arrival less the head start; the id settles ties."""
        return self.arrived - self.head_start, self.id


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent who takes calls and chats. `skills` maps a skill to its level; `since` is when they became free.

    `media`: what they can take: without a telephone only chats.
    """

    name: str
    skills: Mapping[str, int]
    since: float = 0.0
    load: int = 0
    media: frozenset[Medium] = frozenset(Medium)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How the centre serves.

    Attributes:
        queues: ladders by name.
        last_agent_wait: seconds during which a caller waits for the agent who knows the matter.
        capacity: what an agent carries at once; `cost` of a call and of a chat. A call takes all of it.
    """

    queues: Mapping[str, Ladder]
    last_agent_wait: float = 0.0
    capacity: int = 6
    cost: Mapping[Medium, int] = MappingProxyType({Medium.CALL: 6, Medium.CHAT: 2})

    def fits(self, agent: Agent, medium: Medium) -> bool:
        """Tell whether the agent has room for one more."""
        return medium in agent.media and agent.load + self.cost[medium] <= self.capacity

    def rungs(self, caller: Caller, now: float) -> tuple[Rung, ...]:
        """Return the rungs that a caller has reached."""
        waited = now - caller.arrived
        return tuple(rung for rung in self.queues[caller.queue].rungs if rung.after <= waited)


def serves(rungs: tuple[Rung, ...], agent: Agent) -> int | None:
    """Return the level at which the agent may serve a caller on these rungs, None if not at all."""
    levels = [agent.skills[rung.skill] for rung in rungs if agent.skills.get(rung.skill, WORST + 1) <= rung.level]
    return min(levels, default=None)


class Assignment(msgspec.Struct, frozen=True):
    """This caller is to be connected to this agent."""

    caller: Caller
    agent: Agent


def reserved(caller: Caller, present: Mapping[str, Agent], settings: Settings, now: float) -> str:
    """Return the name of the agent for whom the caller still waits, "" if any may answer."""
    if not caller.last_agent or now - caller.arrived >= settings.last_agent_wait:
        return ""
    return caller.last_agent if caller.last_agent in present else ""


def next_assignment(
    waiting: Mapping[str, Caller], present: Mapping[str, Agent], settings: Settings, *, now: float
) -> Assignment | None:
    """Return who is connected next, None when nobody can be: the rule in its plainest form.

    The caller whose turn comes first among those whom somebody with room may serve; to them the last agent, else the
    best level, else who has been free longest. A call needs an agent without chats: who could serve one that waits
    gets no chat that comes after it, or the call would wait as long as chats come. `routing.switchboard` decides the
    same with indexes; a test compares.

    Args:
        waiting: callers by id. present: agents who are logged in and ready (with or without room), by name.
    """
    kept = set[str]()
    for caller in sorted(waiting.values(), key=lambda one: one.turn):
        rungs, only = settings.rungs(caller, now), reserved(caller, present, settings, now)
        may = {
            (level, agent.since, agent.name): agent for agent in present.values()
            if caller.medium in agent.media and only in ("", agent.name)
            and (level := serves(rungs, agent)) is not None
        }
        free = kept if caller.medium is Medium.CHAT else set[str]()
        able = [
            rank for rank, agent in may.items() if settings.fits(agent, caller.medium) and agent.name not in free
        ]
        if able:
            return Assignment(caller, may[min(able)])
        if caller.medium is Medium.CALL:
            kept.update(agent.name for agent in may.values())
    return None
