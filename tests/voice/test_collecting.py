"""Recordings come here one after the other: what breaks is told and does not end it. No PBX is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from channels.ari_wire import Dialled
from hotline.errors import Unavailable
from hotline.recordings import GIVEN_UP, Collector, Withheld
from hotline.roles.recordings import fetch
from hotline.store.database import open_pool
from hotline.store.recordings import RecordingStore
from tests.ports import free_port

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


class Tape:
    """A PBX with a recording for each call, but for those in `failing`; it deletes none of those in `clinging`."""

    def __init__(self, **failing: Exception) -> None:
        self.failing, self.asked, self.dropped = failing, list[str](), list[str]()
        self.clinging: dict[str, Exception] = {}

    async def recording(self, name: str) -> bytes | None:
        self.asked.append(name)
        if name in self.failing:
            raise self.failing[name]
        return name.encode()

    async def drop_recording(self, name: str) -> None:
        if name in self.clinging:
            raise self.clinging[name]
        self.dropped.append(name)


async def calls(pool: asyncpg.Pool, *ids: str) -> None:
    """Let calls have ended one minute after the other."""
    for n, id_ in enumerate(ids):
        await pool.execute(
            "INSERT INTO calls (id, direction, agent, started_at, answered_at, ended_at, recording) "
            "VALUES ($1, 'in', 'wang', $2, $2, $2, $1)", id_, NOW + n * timedelta(minutes=1),
        )


async def left(pool: asyncpg.Pool) -> list[str]:
    """Return the calls whose recording is still wanted."""
    return [row["id"] for row in await pool.fetch("SELECT id FROM calls WHERE NOT fetched ORDER BY ended_at")]


async def test_a_recording_that_the_pbx_withholds_keeps_no_other_waiting(database: str, tmp_path: Path) -> None:
    async with await open_pool(database, size=3) as pool:
        await calls(pool, "c1", "c2", "c3")
        tape, kept = Tape(c1=Withheld("it answers 403")), RecordingStore(pool, files=tmp_path, days=1)
        await Collector(tape, kept, clock=lambda: NOW + timedelta(hours=1)).collect()
        assert (await left(pool), tape.dropped) == (["c1"], ["c2", "c3"])


async def test_of_a_pbx_that_is_away_one_recording_is_asked_for_and_each_time_another_one(
    database: str, tmp_path: Path
) -> None:
    async with await open_pool(database, size=3) as pool:
        await calls(pool, "c1", "c2", "c3")
        away = Unavailable("no answer in time")
        tape, kept = Tape(c1=away, c2=away, c3=away), RecordingStore(pool, files=tmp_path, days=1)
        collector = Collector(tape, kept, clock=lambda: NOW + timedelta(hours=1))
        for _ in range(4):
            await collector.collect()
        assert (tape.asked, await left(pool)) == (["c1", "c2", "c3", "c1"], ["c1", "c2", "c3"])
        tape.failing = {"c2": away}  # it is there again, but one file never comes whole
        for _ in range(2):
            await collector.collect()
        assert (await left(pool), tape.dropped) == (["c2"], ["c3", "c1"])


async def test_recordings_that_cannot_be_had_keep_none_waiting_however_many_they_are(
    database: str, tmp_path: Path
) -> None:
    async with await open_pool(database, size=3) as pool:
        older = [f"c{n}" for n in range(100)]
        await calls(pool, *older, "newer")
        tape = Tape(**dict.fromkeys(older, Withheld("it answers 403")))
        for _ in range(2):  # another process after the first look: what was in vain is known to it
            kept = RecordingStore(pool, files=tmp_path, days=1)
            await Collector(tape, kept, clock=lambda: NOW + timedelta(hours=3)).collect()
        assert (tape.dropped, len(tape.asked)) == (["newer"], 200)


@pytest.mark.parametrize("fault", [Unavailable("no answer in time"), Withheld("it answers 500")], ids=repr)
async def test_a_file_that_was_kept_and_not_deleted_at_the_pbx_is_deleted_later(
    database: str, tmp_path: Path, fault: Exception
) -> None:
    async with await open_pool(database, size=3) as pool:
        await calls(pool, "c1", "c2")
        tape, kept = Tape(), RecordingStore(pool, files=tmp_path, days=1)
        tape.clinging = {"c1": fault}
        for hours in (1, 2):
            await Collector(tape, kept, clock=lambda hours=hours: NOW + timedelta(hours=hours)).collect()
        assert (await left(pool), tape.dropped) == ([], ["c2"])
        tape.clinging = {}
        for hours in (3, 4):
            await Collector(tape, kept, clock=lambda hours=hours: NOW + timedelta(hours=hours)).collect()
        assert (tape.asked, tape.dropped) == (["c1", "c2"], ["c2", "c1"]), "fetched once, deleted once"


async def test_what_is_asked_for_in_vain_is_asked_for_more_and_more_rarely(database: str, tmp_path: Path) -> None:
    async with await open_pool(database, size=3) as pool:
        await calls(pool, "c1")
        tape, kept = Tape(c1=Withheld("it answers 403")), RecordingStore(pool, files=tmp_path, days=1)
        for second in range(2, 120):
            await Collector(tape, kept, clock=lambda second=second: NOW + timedelta(seconds=second)).collect()
        assert len(tape.asked) == 11


async def test_while_the_database_is_away_no_recording_is_transferred_for_nothing(
    database: str, tmp_path: Path
) -> None:
    async with await open_pool(database, size=3) as pool:
        await calls(pool, "c1", "c2", "c3")
        tape = Tape()
        await Collector(tape, Unwritten(pool, files=tmp_path, days=1), clock=lambda: NOW + timedelta(hours=1)).collect()
        assert (tape.asked, tape.dropped) == (["c1"], [])


async def test_what_is_withheld_is_given_up_after_a_day_but_not_what_is_only_away(
    database: str, tmp_path: Path
) -> None:
    async with await open_pool(database, size=3) as pool:
        await calls(pool, "c1", "c2")
        kept = RecordingStore(pool, files=tmp_path, days=1)
        tape = Tape(c1=Withheld("it answers 500"), c2=Unavailable("no answer in time"))
        await Collector(tape, kept, clock=lambda: NOW + GIVEN_UP).collect()
        assert await left(pool) == ["c1", "c2"]
        await Collector(tape, kept, clock=lambda: NOW + GIVEN_UP + timedelta(hours=1)).collect()
        assert (await left(pool), tape.dropped) == (["c2"], [])


class Unwritten(RecordingStore):
    """Recordings over a database that is away after it was asked what is wanted."""

    async def keep(self, call: str, data: bytes, *, now: datetime) -> str:
        raise Unavailable("the database does not answer")


class Breaking(RecordingStore):
    """Recordings on a disk that is full, under a database that is slow, and then well again."""

    def __init__(self, pool: asyncpg.Pool, files: Path, done: asyncio.Event) -> None:
        super().__init__(pool, files=files, days=1)
        self._errors: list[Exception] = [OSError(28, "No space left on device"), asyncpg.QueryCanceledError("slow")]
        self._done = done

    async def keep(self, call: str, data: bytes, *, now: datetime) -> str:
        if self._errors:
            raise self._errors.pop(0)
        sha256 = await super().keep(call, data, now=now)
        self._done.set()
        return sha256


async def test_a_full_disk_or_a_slow_database_does_not_end_the_collecting(database: str, tmp_path: Path) -> None:
    def failures() -> float:
        return REGISTRY.get_sample_value("hotline_role_failures_total", {"part": "recordings_fetch"}) or 0.0

    async with await open_pool(database, size=3) as pool:
        await calls(pool, "c1")
        done, before = asyncio.Event(), failures()
        collector = Collector(Tape(), Breaking(pool, tmp_path, done), clock=lambda: NOW + timedelta(hours=1))
        task = asyncio.create_task(fetch(collector))
        try:
            await asyncio.wait_for(done.wait(), 20)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert (await left(pool), failures() - before) == ([], 2)


def answering(status: int) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=b"RIFF")

    return answer


@pytest.mark.parametrize(("status", "expected"), [
    (200, b"RIFF"), (404, None), (403, Withheld), (500, Withheld), (401, Unavailable), (503, Unavailable),
])
async def test_what_the_pbx_answers_is_told_apart_from_its_silence(status: int, expected: object) -> None:
    app, port = web.Application(), free_port()
    app.router.add_get("/ari/recordings/stored/c1/file", answering(status))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with aiohttp.ClientSession() as session:
        wire = Dialled(session, base=f"http://127.0.0.1:{port}/ari", user="u", password="p")
        try:
            found: object = await wire.recording("c1")
        except Unavailable as error:
            found = type(error)
    await runner.cleanup()
    assert found == expected
