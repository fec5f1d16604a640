"""The event reader loses nothing, repeats nothing and keeps the order, whatever order writers commit in."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator

import asyncpg
import pytest

from hotline.errors import Unavailable
from hotline.feed import FeedEvent
from hotline.store.tail import _SQL, Tail

INSERT = """
INSERT INTO ticket_events (position, ticket_id, version, at, type, actor, doc, summary, topics)
SELECT event_position(n - 1), $1, $3 + n, now(), 'urge', 'system:', '{"n": 1}', '{"number": "DG1"}', '{tickets}'
FROM generate_series(1, $2::int) AS n RETURNING position"""
PRESENCE = """
INSERT INTO presence_events (position, at, doc) VALUES (event_position(0), now(), '{"actor": "agent:a"}')
RETURNING position"""


_versions = itertools.count(0, 1000)


async def write(connection: asyncpg.Connection, ticket: int, count: int = 1) -> list[int]:
    return [row["position"] for row in await connection.fetch(INSERT, ticket, count, next(_versions))]


async def read(tail: Tail, count: int) -> list[FeedEvent]:
    """Read until `count` events have come; a lost event ends in the time-out."""
    found: list[FeedEvent] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found += await tail.next()
    return found


async def nothing_comes(tail: Tail) -> bool:
    try:
        page = await asyncio.wait_for(tail.next(), 0.2)
    except TimeoutError:
        return True
    return not page


@pytest.fixture
async def writers(database: str) -> AsyncIterator[list[asyncpg.Connection]]:
    connections = [await asyncpg.connect(database) for _ in range(5)]
    yield connections
    for connection in connections:
        connection.terminate()


async def test_the_lower_position_that_commits_last_is_not_lost(
    database: str, writers: list[asyncpg.Connection]
) -> None:
    """The order in which a cursor over a plain sequence loses events: the first writer commits after the second."""
    slow, fast = writers[:2]
    async with Tail(database) as tail:
        transaction = slow.transaction()
        await transaction.start()
        first = await write(slow, 1)
        second = await write(fast, 2)
        assert first[0] < second[0]
        assert await nothing_comes(tail)
        await transaction.commit()
        assert [event.seq for event in await read(tail, 2)] == first + second


async def test_a_writer_that_commits_between_snapshot_and_horizon(
    database: str, writers: list[asyncpg.Connection]
) -> None:
    """One statement must see rows and horizon by one snapshot: a horizon seen later would pass over a row.

    A reading statement is stopped half-way by a lock, a writer below a committed one commits meanwhile.
    """
    slow, fast, reader, locker = writers[:4]
    open_write, lock = slow.transaction(), locker.transaction()
    await open_write.start()
    low = await write(slow, 1)
    high = await write(fast, 2)
    await lock.start()
    await locker.execute("SELECT pg_advisory_xact_lock(7)")
    # The advisory lock is waited for inside the statement, after its snapshot was taken.
    reading = asyncio.create_task(reader.fetch(
        "SELECT position FROM (SELECT pg_advisory_xact_lock(7)) AS gate, ticket_events WHERE position < event_horizon()"
    ))
    await _waits_for_lock(fast, reader)
    await open_write.commit()
    await lock.commit()
    seen = {row["position"] for row in await reading}
    assert high[0] not in seen or low[0] in seen


async def _waits_for_lock(observer: asyncpg.Connection, waiting: asyncpg.Connection) -> None:
    async with asyncio.timeout(10):
        while await observer.fetchval(
            "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $1", waiting.get_server_pid()
        ) != "Lock":
            await asyncio.sleep(0.01)


async def test_a_rolled_back_writer_leaves_no_trace_and_no_stop(
    database: str, writers: list[asyncpg.Connection]
) -> None:
    async with Tail(database) as tail:
        transaction = writers[0].transaction()
        await transaction.start()
        await write(writers[0], 1, 3)
        kept = await write(writers[1], 2, 2)
        assert await nothing_comes(tail)
        await transaction.rollback()
        assert [event.seq for event in await read(tail, 2)] == kept
        assert await nothing_comes(tail)


async def test_a_writer_that_dies_lets_the_others_go_on(database: str, writers: list[asyncpg.Connection]) -> None:
    async with Tail(database) as tail:
        await writers[0].execute("BEGIN")
        await write(writers[0], 1)
        kept = await write(writers[1], 2)
        writers[0].terminate()
        assert [event.seq for event in await read(tail, 1)] == kept


async def _random_writer(connection: asyncpg.Connection, rng: random.Random, name: int, rounds: int) -> list[int]:
    committed: list[int] = []
    for _ in range(rounds):
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT pg_current_xact_id()")
        await asyncio.sleep(rng.choice([0, 0, 0.002, 0.01, 0.03]))
        if rng.random() < 0.2:
            positions = [row["position"] for row in await connection.fetch(PRESENCE)]
        else:
            positions = await write(connection, name, rng.randint(1, 40))
        await asyncio.sleep(rng.choice([0, 0, 0.002, 0.02]))
        if rng.random() < 0.25:
            await transaction.rollback()
        else:
            await transaction.commit()
            committed += positions
            await connection.execute("NOTIFY hotline_events")
    return committed


async def _read_until(tail: Tail, done: asyncio.Event, seen: list[int]) -> None:
    while not (done.is_set() and await nothing_comes_more(tail, seen)):
        if not done.is_set():
            await nothing_comes_more(tail, seen)


async def nothing_comes_more(tail: Tail, seen: list[int]) -> bool:
    """Take what comes within a moment into `seen`; True if that was nothing."""
    reading = asyncio.create_task(tail.next())
    await asyncio.wait([reading], timeout=0.3)
    if reading.done():
        seen += [event.seq for event in reading.result()]
        return False
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return True


@pytest.mark.parametrize("seed", range(6))
async def test_random_interleavings_are_read_once_and_in_order(
    database: str, writers: list[asyncpg.Connection], seed: int
) -> None:
    """Several readers with different page sizes, five writers, commits and roll-backs in random order."""
    readings: list[list[int]] = [[], [], []]
    done = asyncio.Event()
    tails = [Tail(database, after=0, limit=limit) for limit in (1000, 50, 7)]
    followers = [asyncio.create_task(_read_until(t, done, s)) for t, s in zip(tails, readings, strict=True)]
    written = await asyncio.gather(*(
        _random_writer(connection, random.Random(seed * 100 + n), n, 12) for n, connection in enumerate(writers)
    ))
    done.set()
    await asyncio.gather(*followers)
    expected = sorted(position for positions in written for position in positions)
    assert readings == [expected, expected, expected]
    for tail in tails:
        await tail.__aexit__(None, None, None)


async def test_what_is_skipped_is_not_read_even_while_the_reader_waits(
    database: str, writers: list[asyncpg.Connection]
) -> None:
    async with Tail(database) as tail:
        await write(writers[0], 1, 3)
        tail.skip_to((await writers[0].fetchval("SELECT event_horizon()")) - 1)
        waiting = asyncio.create_task(tail.next())
        await asyncio.sleep(0.05)
        blocked = writers[1].transaction()
        await blocked.start()
        skipped = await write(writers[1], 2)
        tail.skip_to(skipped[-1])
        await blocked.commit()
        wanted = await write(writers[0], 3)
        assert [event.seq for event in await asyncio.wait_for(waiting, 10)] == wanted


async def test_a_resting_reader_reads_nothing_and_watches_the_log(
    database: str, writers: list[asyncpg.Connection]
) -> None:
    async with Tail(database, health_interval=0.02) as tail:
        start, until = tail.status.cursor, asyncio.Event()
        resting = asyncio.create_task(tail.rest(until))
        hidden = writers[1].transaction()
        await hidden.start()
        await write(writers[1], 1)
        await write(writers[0], 2)
        async with asyncio.timeout(10):
            while not tail.status.held_back:
                await asyncio.sleep(0.02)
        assert tail.status.cursor == start
        await hidden.commit()
        until.set()
        await asyncio.wait_for(resting, 10)
        assert len(await read(tail, 2)) == 2


async def test_a_new_reader_goes_on_where_the_old_one_stopped(
    database: str, writers: list[asyncpg.Connection]
) -> None:
    positions = await write(writers[0], 1, 30)
    async with Tail(database, after=0, limit=12) as tail:
        first = await tail.next()
    async with Tail(database, after=first[-1].seq) as tail:
        rest = await read(tail, 18)
    assert [event.seq for event in first + rest] == positions


async def test_a_lost_connection_loses_no_event(database: str, writers: list[asyncpg.Connection]) -> None:
    async with Tail(database) as tail:
        reading = asyncio.create_task(read(tail, 3))
        first = await write(writers[0], 1)
        await writers[0].execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hotline-tail'"
            " AND datname = current_database()"
        )
        later = await write(writers[0], 1, 2)
        assert [event.seq for event in await reading] == first + later
        assert tail.status.connected


async def test_a_database_that_is_away_for_a_while_loses_no_event(
    postgres: str, database: str, writers: list[asyncpg.Connection]
) -> None:
    """No connection is let in for some time; the reader tries again, ever more slowly, and goes on where it stopped."""
    name = await writers[0].fetchval("SELECT current_database()")
    admin = await asyncpg.connect(postgres)
    async with Tail(database, max_backoff=0.2) as tail:
        reading = asyncio.create_task(read(tail, 4))
        positions = await write(writers[0], 1)
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE application_name = 'hotline-tail' AND datname = '{name}'"
        )
        positions += await write(writers[0], 1, 2)
        async with asyncio.timeout(10):
            while tail.status.connected:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        positions += await write(writers[0], 1)
        assert [event.seq for event in await reading] == positions
    await admin.close()


async def test_a_reader_says_at_once_that_there_is_no_database(database: str) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        async with Tail(database.replace("/hotline_test", "/no_such_database")):
            pass


async def test_an_idle_reader_holds_nothing(database: str, writers: list[asyncpg.Connection]) -> None:
    async with Tail(database) as tail:
        assert await nothing_comes(tail)
        rows = await writers[0].fetch(
            "SELECT backend_xmin, backend_xid, state FROM pg_stat_activity"
            " WHERE application_name = 'hotline-tail' AND datname = current_database()"
        )
        assert [(row["backend_xmin"], row["backend_xid"], row["state"]) for row in rows] == [(None, None, "idle")]


async def test_lag_is_the_age_of_what_an_open_transaction_hides(
    database: str, writers: list[asyncpg.Connection]
) -> None:
    async with Tail(database, health_interval=0.0) as tail:
        transaction = writers[0].transaction()
        await transaction.start()
        await write(writers[0], 1)
        await write(writers[1], 2)
        await writers[1].execute("SELECT pg_sleep(0.1)")
        async with asyncio.timeout(20):
            while tail.status.held_back < 0.1:
                assert await nothing_comes(tail)
        holder = await writers[1].fetchrow(_SQL["holder"])
        assert holder["pid"] == writers[0].get_server_pid()
        await transaction.commit()
        await read(tail, 2)
        async with asyncio.timeout(20):
            while tail.status.held_back:
                assert await nothing_comes(tail)


async def test_documents_come_only_when_asked_for(database: str, writers: list[asyncpg.Connection]) -> None:
    await write(writers[0], 1)
    await writers[0].fetch(PRESENCE)
    for docs, expected in ((False, ["", '{"actor": "agent:a"}']), (True, ['{"n": 1}', '{"actor": "agent:a"}'])):
        async with Tail(database, after=0, docs=docs) as tail:
            events = await read(tail, 2)
        assert [event.doc for event in events] == expected
        assert [(e.type, e.number, e.topics) for e in events] == [
            ("urge", "DG1", ("tickets",)), ("presence", "", ("presence",)),
        ]


async def test_a_database_that_went_back_is_reported(database: str, writers: list[asyncpg.Connection]) -> None:
    """After a restore into a fresh cluster the numbers would start anew: seen, and mended by raising the base."""
    horizon = await writers[0].fetchval("SELECT event_horizon()")
    async with Tail(database, after=horizon + 10**9, health_interval=0.0) as tail:
        await write(writers[0], 1)
        assert await nothing_comes(tail)
        assert tail.status.rewound
        await writers[0].execute("UPDATE event_clock SET base = 10000000")
        later = await write(writers[0], 2)
        assert [event.seq for event in await read(tail, 1)] == later
        assert await nothing_comes(tail)
        assert not tail.status.rewound


async def test_positions_fit_what_javascript_counts_exactly(writers: list[asyncpg.Connection]) -> None:
    assert 0 < (await write(writers[0], 1))[0] < 2**53


async def test_polling_uses_the_primary_keys(writers: list[asyncpg.Connection]) -> None:
    await writers[0].execute("SET enable_seqscan = off")
    sql = _SQL["page"].replace("$1", "0").replace("$2", "500").replace("$3", "false")
    plan = "\n".join(row[0] for row in await writers[0].fetch("EXPLAIN " + sql))
    for index in ("ticket_events_pkey", "presence_events_pkey"):
        assert index in plan
        assert "event_horizon()" in plan.split(index)[1].split("Cond")[1].split("\n")[0]
