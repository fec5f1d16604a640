"""Migrations: applied once, in order, never changed; the embedded server is real."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from pathlib import Path

import asyncpg
import pytest

from hotline.errors import InvalidInput, Unavailable
from hotline.store import migrate as runner
from hotline.store.migrate import Migration, available, migrate, outstanding, pending
from tests.store.test_sharding import groups


def write(folder: Path, migration: Migration) -> None:
    (folder / f"{migration.version:04d}_{migration.name}.sql").write_text(migration.sql, encoding="utf-8")


async def waited_for(connection: asyncpg.Connection) -> None:
    """Return once somebody waits for another's lock."""
    async with asyncio.timeout(30):
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)


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


def test_a_file_that_makes_the_same_as_before_is_known() -> None:
    before, other = Migration(1, "a", "SELECT 1"), Migration(1, "a", "SELECT 2")
    after = Migration(1, "a", f"-- formerly {before.checksum}\nSELECT 1")
    for applied in (before, after):
        assert outstanding([after], {1: applied.checksum}) == []
    with pytest.raises(InvalidInput, match="0001 was changed"):
        outstanding([after], {1: other.checksum})


async def test_what_was_applied_in_a_transaction_is_done(database: str) -> None:
    async with connected(database) as connection:
        copies = available()[25]
        assert copies.outside
        [former] = copies.checksums - {copies.checksum}
        await connection.execute("UPDATE schema_migrations SET checksum = $1 WHERE version = 26", former)
    assert await migrate(database) == []


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


async def test_calls_go_on_being_owed_while_a_migration_reads_what_was_tried(postgres: str, tmp_path: Path) -> None:
    for migration in available():
        if migration.version < 22:
            write(tmp_path, migration)
    admin = await asyncpg.connect(postgres)
    await admin.execute("CREATE DATABASE migrated_amid_calls")
    dsn = postgres.replace("/postgres?", "/migrated_amid_calls?", 1)
    await migrate(dsn, directory=tmp_path)
    service, reading = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    await service.execute("""
        INSERT INTO callbacks (call, phone, missed_at, state, due_at, doc)
        SELECT 'c' || n, '+8613800138000', now(), 'owed', now(), '{}' FROM generate_series(1, 3) AS n;
        INSERT INTO presence_events (position, at, type, topic, doc)
        VALUES (1, now(), 'callback', 'callbacks', '{"id": 1}'),
               (2, now(), 'callback', 'callbacks', '{"id": 2, "tries": [{}]}')
    """)
    long = reading.transaction()
    await long.start()
    await reading.execute("LOCK TABLE presence_events")  # in place of so much that reading it takes its time
    write(tmp_path, available()[21])
    migrating = asyncio.create_task(migrate(dsn, directory=tmp_path))
    await waited_for(service)
    await service.execute("LOCK TABLE callbacks IN ROW EXCLUSIVE MODE NOWAIT; UPDATE callbacks SET state = 'assigned'")
    await long.commit()
    await migrating
    assert [row["id"] for row in await service.fetch("SELECT id FROM callbacks WHERE tried")] == [2]
    for connection in (service, reading):
        await connection.close()
    await admin.execute("DROP DATABASE migrated_amid_calls WITH (FORCE)")
    await admin.close()


async def test_a_migration_that_meets_the_service_halfway_is_carried_out_all_the_same(
    database: str, tmp_path: Path
) -> None:
    for migration in available():
        write(tmp_path, migration)
    last = available()[-1].version + 1
    (tmp_path / f"{last:04d}_both.sql").write_text("ALTER TABLE outbox ADD x int; ALTER TABLE tickets ADD x int")
    service = await asyncpg.connect(database)
    await service.execute("SET deadlock_timeout = '30s'")  # the migration is the one that notices
    held = service.transaction()
    await held.start()
    await service.execute("SELECT FROM tickets")
    migrating = asyncio.create_task(migrate(database, directory=tmp_path))
    other = await asyncpg.connect(database)
    await waited_for(other)
    await service.execute("SELECT FROM outbox")  # each now waits for the other's table
    await held.commit()
    assert [one.version for one in await migrating] == [last]
    assert await other.fetchval("SELECT count(*) FROM information_schema.columns WHERE column_name = 'x'") >= 2
    for connection in (service, other):
        await connection.close()


