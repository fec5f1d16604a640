"""Migrations: numbered SQL files applied once, in order, each in a transaction, by one process at a time.

The service goes on meanwhile. A transaction waits for locks only as long as the service may wait behind it, then it
steps back and tries again. A file whose first line is `-- outside a transaction` is carried out statement by
statement (each ends a line with its semicolon): so indexes of large tables are built, `CONCURRENTLY IF NOT EXISTS`.
Where that was broken off it is carried out again; an index that is left invalid is dropped first. What takes a whole
table for a moment (`ALTER TABLE … ADD COLUMN IF NOT EXISTS`) waits there no longer than elsewhere.

An applied file must never change: its checksum is kept, and a difference is refused with the file's name. Where it
must, a line `-- formerly CHECKSUM` says that whoever applied it as it was has the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries

from hotline.errors import InvalidInput, Unavailable
from hotline.store.database import reached
from hotline.store.hosts import connect

log = structlog.get_logger(__name__)

DIRECTORY = Path(__file__).with_name("migrations")
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LOCK = 1234501
LOCK_WAIT = "2s"
"""How long a migration waits for a lock, and the service behind it."""
TRIES, PAUSE = 100, 1.0
"""So often a migration begins anew, with so many seconds between: about five minutes."""
_TAKEN = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
_OUTSIDE = "-- outside a transaction\n"
_END = re.compile(r";[ \t]*(?:\n|$)")
_BUILT = re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+) ")
_FORMERLY = re.compile(r"^-- formerly ([0-9a-f]{64})", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_DONE = "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)"
_UNTOLD = (None, "0")
_CITY = """
SELECT pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.adrelid = to_regclass('tickets') AND a.attname = 'city'"""

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


class Migration(msgspec.Struct, frozen=True):
    """One numbered file."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def checksums(self) -> frozenset[str]:
        """The checksums under which it may have been applied: its own, and those that it names as former ones."""
        return frozenset((self.checksum, *_FORMERLY.findall(self.sql)))

    @property
    def outside(self) -> tuple[str, ...]:
        """The statements of a file that is carried out outside a transaction, () for any other."""
        if not self.sql.startswith(_OUTSIDE):
            return ()
        return tuple(one.strip() for one in _END.split(_COMMENT.sub("", self.sql)) if one.strip())


