"""The hub: every follower gets exactly what it follows, in order, from shared bytes."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agent_ui import protocol as p
from agent_ui.hall import Hall
from agent_ui.hub import Encoded, Hub, joined
from agent_ui.session import Resume, plan_resume
from hotline.feed import FeedEvent

TOPICS = ["centre", "emergency", "department:城管局", "agent:a", "presence"]


class Desk:
    def __init__(self, ahead_to: int = 0) -> None:
        self.ahead_to = ahead_to
        self.frames: list[bytes] = []

    @property
    def seqs(self) -> list[int]:
        found = []
        for frame in self.frames:
            decoded = msgspec.json.decode(frame, type=p.ServerFrame)
            assert isinstance(decoded, p.Events)
            found += [event.seq for event in decoded.events]
        return found


def event(seq: int, *topics: str) -> FeedEvent:
    return FeedEvent(seq=seq, at=datetime(2026, 1, 1, tzinfo=UTC), type="urge", actor="system:", topics=topics,
                     number="DG1", summary='{"number":"DG1"}')


def publish(hub: Hub[Desk], *events: FeedEvent) -> list[bytes]:
    hub.take_in([Encoded(event) for event in events])
    return tell(hub)


def tell(hub: Hub[Desk]) -> list[bytes]:
    written = hub.publish()
    for frame, desks in written:
        for desk in desks:
            desk.frames.append(frame)
    return [frame for frame, _ in written]


topic_sets = st.frozensets(st.sampled_from(TOPICS), min_size=1)
ticks = st.lists(st.lists(topic_sets, min_size=1, max_size=6), max_size=12)


@given(st.lists(st.tuples(topic_sets, st.integers(0, 30)), max_size=6), ticks, st.integers(1, 20))
def test_each_gets_what_it_follows_once_and_in_order(
    followers: list[tuple[frozenset[str], int]], pages: list[list[frozenset[str]]], capacity: int
) -> None:
    hub: Hub[Desk] = Hub(start=0, capacity=capacity)
    desks = [(Desk(ahead), topics) for topics, ahead in followers]
    for desk, topics in desks:
        hub.place(desk, frozenset(), topics)
    seq, log = 0, []
    for page in pages:
        events = [event(seq + n, *sorted(topics)) for n, topics in enumerate(page, start=1)]
        seq += len(page)
        log += events
        publish(hub, *events)
    for desk, topics in desks:
        assert desk.seqs == [e.seq for e in log if e.seq > desk.ahead_to and topics & set(e.topics)]
    # Whoever comes back gets the rest from the ring, as far as it reaches.
    assert len(log) - sum(e.seq <= hub.floor for e in log) <= capacity
    for after in range(hub.floor, seq + 1):
        for topics in map(frozenset, [{"centre"}, {"agent:a", "presence"}]):
            expected = [e.seq for e in log if e.seq > after and topics & set(e.topics)]
            assert [kept.seq for kept in hub.missed(after, topics)] == expected


def test_consoles_that_want_the_same_share_the_bytes() -> None:
    hub: Hub[Desk] = Hub(start=0, capacity=10)
    desks = [Desk() for _ in range(4)]
    wanted = ({"centre"}, {"centre", "agent:a"}, {"centre", "agent:b"}, {"emergency"})
    for desk, topics in zip(desks, wanted, strict=True):
        hub.place(desk, frozenset(), frozenset(topics))
    frames = publish(hub, event(1, "centre"), event(2, "centre", "agent:a"), event(3, "presence"))
    assert len(frames) == 2
    assert desks[0].frames[0] is desks[2].frames[0]
    assert [desk.seqs for desk in desks] == [[1, 2], [1, 2], [1, 2], []]


def test_who_left_gets_nothing_more() -> None:
    hub: Hub[Desk] = Hub(start=0, capacity=10)
    desk, topics = Desk(), frozenset({"centre"})
    hub.place(desk, frozenset(), topics)
    publish(hub, event(1, "centre"))
    hub.place(desk, topics, frozenset({"emergency"}))
    publish(hub, event(2, "centre"), event(3, "emergency"))
    hub.place(desk, frozenset({"emergency"}), frozenset())
    publish(hub, event(4, "emergency"))
    assert desk.seqs == [1, 3]


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────
steps = st.lists(st.one_of(
    st.lists(topic_sets, min_size=1, max_size=3),  # events happen
    st.integers(0, 2),  # a row is told
    st.tuples(st.integers(0, 8), topic_sets),  # a console follows something else
), max_size=30)


@given(steps, st.integers(1, 3))
def test_rows_told_at_different_times_give_each_console_the_same(
    doings: list[list[frozenset[str]] | int | tuple[int, frozenset[str]]], width: int
) -> None:
    hall: Hall[Desk] = Hall(start=0, capacity=1000, rows=width)
    desks = [Desk() for _ in range(9)]
    rows = [hall.seat() for _ in desks]
    followed = [frozenset({TOPICS[n % len(TOPICS)]}) for n in range(len(desks))]
    for desk, row, topics in zip(desks, rows, followed, strict=True):
        row.place(desk, frozenset(), topics)
    expected: list[list[int]] = [[] for _ in desks]
    log: list[FeedEvent] = []

    def told(row: Hub[Desk]) -> None:
        for n, own in enumerate(rows):
            if own is row:
                expected[n] += [e.seq for e in log if e.seq > row.seq and followed[n] & set(e.topics)]
        tell(row)
        assert row.seq == len(log)
        assert row.waiting == 0

    for doing in doings:
        match doing:
            case int():
                told(hall.rows[doing % width])
            case tuple():
                n, topics = doing
                rows[n].place(desks[n], followed[n], topics)
                followed[n] = topics
            case list():
                page = [event(len(log) + k, *sorted(topics)) for k, topics in enumerate(doing, start=1)]
                log += page
                hall.take_in(page)
        assert hall.waiting == max(len(log) - row.seq for row in hall.rows)
        assert hall.seq == min(row.seq for row in hall.rows)
        # What a pong tells holds at any time: up to the row's place, everything followed has been written.
        assert [desk.seqs for desk in desks] == expected
    for row in hall.rows:
        told(row)
    assert [desk.seqs for desk in desks] == expected
    assert (hall.waiting, hall.seq) == (0, len(log))


def test_consoles_take_their_seats_in_turn_and_rows_share_what_was_serialised() -> None:
    hall: Hall[Desk] = Hall(start=7, capacity=10, rows=3)
    assert [hall.rows.index(hall.seat()) for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]
    for row in hall.rows:
        row.place(Desk(), frozenset(), frozenset({"centre"}))
    hall.take_in([event(8, "centre")])
    for row in hall.rows:
        row.publish()
    assert len({id(row.missed(7, frozenset({"centre"}))[0].data) for row in hall.rows}) == 1


def test_a_hall_begun_anew_tells_nothing_of_before() -> None:
    hall: Hall[Desk] = Hall(start=0, capacity=10, rows=2)
    desks = [Desk(), Desk()]
    for row, desk in zip(hall.rows, desks, strict=True):
        row.place(desk, frozenset(), frozenset({"centre"}))
    hall.take_in([event(1, "centre"), event(2, "centre")])
    tell(hall.rows[0])
    hall.restart(5)
    assert (hall.waiting, hall.seq) == (0, 5)
    hall.take_in([event(6, "centre")])
    for row in hall.rows:
        tell(row)
        assert [kept.seq for kept in row.missed(5, frozenset({"centre"}))] == [6]
    assert [desk.seqs for desk in desks] == [[1, 2, 6], [6]]


def test_an_event_is_complete_on_the_wire() -> None:
    presence = msgspec.structs.replace(
        event(2, "presence"), type="presence", number="", summary="", doc='{"staff":"a","state":"offline"}'
    )
    decoded = msgspec.json.decode(joined([Encoded(event(1, "centre")), Encoded(presence)]))
    assert decoded["type"] == "events"
    assert [sorted(e) for e in decoded["events"]] == [
        ["actor", "at", "number", "seq", "summary", "type"], ["actor", "at", "data", "seq", "type"],
    ]


@given(*[st.integers(0, 60)] * 5)
def test_a_returning_console_is_served_from_where_nothing_is_missing(
    last_seq: int, floor: int, live: int, ahead: int, missed: int
) -> None:
    floor, live = min(floor, live), max(floor, live)
    horizon = live + 1 + ahead
    plan = plan_resume(last_seq, floor=floor, live=live, horizon=horizon, missed=missed, limit=20)
    match plan:
        case Resume.MEMORY:
            assert floor <= last_seq <= live
        case Resume.DATABASE:
            assert last_seq < floor
            assert missed <= 20
        case Resume.AHEAD:
            assert live < last_seq < horizon
        case Resume.TOO_OLD:
            assert last_seq >= horizon or (last_seq < floor and missed > 20)
