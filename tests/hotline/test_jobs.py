"""Jobs beside what goes wrong: a database that goes away, mistakes of the program, other sides that hang."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.types import QueueExecutionMode

from hotline import jobs
from hotline.jobs import Handler
from hotline.store.database import open_pool
from hotline.store.jobs import Job, enqueue


async def drained(pool: asyncpg.Pool, handler: Handler, job: Job) -> None:
    """Run a worker until nothing waits any more."""
    queue = jobs._queue(pool, {job: handler})
    await queue.run(
        mode=QueueExecutionMode.drain, heartbeat_timeout=jobs.HEARTBEAT, dequeue_timeout=timedelta(seconds=1)
    )


async def standing(pool: asyncpg.Pool) -> list[str]:
    return [row["status"] for row in await pool.fetch("SELECT status::text FROM pgqueuer ORDER BY id")]


async def test_a_job_that_cannot_be_put_back_runs_again(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database goes away under a job, and is still away when the job is to be put back into the queue."""
    ran: list[str] = []
    away = [True]
    execute = jobs._ListeningFirst.execute

    async def failing(self: jobs._ListeningFirst, query: str, *given: object) -> str:
        if away and "attempts = attempts + 1" in query:
            away.pop()
            raise asyncpg.ConnectionDoesNotExistError("the database has gone")
        return await execute(self, query, *given)

    async def work(key: str) -> None:
        ran.append(key)
        if len(ran) == 1:
            raise ConnectionError("the database has gone")

    monkeypatch.setattr(jobs._ListeningFirst, "execute", failing)
    async with await open_pool(database) as pool:
        async with pool.acquire() as connection:
            await enqueue(connection, Job.FETCH_MEDIA, ["a picture"])
        await drained(pool, work, Job.FETCH_MEDIA)
        assert (ran, away, await standing(pool)) == (["a picture"], [], ["picked"])
        await pool.execute("UPDATE pgqueuer SET heartbeat = now() - $1::interval", 2 * jobs.HEARTBEAT)  # time passes
        await drained(pool, work, Job.FETCH_MEDIA)
        assert (ran, await standing(pool)) == (["a picture"] * 2, [])


@pytest.mark.parametrize("error", [
    asyncpg.InternalClientError("a standby that is not promoted yet"), asyncpg.InterfaceError("closed"),
    OSError("reset"), asyncpg.DeadlockDetectedError("deadlock"),
])
async def test_a_lost_database_is_no_mistake_of_the_program(error: Exception) -> None:
    async def work(key: str) -> None:
        raise error

    with pytest.raises(RetryRequested):
        await jobs._entrypoint(work)(QueuedJob.model_construct(payload=b"a key"))
