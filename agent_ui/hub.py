"""Who gets which event: encoded once, joined once for all who want the same, kept for those who come back. Pure.

`Hub` is generic over the consoles, so that it can be tested without a socket. Everything here is done between two
turns of the event loop, which is what makes the hand-over from replay to live free of gaps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import msgspec

from agent_ui.protocol import Event, encode
from hotline.feed import FeedEvent


class Follower(Protocol):
    """What the hub needs to know of a console: where it stands if that is ahead of the gateway."""

    @property
    def ahead_to(self) -> int:
        """Events up to this one are known to the console already."""
        ...


C = TypeVar("C", bound=Follower)


class Encoded:
    """An event as it goes out: serialised once for all consoles, when the first of them wants it."""

    def __init__(self, event: FeedEvent) -> None:
        self.seq, self.topics, self._event = event.seq, frozenset(event.topics), event

    @cached_property
    def data(self) -> bytes:
        """The frame's bytes."""
        return _serialised(self._event)


def _serialised(event: FeedEvent) -> bytes:
    summary = msgspec.Raw(event.summary.encode()) if event.summary else msgspec.UNSET
    data = msgspec.Raw(event.doc.encode()) if event.doc and not event.number else msgspec.UNSET
    wire = Event(seq=event.seq, at=event.at, type=event.type, actor=event.actor, number=event.number,
                 summary=summary, data=data)
    return encode(wire)


def joined(events: Iterable[Encoded]) -> bytes:
    """Return one `events` frame."""
    return b'{"type":"events","events":[' + b",".join(event.data for event in events) + b"]}"


class Hub(Generic[C]):
    """The gateway's place in the event log, its recent events, and who follows what."""

    def __init__(self, *, start: int, capacity: int) -> None:
        """Begin after event `start`; keep at most `capacity` recent events."""
        self.seq = self.floor = start
        self._capacity = capacity
        self._ring: deque[Encoded] = deque()
        self._groups: dict[frozenset[str], set[C]] = {}

    def restart(self, position: int) -> None:
        """Forget the recent events and go on after `position`: nobody was there to want them."""
        self._ring.clear()
        self.seq = self.floor = position

    def place(self, console: C, before: frozenset[str], topics: frozenset[str]) -> None:
        """Move a console from one set of topics to another; an empty set takes it out."""
        group = self._groups.get(before)
        if group is not None:
            group.discard(console)
            if not group:
                del self._groups[before]
        if topics:
            self._groups.setdefault(topics, set()).add(console)

    def publish(self, page: Sequence[FeedEvent]) -> list[tuple[bytes, list[C]]]:
        """Take in the events of a tick; return the frames to write and to whom."""
        events = [Encoded(event) for event in page]
        self._keep(events)
        touched = frozenset().union(*(event.topics for event in events))
        frames: dict[frozenset[str], tuple[bytes, list[C]]] = {}
        late: list[tuple[bytes, list[C]]] = []
        for topics, group in self._groups.items():
            common = topics & touched
            if not common:
                continue
            if common not in frames:
                frames[common] = (joined(e for e in events if not e.topics.isdisjoint(common)), [])
            for console in group:
                if console.ahead_to < events[0].seq:
                    frames[common][1].append(console)
                elif news := [e for e in events if e.seq > console.ahead_to and not e.topics.isdisjoint(common)]:
                    late.append((joined(news), [console]))
        return [(frame, consoles) for frame, consoles in frames.values() if consoles] + late

    def _keep(self, events: Sequence[Encoded]) -> None:
        self._ring.extend(events)
        self.seq = events[-1].seq
        while len(self._ring) > self._capacity:
            self.floor = self._ring.popleft().seq

    def missed(self, after: int, topics: frozenset[str]) -> list[Encoded]:
        """Return the kept events of these topics above `after`, which must not lie below `floor`."""
        found = []
        for event in reversed(self._ring):
            if event.seq <= after:
                break
            if not event.topics.isdisjoint(topics):
                found.append(event)
        return found[::-1]
