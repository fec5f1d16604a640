"""The reader of the event log: every event once, in the order of its position, whatever order writers commit in.

It polls above its cursor and below the horizon (see migrations/0001_foundation.sql and docs/decisions/0002), wakes at
once on NOTIFY where the database passes it on, and never holds a transaction open. Reads that find something are at
least `interval` apart, so that what happens within one tick comes as one page.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Any

import asyncpg
import msgspec
import structlog

from hotline.errors import Unavailable
from hotline.feed import FeedEvent
from hotline.keyring import Damaged
from hotline.store.database import statements
from hotline.store.hosts import Hosts
from hotline.store.sealing import open_document

log = structlog.get_logger(__name__)
_SQL = statements("tail")
_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
CHANNEL = "hotline_events"
_LONG = 5.0  # seconds that events may be held back before it is logged who does it


class TailStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the reader stands.

    Attributes:
        cursor: position of the last event handed out.
        held_back: age in seconds of the oldest committed event that an open transaction still hides; 0 when none.
        rewound: the database is behind the cursor: restored without raising `event_clock.base`.
    """

    connected: bool
    cursor: int
    held_back: float = 0.0
    rewound: bool = False


class Tail:
    """Reads events on a connection of its own. Use as an async context manager; one reader calls `next`."""

    def __init__(
        self, dsn: str, *, after: int | None = None, limit: int = 500, interval: float = 0.02, docs: bool = False,
        health_interval: float = 1.0, max_backoff: float = 5.0, hosts: Hosts | None = None,
    ) -> None:
        """Prepare to read events above position `after`; None starts with what happens from now on.

        Args:
            limit: most events in a page.
            interval: seconds between polls.
            docs: hand out whole event documents, not only summaries.
            hosts: of the DSN, where somebody watches them.
        """
        self._hosts, self._after = hosts or Hosts(dsn), after
        self._limit, self._interval, self._docs = limit, interval, docs
        self._health_interval, self._max_backoff = health_interval, max_backoff
        self._connection: asyncpg.Connection | None = None
        self._wake = asyncio.Event()
        self._status = TailStatus(connected=False, cursor=after or 0)
        self._not_before = self._next_health = 0.0
        self._backoff = 0.05

    async def __aenter__(self) -> Tail:
        try:
            await self._connected()
        except _LOST as error:
            raise Unavailable(f"the event log cannot be read: {error}; is the database up and migrated?") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.terminate()

    @property
    def status(self) -> TailStatus:
        """How the reader stands now."""
        return self._status

    async def next(self) -> list[FeedEvent]:
        """Return the next events, at least one, as soon as there are any. Waits through losses of the database."""
        while True:
            try:
                connection = await self._connected()
                after = self._after
                page = await self._read(connection)
            except _LOST as error:
                await self._lost(error)
                continue
            if self._after != after:
                continue  # `skip_to` was called meanwhile: these events are no longer wanted
            if page:
                self._advance(page)
                return page
            await self._idle()

    def skip_to(self, position: int) -> None:
        """Go on after `position`, whatever lies between; also while `next` or `rest` waits."""
        self._after = position
        self._update(cursor=position)

    async def rest(self, until: asyncio.Event) -> None:
        """Read nothing until the event is set, but go on watching the log's health. Waits through losses."""
        while not until.is_set():
            try:
                await self._check(await self._connected())
            except _LOST as error:
                await self._lost(error)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(until.wait(), self._health_interval)

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        settings = {"application_name": "hotline-tail", "statement_timeout": "10000", "jit": "off"}
        connection = await self._hosts.connect(command_timeout=10, server_settings=settings)
        self._connection = connection
        await connection.add_listener(CHANNEL, self._notified)
        if self._after is None:
            self._after = await connection.fetchval("SELECT event_horizon()") - 1
        self._backoff = 0.05
        self._update(connected=True, cursor=self._after)
        return connection

    def _notified(self, *_: object) -> None:
        self._wake.set()

    async def _read(self, connection: asyncpg.Connection) -> list[FeedEvent]:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._not_before - loop.time()))
        self._wake.clear()
        rows = await connection.fetch(_SQL["page"], self._after, self._limit, self._docs)
        if loop.time() >= self._next_health:
            self._next_health = loop.time() + self._health_interval
            await self._check(connection)
        return [event_from_row(row) for row in rows]

    def _advance(self, page: list[FeedEvent]) -> None:
        self._after = page[-1].seq
        self._update(cursor=self._after)
        full = len(page) == self._limit
        self._not_before = 0.0 if full else asyncio.get_running_loop().time() + self._interval

    async def _idle(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), self._interval)
        except TimeoutError:
            return  # no wake-up: the poll goes on all the same

    async def _check(self, connection: asyncpg.Connection) -> None:
        row = await connection.fetchrow(_SQL["health"])
        rewound = row["horizon"] <= self._status.cursor
        if rewound and not self._status.rewound:
            log.error("event_order_went_back", cursor=self._status.cursor, horizon=row["horizon"],
                      mend="raise event_clock.base above the old positions (docs/decisions/0002-event-order.md)")
        held_back = max(0.0, row["held_back"] or 0.0)
        if held_back >= _LONG > self._status.held_back:
            holder = await connection.fetchrow(_SQL["holder"])
            log.warning("event_log_held_back", seconds=round(held_back, 1), by=dict(holder) if holder else None)
        self._update(held_back=held_back, rewound=rewound)

    async def _lost(self, error: BaseException) -> None:
        log.warning("event_log_lost", error=repr(error), retry_in=self._backoff)
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        self._update(connected=False)
        await asyncio.sleep(self._backoff)
        self._backoff = min(self._backoff * 2, self._max_backoff)

    def _update(self, **changes: Any) -> None:
        self._status = msgspec.structs.replace(self._status, **changes)


class _Numbered(msgspec.Struct, frozen=True):
    """The one field of a summary that a reader needs; the rest goes through as it is."""

    number: str


_numbers = msgspec.json.Decoder(_Numbered)


def event_from_row(row: asyncpg.Record) -> FeedEvent:
    """Return an event as a row of `page` (sql/tail.sql) or `replay` (sql/console.sql) has it."""
    summary = row["summary"] or ""
    return FeedEvent(
        seq=row["position"], at=row["at"], type=row["type"], actor=row["actor"] or "", topics=tuple(row["topics"]),
        number=_numbers.decode(summary).number if summary else "", summary=summary, doc=_doc_of(row),
    )


def _doc_of(row: asyncpg.Record) -> str:
    """Return the document of an event; one of what was heard in a call is sealed, but for those of older software."""
    doc: str = row["doc"] or ""
    if row["type"] != "transcript" or not doc.startswith('{"sealed"'):
        return doc
    try:
        return open_document(doc, context=f"told {row['topics'][0]}").decode()
    except Damaged:  # one sentence must not hold back all that comes after it
        log.exception("words_not_opened", position=row["position"])
        return doc
