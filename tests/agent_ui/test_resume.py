"""Coming back without loss: under load, with cuts at random, over several gateways, from memory and from the log."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Sequence

import asyncpg
import msgspec
import pytest
from websockets.asyncio.client import connect

from agent_ui import protocol as p
from agent_ui.limits import Limits
from agent_ui.view import ConsoleView
from hotline import commands as c
from hotline.errors import HotlineError
from hotline.events import Actor, Role
from hotline.summary import Summary
from tests.agent_ui.stack import Desk, Stack
from tests.agent_ui.test_view import COMMANDS

TOPICS = ("centre", "emergency", "alarms", "tickets")
_INSERT = """
INSERT INTO ticket_events (position, ticket_id, version, at, type, actor, doc, summary, topics)
SELECT event_position(n - 1), $1, $2 + n, now(), 'urge', 'system:', '{}',
       jsonb_build_object('number', 'DG1', 'pad', $4::text)::text, string_to_array(topics, ',')
FROM unnest($3::text[]) WITH ORDINALITY AS t (topics, n) RETURNING position, topics"""


class Writer:
    """Writes events in transactions that overlap, commit late, or are rolled back."""

    def __init__(self, connection: asyncpg.Connection, name: int, *, pad: int = 10) -> None:
        self._connection, self._name, self._pad, self._version = connection, name, "x" * pad, 0
        self.written: list[tuple[int, frozenset[str]]] = []

    async def write(self, topics: Sequence[str], *, pause: float = 0.0, commit: bool = True) -> None:
        transaction = self._connection.transaction()
        await transaction.start()
        rows = await self._connection.fetch(_INSERT, self._name, self._version, list(topics), self._pad)
        self._version += len(topics)
        await asyncio.sleep(pause)
        if commit:
            await transaction.commit()
            self.written += [(row["position"], frozenset(row["topics"])) for row in rows]
        else:
            await transaction.rollback()

    async def load(self, rng: random.Random, rounds: int) -> None:
        for _ in range(rounds):
            topics = [",".join(rng.sample(TOPICS, rng.randint(1, 2))) for _ in range(rng.randint(1, 12))]
            await self.write(topics, pause=rng.choice([0, 0, 0.005, 0.03]), commit=rng.random() < 0.85)


def of(written: Sequence[tuple[int, frozenset[str]]], topics: Sequence[str]) -> list[int]:
    return sorted(position for position, named in written if named & set(topics))


async def follow_through_cuts(
    stack: Stack, name: str, topics: Sequence[str], *, start: int, rng: random.Random, over: asyncio.Event,
    expected: list[int],
) -> list[int]:
    """A console that loses its connection again and again, comes back at any gateway, and keeps what it got."""
    got: list[int] = []
    last_seq = start
    while True:
        port = rng.choice(list(stack.ports))
        desk = await stack.desk(name, last_seq=last_seq, port=port)
        await desk.send(p.Follow(topics=tuple(topics)))
        if over.is_set():
            await desk.until(lambda _, desk=desk, left=len(expected) - len(got): len(desk.events) >= left)
            await desk.settle()
            return got + [event.seq for event in desk.events]
        await asyncio.sleep(rng.uniform(0.0, 0.15))
        await desk.cut()
        got += [event.seq for event in desk.events]
        last_seq = desk.last_seq
        assert not any(isinstance(frame, p.TooOld | p.Error) for frame in desk.frames)


@pytest.mark.parametrize(("seed", "ring"), [(1, 10_000), (2, 40), (3, 0)])
async def test_nothing_is_lost_or_repeated_under_load(stack: Stack, seed: int, ring: int) -> None:
    """Two gateways, four writers, six consoles cut at random; with rings that hold all, some and none of the gaps."""
    rng, over = random.Random(seed), asyncio.Event()
    connections = [await asyncpg.connect(stack.dsn) for _ in range(4)]
    writers = [Writer(connection, n) for n, connection in enumerate(connections)]
    start = await stack.store.horizon() - 1
    expected: list[list[int]] = [[] for _ in range(6)]
    wanted = [tuple(rng.sample(TOPICS, rng.randint(1, 3))) for _ in expected]
    limits = Limits(ring=ring, page=20)
    async with stack.gateway(limits=limits), stack.gateway(limits=limits):
        consoles = [
            asyncio.create_task(follow_through_cuts(
                stack, "li", topics, start=start, rng=random.Random(seed * 10 + n), over=over, expected=expected[n]
            ))
            for n, topics in enumerate(wanted)
        ]
        await asyncio.gather(*(writer.load(random.Random(seed + n), 40) for n, writer in enumerate(writers)))
        written = [pair for writer in writers for pair in writer.written]
        for mine, topics in zip(expected, wanted, strict=True):
            mine += of(written, topics)
        over.set()
        assert await asyncio.gather(*consoles) == expected
    for connection in connections:
        connection.terminate()


async def written(stack: Stack, *topics: str, pad: int = 10) -> list[int]:
    connection = await asyncpg.connect(stack.dsn)
    writer = Writer(connection, random.randrange(10**9), pad=pad)
    await writer.write(topics)
    await connection.close()
    return [position for position, _ in writer.written]


async def test_with_nobody_there_the_reader_rests_and_whoever_comes_misses_nothing(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        before = gateway.seq
        unseen = await written(stack, "centre", "centre")
        await asyncio.sleep(0.2)
        assert gateway.seq == before < unseen[0]
        newcomer = await stack.desk("li", "centre")
        assert newcomer.last_seq >= unseen[-1]  # what a snapshot holds
        returning = await stack.desk("li", "centre", last_seq=before)
        await returning.until(lambda _: len(returning.events) >= len(unseen))
        assert [event.seq for event in returning.events] == unseen
        now = await written(stack, "centre")
        for desk in (newcomer, returning):
            await desk.until(lambda _, desk=desk: desk.last_seq >= now[0])
        assert [event.seq for event in newcomer.events] == now
        await newcomer.leave()
        await returning.leave()
        async with asyncio.timeout(20):
            while gateway.consoles:
                await asyncio.sleep(0.01)
        await written(stack, "centre")
        await asyncio.sleep(0.2)
        rested = gateway.seq
        await written(stack, "centre")
        await asyncio.sleep(0.2)
        assert gateway.seq == rested


async def test_too_much_missed_is_told_and_the_rest_is_live(stack: Stack) -> None:
    async with stack.gateway(limits=Limits(replay=10, ring=0)):
        start = await stack.store.horizon() - 1
        few = await written(stack, *["centre"] * 10)
        watcher = await stack.desk("li", "centre", last_seq=start)
        await watcher.until(lambda _: len(watcher.events) >= len(few))
        assert [event.seq for event in watcher.events] == few
        last = await written(stack, "centre")
        await watcher.until(lambda _: watcher.last_seq >= last[0])
        late = await stack.desk("li", last_seq=start)
        await late.follow("centre")
        assert (await late.of(p.TooOld)).seq >= last[0]
        now = await written(stack, "centre")
        await late.until(lambda _: late.events)
        assert [event.seq for event in late.events] == now


async def test_a_number_of_another_log_is_too_old(stack: Stack) -> None:
    """After a restore the console's number may lie beyond the log; waiting for it would be waiting for ever."""
    async with stack.gateway():
        desk = await stack.desk("li", last_seq=2**53 - 1)
        await desk.follow("centre")
        await desk.of(p.TooOld)
        now = await written(stack, "centre")
        await desk.until(lambda _: desk.events)
        assert [event.seq for event in desk.events] == now


