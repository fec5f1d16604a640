"""The floor: queues counted from the calls and agents of this moment. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from routing.call_news import AgentRow, CallFloor, CallRow, QueueRow
from routing.calls import WAITS, Phase
from routing.queue_plan import Centre, Queue


def floor_of(centre: Centre, calls: Sequence[CallRow], agents: Sequence[AgentRow], *, now: datetime) -> CallFloor:
    """Return the floor; a queue counts the agents whom its last step still reaches."""
    rows = tuple(_row(name, queue, calls, agents) for name, queue in centre.queues.items())
    return CallFloor(at=now, queues=rows, calls=tuple(calls), agents=tuple(agents))


def _row(name: str, queue: Queue, calls: Sequence[CallRow], agents: Sequence[AgentRow]) -> QueueRow:
    own = [call for call in calls if call.queue == name]  # one of ours has a queue once it was handed to it
    waiting = [call for call in own if call.phase in WAITS]
    able = [
        agent for agent in agents
        if any(agent.skills.get(step.skill, step.level + 1) <= step.level for step in queue.steps)
    ]
    return QueueRow(
        queue=name, title=queue.title, waiting=len(waiting),
        oldest=min((call.arrived for call in waiting), default=None),
        talking=sum(call.phase is Phase.TALKING for call in own),
        available=sum(agent.state == "available" for agent in able),
        present=sum(agent.state != "not_ready" for agent in able),
    )