def available(directory: Path = DIRECTORY) -> list[Migration]:
    """Return the migrations of a folder in order; raises InvalidInput on a bad name or a gap in the numbers."""
    found = []
    for path in sorted(directory.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise InvalidInput(f"migration {path.name}: the name must look like 0001_what_it_does.sql")
        found.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise InvalidInput(f"migration {migration.version:04d}: number {expected:04d} is missing or taken twice")
    return found


def outstanding(migrations: list[Migration], applied: Mapping[int, str]) -> list[Migration]:
    """Return what is still to do, given version → checksum of what was done.

    Raises:
        InvalidInput: an applied file was changed, or the database is newer than this program.
    """
    known = {migration.version: migration for migration in migrations}
    for version, checksum in applied.items():
        if version not in known:
            raise InvalidInput(f"the database has migration {version:04d}, which this version does not know: upgrade")
        if checksum not in known[version].checksums:
            raise InvalidInput(f"migration {version:04d} was changed after it was applied: restore the file")
    return [migration for migration in migrations if migration.version not in applied]


async def migrate(dsn: str, *, directory: Path = DIRECTORY, city: str = "") -> list[Migration]:
    """Bring the database up to date and return what was applied. Safe to run from several processes at once.

    Args:
        city: the code of the city whose database it is: what the sharding key says in every row (docs/scale.md).

    Raises:
        Unavailable: the database cannot be reached, or refuses (rights, a missing extension).
        InvalidInput: see `available` and `outstanding`; or the database is another city's.
    """
    async with _connected(dsn) as connection:
        check_city(await city_of(connection), city)
        await _alone(connection)
        await connection.execute("SELECT set_config('hotline.city', $1, false)", city)
        done = await _migrate(connection, available(directory))
        await _install_jobs(connection)
        return done


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    with reached(dsn):
        connection = await connect(dsn)
        try:
            yield connection
        finally:
            await connection.close()


async def _alone(connection: asyncpg.Connection) -> None:
    """Wait until no other process migrates; the lock is held until the connection ends.

    It is asked for again and again: who waits within a statement keeps a snapshot, for which an index would wait.
    """
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110 - another's
        await asyncio.sleep(0.1)


async def _migrate(connection: asyncpg.Connection, migrations: list[Migration]) -> list[Migration]:
    await connection.execute(_TABLE)
    rows = await connection.fetch("SELECT version, checksum FROM schema_migrations")
    to_do = outstanding(migrations, {row["version"]: row["checksum"] for row in rows})
    for migration in to_do:
        await _apply(connection, migration)
    return to_do


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    """Carry out one migration; where it and the running service wait for each other's tables it steps back first.

    Raises:
        Unavailable: something holds on to a table all the time.
    """
    for left in reversed(range(TRIES)):
        try:
            await (_beside if migration.outside else _at_once)(connection, migration)
        except _TAKEN as error:
            log.warning("migration_waits", version=migration.version, error=str(error), tries_left=left)
            if not left:
                held = "a table is held all the time, as by a backup: migrate when that has ended"
                raise Unavailable(f"migration {migration.version:04d}: {held}") from error
            await asyncio.sleep(PAUSE)
        else:
            return


async def _at_once(connection: asyncpg.Connection, migration: Migration) -> None:
    async with connection.transaction():
        await _briefly(connection, migration.sql)
        await connection.execute(_DONE, migration.version, migration.name, migration.checksum)


async def _briefly(connection: asyncpg.Connection, sql: str) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
        await connection.execute(sql)


async def _beside(connection: asyncpg.Connection, migration: Migration) -> None:
    for statement in migration.outside:
        if built := _BUILT.match(statement):
            await _drop_broken(connection, built[1])
        if statement.startswith("ALTER TABLE "):
            await _briefly(connection, statement)
        else:
            await connection.execute(statement)
    await connection.execute(_DONE, migration.version, migration.name, migration.checksum)


async def _drop_broken(connection: asyncpg.Connection, index: str) -> None:
    broken = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid)"
    if await connection.fetchval(broken, index):
        await connection.execute(f"DROP INDEX CONCURRENTLY {index}")


async def _install_jobs(connection: asyncpg.Connection) -> None:
    """Install or upgrade the job queue's own tables (PgQueuer keeps its schema itself)."""
    queries = Queries(AsyncpgDriver(connection))
    if await queries.schema_is_installed():
        await queries.upgrade()
    else:
        await queries.install()


async def city_of(connection: asyncpg.Connection) -> str:
    """Return the code of the city whose database it is, as migration 0017 has kept it; "" where nobody has told."""
    here = await connection.fetchval(_CITY)
    return "" if here in _UNTOLD else str(here)


def check_city(here: str, city: str) -> None:
    """Raise InvalidInput where what is of one city (`here`) meets the files of another; "" is any city."""
    if here and city and here != city:
        raise InvalidInput(
            f"this is the database of the city {here}, and city_dir has the files of {city}: each city has a database "
            "and a data_dir of its own", error_id="other_city",
        )


async def pending(dsn: str, *, city: str = "") -> list[Migration]:
    """Return what `migrate` would apply, without applying it. Raises Unavailable and InvalidInput as it does."""
    async with _connected(dsn) as connection:
        check_city(await city_of(connection), city)
        exists = await connection.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL")
        rows = await connection.fetch("SELECT version, checksum FROM schema_migrations") if exists else []
        return outstanding(available(), {row["version"]: row["checksum"] for row in rows})
