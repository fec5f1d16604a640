"""The jobs role: a PgQueuer worker and the sweeps beside it, restarted with a pause when the database goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

import asyncpg
import structlog
from pgqueuer import PgQueuer
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.domain.models import TracebackRecord
from pgqueuer.types import JOB_STATUS

from hotline.handoff import Later
from hotline.operation import FAILURES, counted, expect
from hotline.privacy import starred
from hotline.store.database import LOST
from hotline.store.jobs import Job

log = structlog.get_logger(__name__)

Handler = Callable[[str], Awaitable[None]]
BATCH = 50
AT_ONCE = {Job.SEND_MESSAGE: 40, Job.DELIVER: 20, Job.FETCH_MEDIA: 16, Job.PUSH_PARCEL: 10}
"""Jobs of a kind that run at the same time in all processes together: whoever is slow leaves room for the rest, all of
them for pushes to 110 (a process runs 2 × BATCH), and files, of up to 20 MiB each, leave memory."""
LONG = frozenset({Job.FETCH_MEDIA})
"""Jobs that may last minutes: a worker that ends waits for what it has begun, so these it breaks off and puts back."""
_LOST: tuple[type[Exception], ...] = (*LOST, asyncpg.PostgresError)
"""A database that has gone, or did not do it this time: a deadlock, a full disk, a statement that took too long."""
_AGAIN: tuple[type[Exception], ...] = (Later, *_LOST)
HEARTBEAT = timedelta(seconds=6)
"""A job whose process died is taken up by another after this."""


def _entrypoint(handler: Handler, name: str = "job") -> Callable[[QueuedJob], Awaitable[None]]:
    async def run(job: QueuedJob) -> None:
        key = (job.payload or b"").decode()
        try:
            with structlog.contextvars.bound_contextvars(job=name, trace=key):
                await counted(name, handler(key), later=_AGAIN)
        except Later as later:
            raise RetryRequested(later.delay, later.reason) from later
        except _LOST as error:
            # The database went away in the middle; the job is repeatable by design.
            raise RetryRequested(timedelta(seconds=1), f"{type(error).__name__}: {error}") from error

    return run


def _until(ending: asyncio.Event, handler: Handler) -> Handler:
    """Return a handler that breaks off, to be begun anew, when its worker ends."""
    async def run(key: str) -> None:
        tasks = asyncio.ensure_future(handler(key)), asyncio.ensure_future(ending.wait())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not tasks[0].done():
                raise Later(timedelta(), "the worker ends")
            await tasks[0]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    return run


class _ListeningFirst(AsyncpgPoolDriver):
    """PgQueuer probes its listener while that is still being set up on another connection, and takes its own probe for
    lost when it was quicker: a probe waits for the listener here."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self._listening = asyncio.Event()

    async def add_listener(self, channel: str, callback: Callable[[str | bytes | bytearray], None]) -> None:
        await super().add_listener(channel, callback)
        self._listening.set()

    async def notify(self, channel: str, payload: str) -> None:
        await self._listening.wait()
        await super().notify(channel, payload)


_Ended = tuple[QueuedJob, JOB_STATUS, TracebackRecord | None]


class _Lasting(Queries):
    """A job that cannot be put back for want of the database is no failed job (PgQueuer would note it as one).

    It stays as it is: its heartbeat has stopped, so whoever looks first once the database is back takes it up. What
    PgQueuer's own log keeps is without numbers that tell who somebody is, and of a job that is put back one line.
    """

    async def retry_job(self, job: QueuedJob, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        told = traceback_record and _shown(traceback_record).model_copy(update={"traceback": ""})
        try:
            await super().retry_job(job, delay, told)
        except _LOST as error:
            log.warning("job_not_put_back", job=job.entrypoint, error=f"{type(error).__name__}: {error}")

    async def log_jobs(self, job_status: list[_Ended]) -> None:
        await super().log_jobs([(job, status, told and _shown(told)) for job, status, told in job_status])


def _shown(told: TracebackRecord) -> TracebackRecord:
    """Return what PgQueuer may keep: others' answers, which may repeat a phone, stand in texts of errors."""
    around = {
        key: starred(value) if isinstance(value, str) else value
        for key, value in (told.additional_context or {}).items()
    }
    return told.model_copy(update={
        "exception_message": starred(told.exception_message), "traceback": starred(told.traceback),
        "additional_context": around,
    })


def _queue(pool: asyncpg.Pool, handlers: Mapping[Job, Handler]) -> PgQueuer:
    driver = _ListeningFirst(pool)
    queue = PgQueuer(connection=driver, queries=_Lasting(driver))
    for job, handler in handlers.items():
        expect(job.value)
        limit = AT_ONCE.get(job, 0)
        handler = _until(queue.shutdown, handler) if job in LONG else handler
        queue.entrypoint(job.value, on_failure="hold", concurrency_limit=limit)(_entrypoint(handler, job.value))
    return queue


async def _work(pool: asyncpg.Pool, handlers: Mapping[Job, Handler]) -> None:
    queue = _queue(pool, handlers)
    run = asyncio.create_task(queue.run(
        dequeue_timeout=timedelta(seconds=5), batch_size=BATCH, heartbeat_timeout=HEARTBEAT,
        max_concurrent_tasks=2 * BATCH, shutdown_on_listener_failure=True,
    ))
    try:
        await asyncio.shield(run)
    finally:
        queue.shutdown.set()  # PgQueuer tells of it only when all that runs has ended
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


async def supervised(name: str, run: Callable[[], Awaitable[None]], *, pause: float = 1.0) -> None:
    """Run forever: log what breaks and begin anew after `pause` seconds, so nothing stops in silence."""
    while True:
        try:
            await run()
            log.warning("role_ended", role=name)
        except Exception:  # whatever broke it, a role that nobody begins anew is silence
            FAILURES.labels(name).inc()
            log.exception("role_failed", role=name)
        await asyncio.sleep(pause)


async def repeated(step: Callable[[], Awaitable[None]], *, interval: float) -> None:
    """Call `step` again and again, `interval` seconds apart."""
    while True:
        await step()
        await asyncio.sleep(interval)


async def run_jobs(
    pool: asyncpg.Pool,
    handlers: Mapping[Job, Handler],
    sweeps: Mapping[str, tuple[Callable[[], Awaitable[None]], float]],
) -> None:
    """Run the worker and the sweeps (name → step and interval in seconds) until cancelled."""
    async with asyncio.TaskGroup() as group:
        group.create_task(supervised("jobs", lambda: _work(pool, handlers)))
        for name, (step, interval) in sweeps.items():
            group.create_task(supervised(name, partial(repeated, step, interval=interval)))
