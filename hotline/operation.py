"""Figures of operation for `/metrics`: what waits in the database, connections, jobs, and a page of its own for
processes without HTTP. What each means and what to do: docs/operations.md."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import asyncpg
import structlog
from prometheus_client import Counter, Gauge, Histogram, start_http_server

from hotline.store.backlog import Backlog, backlog
from hotline.store.database import LOST

log = structlog.get_logger(__name__)
_TIMEOUT, _KEPT = 2.0, 1.0
_LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

DATABASE = Gauge("hotline_database_up", "1 while the database answers")
CONNECTIONS = Gauge("hotline_database_connections", "Connections of a process: open, idle, free to be had", ["state"])
BACKLOG = Gauge("hotline_backlog", "What is owed to the outside and waits", ["what"])
OLDEST = Gauge("hotline_backlog_oldest_seconds", "Age of the oldest that waits", ["what"])
GIVEN_UP = Gauge("hotline_given_up", "What was given up and waits for a person", ["what"])
LAG = Gauge("hotline_reader_lag_seconds", "Age of the first event that a reader of the log has not read", ["reader"])
HELD_BACK = Gauge("hotline_event_log_held_back_seconds", "Age of the oldest event that an open transaction hides")
SILENT = Gauge("hotline_incidents_silent", "Emergencies that the 110 desk has not acknowledged in time")
OVERDUE = Gauge("hotline_tickets_overdue", "Tickets whose clock has run out")
LOCKED = Gauge("hotline_accounts_locked", "Accounts of staff that wrong log-ins have locked")
UNCHAINED = Gauge("hotline_audit_unchained_seconds", "Age of the oldest row that the audit's chain does not have yet")
BROKEN = Gauge("hotline_audit_broken", "1 where the last check of the audit's chain found a fault")
CHANGED = Counter(
    "hotline_audit_changed_records", "Records of the audit changed before they were chained, and links seen to be gone"
)
UPKEEP = Gauge("hotline_upkeep_seconds", "Time since it last went well: backup, audit.verify", ["what"])
SPOOL = Gauge("hotline_spool_waiting", "Deliveries on this machine's disk that the database has not taken")
SET_ASIDE = Gauge("hotline_spool_set_aside", "Deliveries on this machine's disk that were refused, unreadable or stuck")
JOBS = Counter("hotline_jobs", "Jobs run, by outcome: done, later, failed", ["job", "outcome"])
JOB_SECONDS = Histogram("hotline_job_seconds", "Time of one run of a job", ["job"], buckets=_LONG)
FAILURES = Counter("hotline_role_failures", "Parts that broke and were begun anew", ["part"])
_OUTCOMES = ("done", "later", "failed")
_OF_DATABASE = (HELD_BACK, SILENT, OVERDUE, LOCKED, UNCHAINED, BROKEN)
_NOT_KNOWN = float("nan")
for _gauge in (DATABASE, *_OF_DATABASE):
    _gauge.set(_NOT_KNOWN)  # a process that never asks says nothing: `max` over all takes a 0 for an answer


def watch(pool: asyncpg.Pool) -> None:
    """Show the connections of this process's pool from now on."""
    CONNECTIONS.labels("open").set_function(pool.get_size)
    CONNECTIONS.labels("idle").set_function(pool.get_idle_size)
    CONNECTIONS.labels("free").set_function(lambda: pool.get_max_size() - pool.get_size() + pool.get_idle_size())


class Operation:
    """Fills the figures of the database when they are asked for, at most once a second.

    Args:
        spooled: how many deliveries wait in the spool, and how many were set aside there; may look at the disk.
    """

    def __init__(
        self, pool: asyncpg.Pool, *, clock: Callable[[], datetime], spooled: Callable[[], tuple[int, int]]
    ) -> None:
        self._pool, self._clock, self._spooled = pool, clock, spooled
        self._fresh_until = 0.0
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Fill the figures; without a database they are gone, and `hotline_database_up` is 0."""
        async with self._turn:
            if time.monotonic() < self._fresh_until:
                return
            waiting, aside = await asyncio.to_thread(self._spooled)
            SPOOL.set(waiting)
            SET_ASIDE.set(aside)
            try:
                self._show(await asyncio.wait_for(backlog(self._pool), _TIMEOUT))
            except (*LOST, asyncpg.PostgresError, TimeoutError) as error:
                log.warning("no_figures", error=f"{type(error).__name__}: {error}")
                self._hide()
            self._fresh_until = time.monotonic() + _KEPT

    def _show(self, found: Backlog) -> None:
        now = self._clock()
        DATABASE.set(1)
        for what, one in found.waiting.items():
            BACKLOG.labels(what).set(one.number)
            OLDEST.labels(what).set(max(0.0, (now - one.since).total_seconds()) if one.since else 0.0)
        for what, number in found.given_up.items():
            GIVEN_UP.labels(what).set(number)
        LAG.clear()
        for reader, lag in found.readers.items():
            LAG.labels(reader).set(lag)
        HELD_BACK.set(found.held_back)
        SILENT.set(found.silent)
        OVERDUE.set(found.overdue)
        LOCKED.set(found.locked)
        UNCHAINED.set(found.unchained)
        BROKEN.set(found.broken)
        for what, age in found.upkeep.items():
            UPKEEP.labels(what).set(age)

    @staticmethod
    def _hide() -> None:
        DATABASE.set(0)
        for gauge in (BACKLOG, OLDEST, GIVEN_UP, LAG, UPKEEP):
            gauge.clear()
        for gauge in _OF_DATABASE:
            gauge.set(_NOT_KNOWN)


def expect(job: str) -> None:
    """Let a job be counted from 0: of a series that begins at 1 Prometheus sees no increase, so no alarm sounds."""
    for outcome in _OUTCOMES:
        JOBS.labels(job, outcome)


async def counted(job: str, run: Awaitable[None], *, later: tuple[type[Exception], ...]) -> None:
    """Run a job, counted and timed; an error of `later` is one that is tried again."""
    began, outcome = time.perf_counter(), "failed"
    try:
        await run
        outcome = "done"
    except later:
        outcome = "later"
        raise
    finally:
        JOBS.labels(job, outcome).inc()
        JOB_SECONDS.labels(job).observe(time.perf_counter() - began)


@contextmanager
def exposed(host: str, port: int) -> Iterator[None]:
    """Serve this process's figures on a port of their own while the block lasts; port 0 serves nothing.

    For processes that have no HTTP: gateway, jobs, call.
    """
    if not port:
        yield
        return
    server, thread = start_http_server(port, addr=host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