# ── beside the service ───────────────────────────────────────────────────────────────────────────
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('one_more')"


def one_more(folder: Path, sql: str) -> int:
    """Write all migrations and one more; return its number."""
    for migration in available():
        write(folder, migration)
    last = available()[-1].version + 1
    write(folder, Migration(last, "one_more", sql))
    return last


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def test_an_index_is_built_while_rows_are_written(database: str, tmp_path: Path) -> None:
    last = one_more(
        tmp_path, "-- outside a transaction\n-- Why; as it is.\n\n"
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS one_more ON outbox (channel)\n    WHERE key <> ';';\n"
        "DROP INDEX CONCURRENTLY IF EXISTS outbox_full;\n",
    )
    async with connected(database) as service, connected(database) as reading:
        async with reading.transaction(isolation="repeatable_read"):
            await reading.execute("SELECT FROM tickets")
            running = [asyncio.create_task(migrate(database, directory=tmp_path)) for _ in range(2)]
            await waited_for(service)  # for the old snapshot
            await service.execute("LOCK TABLE outbox IN ROW EXCLUSIVE MODE NOWAIT; DELETE FROM outbox")
        assert sorted([one.version for one in done] for done in await asyncio.gather(*running)) == [[], [last]]
        assert await service.fetchval(VALID)
        assert await service.fetchval("SELECT to_regclass('outbox_full')") is None


async def test_a_build_that_was_broken_off_is_begun_anew(database: str, tmp_path: Path) -> None:
    last = one_more(
        tmp_path,
        "-- outside a transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one_more ON first_seen (at);\n",
    )
    async with connected(database) as service:
        await service.execute("INSERT INTO first_seen VALUES ('a', '2026-11-20'), ('b', '2026-11-20')")
        with pytest.raises(Unavailable):
            await migrate(database, directory=tmp_path)
        assert await service.fetchval(VALID) is False
        await service.execute("DELETE FROM first_seen")
        assert [one.version for one in await migrate(database, directory=tmp_path)] == [last]
        assert await service.fetchval(VALID)


@pytest.mark.parametrize("sql", [
    "ALTER TABLE tickets ADD x int", "-- outside a transaction\nALTER TABLE tickets ADD COLUMN IF NOT EXISTS x int;\n",
])
async def test_nobody_waits_long_behind_a_migration_that_waits(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    monkeypatch.setattr(runner, "LOCK_WAIT", "200ms")
    monkeypatch.setattr(runner, "PAUSE", 0.01)
    last = one_more(tmp_path, sql)
    async with connected(database) as service, connected(database) as reading:
        async with reading.transaction():
            await reading.execute("SELECT FROM tickets")
            migrating = asyncio.create_task(migrate(database, directory=tmp_path))
            await waited_for(service)
            async with asyncio.timeout(60):
                await service.execute("SELECT FROM tickets")  # stands behind the migration
        assert [one.version for one in await migrating] == [last]
        monkeypatch.setattr(runner, "TRIES", 1)
        write(tmp_path, Migration(last + 1, "again", "ALTER TABLE tickets ADD y int"))
        async with reading.transaction():
            await reading.execute("SELECT FROM tickets")
            with pytest.raises(Unavailable, match="as by a backup"):
                await migrate(database, directory=tmp_path)


def test_no_migration_stops_intake_over_an_index() -> None:
    """Of what grows with tickets and calls (docs/scale.md); on a table of its own it may be built at once."""
    again = (
        r"(?:CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT|DROP INDEX CONCURRENTLY IF) EXISTS|CREATE OR REPLACE"
        r"|ALTER TABLE \w+ ADD COLUMN IF NOT EXISTS"
    )
    plain = r"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)(?:IF NOT EXISTS )?\w+\s+ON (\w+)"
    for migration in available()[27:]:  # those before were applied as they are
        new = re.findall(r"CREATE TABLE (\w+)", migration.sql)
        built = [table for table in re.findall(plain, migration.sql) if table not in new]
        assert not [table for table in built for grows in groups()[0] if fnmatchcase(table, grows)], migration.name
    statements = [statement for migration in available() for statement in migration.outside]
    assert [statement for statement in statements if not re.match(again, statement)] == [], "each may run twice"
