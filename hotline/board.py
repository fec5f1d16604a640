"""The supervisor's board (大屏): the figures of this moment, each with what a text or a promise asks of it. Pure."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from hotline.metric_views import Figure, Standing

WAIT_GOAL, INCIDENT_GOAL = 15.0, 60.0
"""Seconds: an answer (GB/T 33358-2016), and 110's acknowledgement ([P] domain.md section 3)."""


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of this moment: how many wait, the longest wait in seconds, how many talk. `good`: within 15 s."""

    waiting: int
    longest: float
    talking: int
    goal: float = WAIT_GOAL
    good: bool = True


class AgentCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many people are in a state of presence."""

    state: str
    people: int


class ChannelCount(msgspec.Struct, frozen=True, kw_only=True):
    """Today's appeals of a channel."""

    channel: str
    label: str
    appeals: int


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is owed: how many, how many of them late, the oldest in seconds. `good`: none is late."""

    number: int
    late: int
    oldest: float
    goal: float | None = None
    good: bool = True


class AlarmCount(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets with an alarm, and how many of them nobody has acknowledged."""

    alarm: str
    tickets: int
    unseen: int


class HourCount(msgspec.Struct, frozen=True, kw_only=True):
    """Appeals of one hour, today and a week ago."""

    hour: int
    today: int
    week_ago: int


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """All that a wallboard shows.

    Attributes:
        now: when it was asked; as_of: the moment to which `today`, `channels`, `hours` and `standing` are exact.
        telephone: of the last 24 hours (GB/T 33358: the connect rate over any continuous 24 h); recent: of the last
            30 minutes.
        due_soon: tickets whose clock runs out within an hour.
        incidents: emergencies that 110 has not acknowledged; callbacks: missed calls that are owed.
    """

    now: datetime
    as_of: datetime
    day: date
    queue: Queue
    agents: tuple[AgentCount, ...]
    telephone: tuple[Figure, ...]
    recent: tuple[Figure, ...]
    today: tuple[Figure, ...]
    channels: tuple[ChannelCount, ...]
    hours: tuple[HourCount, ...]
    standing: tuple[Standing, ...]
    due_soon: int
    incidents: Owed
    callbacks: Owed
    alarms: tuple[AlarmCount, ...]
    hot_spots: int


def queue_of(*, waiting: int, longest: float | None, talking: int) -> Queue:
    """Return the calls of this moment, judged."""
    seconds = max(0.0, longest or 0.0)
    return Queue(waiting=waiting, longest=seconds, talking=talking, good=seconds <= WAIT_GOAL)


def owed(*, number: int, late: int, oldest: float | None, goal: float | None = None) -> Owed:
    """Return something owed, judged: none late, and none older than the goal where there is one."""
    seconds = max(0.0, oldest or 0.0)
    good = not late and (goal is None or seconds <= goal)
    return Owed(number=number, late=late, oldest=seconds, goal=goal, good=good)
