"""Who may listen to recordings; every attempt is in the audit. No PBX is needed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from agent_ui.recordings_api import Listening
from agent_ui.staff import Staff, StaffRole
from hotline.errors import Forbidden, InvalidInput, NotFound
from hotline.store.audit import AuditStore
from hotline.store.call_cards import CallCards
from hotline.store.database import open_pool, statements
from hotline.store.recordings import RecordingStore

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SQL = statements("recordings")


def person(name: str, role: StaffRole = StaffRole.AGENT) -> Staff:
    return Staff(name=name, display_name=name, role=role)


async def call(pool: asyncpg.Pool, id_: str) -> None:
    await pool.execute(
        "INSERT INTO calls (id, direction, caller, agent, started_at, asked_at, answered_at, ended_at, recording) "
        "VALUES ($1, 'in', '+8613800138000', 'wang', $2, $2, $2, $2, $1)", id_, NOW,
    )


async def test_listening_needs_a_reason_and_the_right_and_is_audited(database: str, tmp_path: Path) -> None:
    async with await open_pool(database, size=3) as pool:
        tapes = RecordingStore(pool, files=tmp_path, days=30)
        listening = Listening(
            tapes=tapes, call=CallCards(pool).call, note=AuditStore(pool).note, clock=lambda: NOW
        )
        await call(pool, "c1")
        assert [wanted.call for wanted in await tapes.wanted(NOW.replace(hour=10))] == ["c1"]
        sha256 = await tapes.keep("c1", b"RIFF....", now=NOW)
        path = await listening.listen(person("wang"), "c1", "核对地址,回电13800138000")
        assert (path, path.read_bytes()) == (tapes.path_of(sha256), b"RIFF....")
        await listening.listen(person("boss", StaffRole.SUPERVISOR), "c1", "质检")
        with pytest.raises(Forbidden):
            await listening.listen(person("li"), "c1", "好奇")
        with pytest.raises(InvalidInput, match="reason"):
            await listening.listen(person("wang"), "c1", "  ")
        with pytest.raises(NotFound):
            await listening.listen(person("wang"), "c2", "x")
        kept = await pool.fetch("SELECT actor, act, subject, result, detail FROM audit_records ORDER BY id")
        assert [(row["actor"], row["act"], row["result"]) for row in kept] == [
            ("agent:wang", "recording.listen", "ok"), ("supervisor:boss", "recording.listen", "ok"),
            ("agent:li", "recording.listen", "forbidden"),
        ]
        assert "138****8000" in kept[0]["detail"]
        path.write_bytes(b"other")
        assert [found async for found in tapes.damaged()] == [("c1", "changed")]


async def test_two_calls_with_one_file_are_deleted_each_in_its_time(database: str, tmp_path: Path) -> None:
    async with await open_pool(database, size=3) as pool:
        tapes = RecordingStore(pool, files=tmp_path, days=1)
        for id_ in ("c1", "c2"):
            await call(pool, id_)
            sha256 = await tapes.keep(id_, b"same", now=NOW)
        await tapes.hold("c2", held=True)
        assert await tapes.purge(NOW.replace(month=12)) == 1
        assert tapes.path_of(sha256).exists()
        with pytest.raises(NotFound, match="time"):
            await tapes.of("c1")
        await tapes.hold("c2", held=False)
        assert await tapes.purge(NOW.replace(month=12)) == 1
        assert not tapes.path_of(sha256).exists()


async def test_what_cannot_be_deleted_now_is_deleted_later_and_keeps_nothing_else_back(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that tells of a deletion that was not carried out, for a kill or a disk, would leave its file for ever."""
    later = NOW.replace(month=12)
    async with await open_pool(database, size=3) as pool:
        tapes = RecordingStore(pool, files=tmp_path, days=1)
        files = []
        for id_ in ("c1", "c2"):
            await call(pool, id_)
            files.append(tapes.path_of(await tapes.keep(id_, id_.encode(), now=NOW)))
        unlink = Path.unlink

        def failing(path: Path, *, missing_ok: bool = False) -> None:
            if path == files[0]:
                raise OSError("the disk is away")
            unlink(path, missing_ok=missing_ok)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "unlink", failing)
            with pytest.raises(OSError, match="away"):
                await tapes.purge(later)
        assert [file.exists() for file in files] == [True, False]
        assert await tapes.purge(later) == 1
        assert [file.exists() for file in files] == [False, False]


async def test_the_last_two_of_one_file_deleted_at_once_take_it_along(database: str, tmp_path: Path) -> None:
    async with await open_pool(database, size=3) as pool:
        tapes = RecordingStore(pool, files=tmp_path, days=1)
        for id_, at in (("c1", NOW), ("c2", NOW.replace(month=12))):
            await call(pool, id_)
            sha256 = await tapes.keep(id_, b"same", now=at)
        async with pool.acquire() as connection, connection.transaction():  # as another process does it
            await connection.execute(SQL["one_at_a_time"], sha256)
            assert await connection.fetchval(SQL["delete"], "c2", NOW) is None, "the other one needs it"
            purging = asyncio.create_task(tapes.purge(NOW.replace(day=25)))
            while not purging.done() and not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0)
        assert await purging == 1
        assert not tapes.path_of(sha256).exists()
