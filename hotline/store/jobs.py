"""Jobs in the ticket's own transaction: what must happen outside is written with what decided it (PgQueuer)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries


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