async def test_pings_do_not_skip_what_is_still_to_be_resumed(stack: Stack) -> None:
    """Until the topics are followed again, `pong` must not tell a later number than the console's own."""
    async with stack.gateway():
        watcher = await stack.desk("li", "centre")
        start = watcher.last_seq
        missed = await written(stack, "centre", "centre")
        await watcher.until(lambda _: len(watcher.events) == 2)
        desk = await stack.desk("li", last_seq=start)
        await desk.settle()
        assert desk.last_seq == start
        await desk.cut()
        desk = await stack.desk("li", "centre", last_seq=desk.last_seq)
        assert [event.seq for event in desk.events] == missed


async def test_pongs_carry_a_quiet_console_along(stack: Stack) -> None:
    """A console whose topics are quiet does not become too old: its number moves with what others get."""
    async with stack.gateway(limits=Limits(replay=5, ring=0)):
        quiet, busy = await stack.desk("li", "alarms"), await stack.desk("li", "centre")
        await written(stack, *["centre"] * 30)
        await busy.until(lambda _: len(busy.events) == 30)
        await quiet.settle()
        assert quiet.last_seq == busy.last_seq
        await quiet.cut()
        missed = await written(stack, "alarms")
        back = await stack.desk("li", "alarms", last_seq=quiet.last_seq)
        await back.until(lambda _: back.events)
        assert [event.seq for event in back.events] == missed


async def stalled_desk(stack: Stack) -> Desk:
    """A console that has logged in and follows, and then takes nothing from the network any more."""
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plug.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plug, ("127.0.0.1", stack.port))
    desk = Desk(await connect(f"ws://127.0.0.1:{stack.port}/", sock=plug, compression=None, max_size=1 << 26))
    await desk.send(p.Hello(ticket=await stack.ticket("li")))
    await desk.of(p.Welcome)
    await desk.follow("centre")
    desk.socket.transport.pause_reading()
    return desk


