"""The right to steer the PBX, and what its holder is told of agents.

Both are had by one connection of their own. Where the database passes no notifications on (some poolers), nothing is
told: whoever steers finds who has become available with its next tick.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import asyncpg
import structlog

from hotline.errors import Unavailable
from hotline.store.database import LOST
from hotline.store.hosts import CONNECT_TIMEOUT, connect

log = structlog.get_logger(__name__)
AVAILABLE = "hotline_available"
"""Where it is told, by name, who has become available: a channel of its own, as events happen much more often."""
SILENCE = 10.0
"""Seconds after which who is heard no more has lost the right, though nobody has closed their connection: of a machine
that lost its power, or a process that stands still, PostgreSQL would wait for a word for two hours, or for ever."""
_LOST: tuple[type[Exception], ...] = (*LOST, TimeoutError)
_LEASE = "SELECT pg_try_advisory_lock(12345, hashtext('telephone'))"


class Owner:
    """The right to steer the PBX: as long as a connection of its own lives, on which `still` is asked every second."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._freed, self._wake = set[str](), asyncio.Event()

    async def still(self) -> None:
        """Raise Unavailable once the right is lost: another process may have it by now."""
        try:
            await asyncio.wait_for(self._connection.fetchval("SELECT 1"), CONNECT_TIMEOUT)
        except _LOST as error:
            raise Unavailable("the right to steer the PBX is lost: the database does not answer") from error

    async def listen(self) -> None:
        """Let it be told who becomes available."""
        try:
            await self._connection.add_listener(AVAILABLE, self._told)
        except (*_LOST, asyncpg.PostgresError) as error:
            log.warning("available_not_told", error=repr(error))

    async def freed(self) -> Collection[str]:
        """Wait until somebody has become available; return the names of all since the last time."""
        await self._wake.wait()
        self._wake.clear()
        names, self._freed = self._freed, set()
        return names

    def _told(self, _connection: object, _pid: int, _channel: str, name: object) -> None:
        self._freed.add(str(name))
        self._wake.set()


@asynccontextmanager
async def sole_owner(dsn: str, *, retry: float = 1.0) -> AsyncIterator[Owner]:
    """Wait until this process alone may steer the PBX."""
    connection = await connect(dsn)
    try:
        await connection.execute(f"SET idle_session_timeout = {round(1000 * SILENCE)}")
        owner = await connection.fetchval(_LEASE)
        while not owner:
            await asyncio.sleep(retry)
            owner = await connection.fetchval(_LEASE)
        yield Owner(connection)
    finally:
        connection.terminate()
