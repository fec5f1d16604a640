"""Where the database is when it may be on one of several hosts: whichever takes writes, and soon after a change.

`HOTLINE_DSN` may name several hosts, `postgresql://user@db1:5432,db2:5432/hotline?target_session_attrs=read-write`.
asyncpg shares one time-out among all of them, so a first host that is silent (a machine that lost its power answers
nothing, not even a reset) would eat it up: here each host has its own, and the last good one is asked first.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from weakref import WeakKeyDictionary

import asyncpg
import structlog

log = structlog.get_logger(__name__)
CONNECT_TIMEOUT = 10.0
"""Seconds, when there is one host."""
HOST_TIMEOUT = 3.0
"""Seconds for each of several hosts."""
SILENCE = 10
"""Seconds after which a connection whose other side acknowledges nothing is given up."""
# A standby raises an InternalClientError (TargetServerAttributeNotMatched) where read-write is asked for.
_GOES_ON = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def hosts_of(dsn: str) -> list[str]:
    """Return a DSN for each host that `dsn` names, in order; one that names a single host as it is."""
    parts = urlsplit(dsn)
    account, at, hosts = parts.netloc.rpartition("@")
    return [urlunsplit(parts._replace(netloc=f"{account}{at}{host}")) for host in hosts.split(",")]


class Watchful(asyncpg.Connection):  # type: ignore[misc]
    """A connection that ends when the other machine has gone without a word, instead of waiting for a quarter hour."""

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        keep_watch(transport.get_extra_info("socket"))


def keep_watch(found: Any) -> None:
    """Let the kernel probe an idle connection and give up one whose data nobody acknowledges for `SILENCE` seconds."""
    if found is None or found.family == socket.AF_UNIX:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3),
                        ("TCP_USER_TIMEOUT", SILENCE * 1000)):
        if hasattr(socket, name):  # not every system knows all of them
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class Hosts:
    """Connects to the host that is as the DSN wants it (`target_session_attrs`), the last good one first."""

    def __init__(self, dsn: str, *, timeout: float = HOST_TIMEOUT) -> None:
        self._found = hosts_of(dsn)
        self._timeout = timeout if len(self._found) > 1 else CONNECT_TIMEOUT
        self._given: WeakKeyDictionary[asyncpg.Connection, str] = WeakKeyDictionary()

    async def connect(self, *_: object, **options: Any) -> asyncpg.Connection:
        """Return a connection; a pool may call this with its own DSN, which is left aside.

        Raises:
            OSError, TimeoutError and the errors of asyncpg: what the last host asked said.
        """
        named = {"connection_class": Watchful} | options | {"timeout": self._timeout}
        for dsn in list(self._found):
            try:
                connection = await asyncpg.connect(dsn, **named)
            except _GOES_ON as error:
                last: Exception = error
                continue
            self._found.remove(dsn)
            self._found.insert(0, dsn)
            self._given[connection] = dsn
            return connection
        raise last

    async def watch(self, *, interval: float = 1.0) -> None:
        """Cut the connections to a host that is no longer the right one, until cancelled.

        A server that hangs (a frozen machine, a dead disk) keeps its connections open and says nothing; when its
        standby has taken over, whoever waits for it would wait for the time-out of the statement.
        """
        while len(self._found) > 1:
            await asyncio.sleep(interval)
            with suppress(*_GOES_ON):
                connection = await self.connect()
                connection.terminate()
                self._leave_others()

    def _leave_others(self) -> None:
        good = self._found[0]
        stale = [connection for connection, dsn in self._given.items() if dsn != good and not connection.is_closed()]
        for connection in stale:
            connection.terminate()
        if stale:
            log.warning("database_moved", connections=len(stale))


async def connect(dsn: str, **options: Any) -> asyncpg.Connection:
    """Return one connection; raises as `Hosts.connect`."""
    return await Hosts(dsn).connect(**options)
