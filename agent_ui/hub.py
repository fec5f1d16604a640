"""Who gets which event: encoded once, joined once for all who want the same, kept for those who come back. Pure.

`Hub` is generic over the consoles, so that it can be tested without a socket. Everything here is done between two
turns of the event loop, which is what makes the hand-over from replay to live free of gaps.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Container, Iterable, Mapping, Sequence
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


class Encoded(msgspec.Struct, gc=False):
    """An event as it goes out: serialised once for all consoles, when the first of them wants it.

    Thousands are kept for those who come back; the garbage collector need not look at them: nothing leads back.
    """

    event: FeedEvent
    _data: bytes = b""

    @property
    def seq(self) -> int:
        """Its place in the log."""
        return self.event.seq

    @property
    def topics(self) -> tuple[str, ...]:
        """Whom it concerns."""
        return self.event.topics

    @property
    def data(self) -> bytes:
        """The frame's bytes."""
        if not self._data:
            self._data = _serialised(self.event)
        return self._data


def _serialised(event: FeedEvent) -> bytes:
    summary = msgspec.Raw(event.summary.encode()) if event.summary else msgspec.UNSET
    data = msgspec.Raw(event.doc.encode()) if event.doc and not event.number else msgspec.UNSET
    wire = Event(seq=event.seq, at=event.at, type=event.type, actor=event.actor, number=event.number,
                 summary=summary, data=data)
    return encode(wire)


def joined(events: Iterable[Encoded]) -> bytes:
    """Return one `events` frame."""
    return b'{"type":"events","events":[' + b",".join(event.data for event in events) + b"]}"


def _by_topic(events: Iterable[Encoded], wanted: Container[str]) -> dict[str, list[Encoded]]:
    found: defaultdict[str, list[Encoded]] = defaultdict(list)
    for event in events:
        for topic in set(event.topics):
            if topic in wanted:
                found[topic].append(event)
    return found


def _of(topics: frozenset[str], told: Mapping[str, list[Encoded]]) -> list[Encoded]:
    """Return the events of these topics in order, each once."""
    if len(topics) == 1:
        return told[next(iter(topics))]
    found = {event.seq: event for topic in topics for event in told[topic]}
    return [found[seq] for seq in sorted(found)]


class Hub(Generic[C]):
    """The gateway's place in the event log, its recent events, and who follows what."""

    def __init__(self, *, start: int, capacity: int) -> None:
        """Begin after event `start`; keep at most `capacity` recent events."""
        self.seq = self.floor = start
        self._capacity = capacity
        self._ring: deque[Encoded] = deque()
        self._waiting: list[Encoded] = []
        self._groups: dict[frozenset[str], set[C]] = {}
        self._by_topic: dict[str, set[frozenset[str]]] = {}

    @property
    def waiting(self) -> int:
        """How many events have been taken in and not been published yet."""
        return len(self._waiting)

    def restart(self, position: int) -> None:
        """Forget all events and go on after `position`: nobody was there to want them."""
        self._ring.clear()
        self._waiting.clear()
        self.seq = self.floor = position

    def place(self, console: C, before: frozenset[str], topics: frozenset[str]) -> None:
        """Move a console from one set of topics to another; an empty set takes it out."""
        group = self._groups.get(before)
        if group is not None:
            group.discard(console)
            if not group:
                self._forget(before)
        if topics:
            if topics not in self._groups:
                self._groups[topics] = set()
                for topic in topics:
                    self._by_topic.setdefault(topic, set()).add(topics)
            self._groups[topics].add(console)

    def _forget(self, topics: frozenset[str]) -> None:
        del self._groups[topics]
        for topic in topics:
            self._by_topic[topic].discard(topics)
            if not self._by_topic[topic]:
                del self._by_topic[topic]

    def take_in(self, events: Iterable[Encoded]) -> None:
        """Let events, later ones than all before, wait until they are published."""
        self._waiting.extend(events)

    def publish(self) -> list[tuple[bytes, list[C]]]:
        """Let what waits happen, as one tick; return the frames to write and to whom.

        Who follows none of its topics is not looked at.
        """
        events, self._waiting = self._waiting, []
        if not events:
            return []
        self._keep(events)
        first, told = events[0].seq, _by_topic(events, self._by_topic)
        touched = frozenset(told)
        frames: dict[frozenset[str], tuple[bytes, list[C]]] = {}
        late: list[tuple[bytes, list[C]]] = []
        for topics in set[frozenset[str]]().union(*(self._by_topic[topic] for topic in told)):
            common = topics & touched
            if common not in frames:
                frames[common] = (joined(_of(common, told)), [])
            behind = frames[common][1].append
            for console in self._groups[topics]:
                if console.ahead_to < first:
                    behind(console)
                elif news := [event for event in _of(common, told) if event.seq > console.ahead_to]:
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
            if not topics.isdisjoint(event.topics):
                found.append(event)
        return found[::-1]
