"""Connections: a pool with the hotline's settings, and named SQL from files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import asyncpg

from hotline.config_text import server_of
from hotline.errors import HotlineError, InvalidInput, Unavailable
from hotline.store.hosts import Hosts, Watchful

COMMAND_TIMEOUT = 40.0
"""Seconds until a statement is given up here; the server gives up after 30, if it is there."""
LOST: tuple[type[Exception], ...] = (
    OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError,
    asyncpg.TooManyConnectionsError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError, asyncpg.ReadOnlySQLTransactionError,
)
"""What using a database raises that has gone, or is just coming back."""
REFUSED: tuple[type[Exception], ...] = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
"""What the database raises over what it is given, however often it is given it."""
UNFIT: tuple[type[Exception], ...] = (asyncpg.DataError,)
"""What a value raises that no column can hold: NUL in a text, a number beyond 64 bits, a date beyond the calendar."""
_UNMIGRATED = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.UndefinedFunctionError)
_SQL = Path(__file__).with_name("sql")
_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@contextmanager
def reached(dsn: str) -> Iterator[None]:
    """Turn the errors of connecting in the block into Unavailable; the detail names the server, never its password."""
    try:
        yield
    except (ValueError, *LOST, asyncpg.PostgresError) as error:
        server, reason = server_of(dsn), " ".join(str(error).split()) or "no answer in time"
        if server is None:  # the reason may repeat a part of the password, too
            raise Unavailable("the database cannot be used: its DSN is none, mind / ? # [ @ in its password") from None
        raise Unavailable(f"the database {server} cannot be used: {reason}") from error


def explained(error: Exception) -> HotlineError | None:
    """Return what to tell of an error of using the database, in one line; None for an error of something else.

    Of PostgreSQL's text the first line is kept: the others may show what stands in a row.
    """
    reason = str(error).partition("\n")[0] or type(error).__name__
    if isinstance(error, _UNMIGRATED):
        return InvalidInput(
            f"the database is not migrated ({reason}): run `python -m hotline migrate`", error_id="not_migrated"
        )
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        return Unavailable(f"the database did not do what was asked: {reason}")
    return None


class _Pooled(Watchful):
    """A connection without session state to undo when it goes back: no `SET`, `LISTEN` or session lock on the pool.

    asyncpg's reset query would cost a round trip for every use.
    """

    def get_reset_query(self) -> str:
        """Return no query; an open transaction is rolled back all the same."""
        return ""


async def open_pool(
    dsn: str, *, size: int = 10, hosts: Hosts | None = None, patient: bool = False
) -> asyncpg.Pool:
    """Open a pool of at most `size` connections, to `hosts` where somebody watches them (`Hosts.watch`).

    Statements are limited to 30 s and an open transaction to 10 s: one left open would hold back every reader of the
    event log. Raises Unavailable where no connection can be had.

    Args:
        patient: statements take as long as they need: for a command that goes through large tables.
    """
    settings = {
        "application_name": "hotline",
        "statement_timeout": "0" if patient else "30000",
        "idle_in_transaction_session_timeout": "10000",
        "jit": "off",
        "TimeZone": "UTC",
    }
    with reached(dsn):
        return await asyncpg.create_pool(
            dsn, min_size=min(2, size), max_size=size, server_settings=settings, connection_class=_Pooled,
            connect=(hosts or Hosts(dsn)).connect, command_timeout=None if patient else COMMAND_TIMEOUT,
        )


@cache
def statements(name: str) -> dict[str, str]:
    """Return the statements of `sql/<name>.sql` by the names in their `-- name: …` lines."""
    text = (_SQL / f"{name}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {key: body.strip() for key, body in zip(parts[::2], parts[1::2], strict=True)}