async def test_a_stalled_console_is_dropped_and_never_delays_another(stack: Stack) -> None:
    limits = Limits(max_buffer=256 * 1024, grace=0.3)
    async with stack.gateway(limits=limits) as gateway:
        others = [await stack.desk("li", "centre") for _ in range(3)]
        stalled = await stalled_desk(stack)
        everything: list[int] = []
        rounds = 0
        while gateway.consoles > len(others):
            everything += await written(stack, *["centre"] * 50, pad=4000)
            for desk in others:  # each gets all of it although the stalled one takes nothing
                await desk.until(lambda _, desk=desk, count=len(everything): len(desk.events) == count)
            rounds += 1
            assert rounds < 400, "the stalled console is never dropped"
        assert all([event.seq for event in desk.events] == everything for desk in others)
        stalled.socket.transport.resume_reading()
        await stalled.closed.wait()
        got = [event.seq for event in stalled.events]
        assert got == everything[: len(got)]
        back = await stack.desk("li", "centre", last_seq=stalled.last_seq)
        await back.until(lambda _: len(got) + len(back.events) >= len(everything))
        assert got + [event.seq for event in back.events] == everything


async def test_a_console_slow_but_alive_is_told_to_come_back(stack: Stack) -> None:
    limits = Limits(max_buffer=64 * 1024, grace=30.0)
    async with stack.gateway(limits=limits):
        watcher, slow = await stack.desk("li", "centre"), await stalled_desk(stack)
        expected = 0
        while not any(isinstance(frame, p.Bye) for frame in slow.frames) and expected < 20_000:
            await written(stack, *["centre"] * 100, pad=4000)
            expected += 100
            await watcher.until(lambda _, expected=expected: len(watcher.events) == expected)
            if expected % 2000 == 0:
                slow.socket.transport.resume_reading()
                await asyncio.sleep(0.1)
                slow.socket.transport.pause_reading()
        assert (await slow.of(p.Bye)).reason == "slow"
        slow.socket.transport.resume_reading()
        await slow.closed.wait()
        assert slow.socket.close_code == 4008


# ── snapshot + events = fresh snapshot, against the real database ────────────────────────────────
_ACTOR = Actor(Role.SYSTEM)


async def _busy(stack: Stack, numbers: list[str], rng: random.Random, rounds: int) -> None:
    for _ in range(rounds):
        if not numbers or rng.random() < 0.15:
            numbers.append((await stack.appeal(rng.choice(["体育路路灯不亮", "公园里有怪味"]))).number)
            continue
        with contextlib.suppress(HotlineError):  # the ticket's state does not allow it: nothing happened
            await stack.service.act(rng.choice(numbers), rng.choice(COMMANDS), actor=_ACTOR)


async def _refresh(desk: Desk, views: dict[str, ConsoleView]) -> None:
    for topic, view in views.items():
        cursor, first = "", True
        while first or cursor:
            page = await desk.ask(p.TakeSnapshot, topic=topic, limit=4, cursor=cursor)
            rows = [msgspec.json.decode(row, type=Summary) for row in page.rows]
            view.snapshot(rows, seq=page.seq, first=first)
            cursor, first = page.next, False


def _fold(desk: Desk, views: dict[str, ConsoleView], done: int) -> int:
    for event in desk.events[done:]:
        row = msgspec.json.decode(event.summary, type=Summary)
        for view in views.values():
            view.event(row, seq=event.seq)
    return len(desk.events)


@pytest.mark.parametrize("seed", range(3))
async def test_snapshot_and_events_make_a_fresh_snapshot(stack: Stack, seed: int) -> None:
    """A supervisor's console through random work by several hands, a cut in the middle, against the database's word."""
    rng = random.Random(seed)
    topics = ("tickets", "centre", "emergency", "alarms", "department:城管局", "department:水务局", "agent:a")
    views = {topic: ConsoleView(topic) for topic in topics}
    numbers: list[str] = []
    async with stack.gateway():
        await _busy(stack, numbers, rng, 10)
        desk = await stack.desk("li", *topics)
        work = [asyncio.create_task(_busy(stack, numbers, random.Random(seed + n), 60)) for n in range(3)]
        await _refresh(desk, views)
        done = _fold(desk, views, 0)
        await asyncio.sleep(0.05)
        await desk.cut()
        _fold(desk, views, done)
        desk = await stack.desk("li", *topics, last_seq=desk.last_seq)
        await asyncio.gather(*work)
        end = await stack.service.act(numbers[0], c.AddNote(text="完"), actor=_ACTOR)
        last = await stack.pool.fetchval("SELECT max(position) FROM ticket_events")
        await desk.until(lambda _: desk.last_seq >= last)
        _fold(desk, views, 0)
        fresh = {topic: ConsoleView(topic) for topic in topics}
        await _refresh(desk, fresh)
        assert {topic: view.rows for topic, view in views.items()} == {topic: v.rows for topic, v in fresh.items()}
        assert len(fresh["tickets"].rows) == len(numbers)
        assert fresh["tickets"].rows[numbers[0]].version == end.version
