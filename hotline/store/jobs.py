"""Jobs in the ticket's own transaction: what must happen outside is written with what decided it (PgQueuer)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.types import JobId

from hotline.store.database import statements

_SQL = statements("queue")


class Job(StrEnum):
    """Kinds of jobs; the payload is the key of the row to work on, of a file to fetch all that is known of it."""

    PUSH_INCIDENT = "push_incident"
    SEND_MESSAGE = "send_message"
    DELIVER = "deliver"
    FREE_CHILDREN = "free_children"
    PUSH_PARCEL = "push_parcel"
    FETCH_MEDIA = "fetch_media"


_PRIORITY = {
    Job.PUSH_INCIDENT: 100, Job.SEND_MESSAGE: 0, Job.DELIVER: -10, Job.FREE_CHILDREN: 10, Job.PUSH_PARCEL: 5,
    Job.FETCH_MEDIA: -5,
}
_PAUSES = (timedelta(seconds=10), timedelta(minutes=1), timedelta(hours=1))
"""Of a job that a mistake ended: at least, at most for a push to 110, at most for all else."""
LOG_KEPT = timedelta(days=7)
_STEP = 10_000


async def enqueue(
    connection: asyncpg.Connection, job: Job, keys: Sequence[str], *, after: timedelta | None = None
) -> None:
    """Add one job per key on the caller's connection, so it exists exactly if the caller's transaction commits.

    A job with the same kind and key that still waits or runs is not added again.
    """
    if not keys:
        return
    count = len(keys)
    await Queries(AsyncpgDriver(connection)).enqueue(
        [job.value] * count, [key.encode() for key in keys], [_PRIORITY[job]] * count, [after] * count,
        [f"{job}:{key}" for key in keys], on_conflict="skip",
    )


async def restore(connection: asyncpg.Connection, job: Job, keys: Sequence[str]) -> None:
    """Add jobs for rows that wait without one; one that a mistake ended is held, and comes again by itself."""
    held = {row["dedupe_key"] for row in await connection.fetch(_SQL["held"], [f"{job}:{key}" for key in keys])}
    await enqueue(connection, job, [key for key in keys if f"{job}:{key}" not in held])


async def begin_anew(pool: asyncpg.Pool) -> None:
    """Run jobs again that a mistake of the program ended, each after a pause that grows with the time it has waited.

    So it goes through at the latest when the mistake is mended, and is one job for as long.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["drop_doubles"])
        found = await connection.fetch(_SQL["held_long_enough"], Job.PUSH_INCIDENT, *_PAUSES)
        if found:
            await Queries(AsyncpgDriver(connection)).requeue_jobs([JobId(row["id"]) for row in found])


async def forget_log(pool: asyncpg.Pool, now: datetime) -> None:
    """Delete what PgQueuer has kept of jobs for long enough; it never does, and each job and attempt adds to it."""
    for name in ("forget_log", "forget_statistics"):
        while await pool.execute(_SQL[name], now - LOG_KEPT, _STEP) == f"DELETE {_STEP}":
            pass
