"""Migrations: applied once, in order, never changed; the embedded server is real."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from hotline.errors import InvalidInput
from hotline.store.migrate import Migration, available, migrate, outstanding, pending


async def test_a_second_run_applies_nothing(database: str) -> None:
    assert await pending(database) == []
    assert await migrate(database) == []


async def test_two_processes_migrating_at_once_both_succeed(postgres: str) -> None:
    admin = await asyncpg.connect(postgres)
    await admin.execute("CREATE DATABASE migrated_twice")
    dsn = postgres.replace("/postgres?", "/migrated_twice?", 1)
    assert [m.version for m in await pending(dsn)] == [m.version for m in available()]
    first, second = await asyncio.gather(migrate(dsn), migrate(dsn))
    assert sorted(len(done) for done in (first, second)) == [0, len(available())]
    await admin.execute("DROP DATABASE migrated_twice WITH (FORCE)")
    await admin.close()


def test_a_changed_file_is_refused() -> None:
    with pytest.raises(InvalidInput, match="0001 was changed"):
        outstanding([Migration(1, "a", "SELECT 1")], {1: "other"})


def test_a_newer_database_is_refused() -> None:
    with pytest.raises(InvalidInput, match="0002"):
        outstanding([Migration(1, "a", "SELECT 1")], {2: "x"})


@pytest.mark.parametrize("names", [["0002_b.sql"], ["0001_a.sql", "0003_c.sql"], ["1_a.sql"], ["0001_A.sql"]])
def test_gaps_and_bad_names_are_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(InvalidInput):
        available(tmp_path)


async def test_the_event_log_refuses_changes(database: str) -> None:
    connection = await asyncpg.connect(database)
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await connection.execute("DELETE FROM ticket_events")
    await connection.close()
