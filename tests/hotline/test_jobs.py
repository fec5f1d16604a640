"""Jobs beside what goes wrong: a database that goes away, mistakes of the program, other sides that hang."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.types import QueueExecutionMode

from hotline import jobs
from hotline.handoff import Later
from hotline.jobs import Handler
from hotline.operation import JOBS
from hotline.store.database import open_pool
from hotline.store.jobs import LOG_KEPT, Job, begin_anew, enqueue, forget_log, restore


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


async def test_what_no_job_has_done_yet_is_counted_as_none(database: str) -> None:
    """An alarm on the first failure needs the series to be there before it (HotlineJobsFail)."""
    JOBS.clear()
    async with await open_pool(database) as pool:
        jobs._queue(pool, {Job.PUSH_INCIDENT: done})
    [told] = JOBS.collect()
    found = {one.labels["outcome"]: one.value for one in told.samples if one.name == "hotline_jobs_total"}
    assert found == {"done": 0, "later": 0, "failed": 0}


async def test_what_is_kept_of_jobs_tells_of_nobody(database: str) -> None:
    said = "the gateway said: 13800138000 is no number"
    ran: list[str] = []

    async def refused(key: str) -> None:
        ran.append(key)
        if len(ran) == 1:
            try:
                raise ValueError(said)
            except ValueError as error:
                raise Later(timedelta(0), said) from error
        raise ValueError(said)

    async with await open_pool(database) as pool, pool.acquire() as connection:
        await enqueue(connection, Job.SEND_MESSAGE, ["m1"])
        await drained(pool, refused, Job.SEND_MESSAGE)
        kept = await pool.fetch("SELECT status::text, traceback::text AS told FROM pgqueuer_log ORDER BY id")
    assert [row["status"] for row in kept] == ["queued", "picked", "queued", "picked", "failed"]
    told = [row["told"] for row in kept if row["told"]]
    assert ["138****8000" in one for one in told] == [True, True]
    assert not any("13800138000" in one for one in told)
    assert len(told[0]) < 1000  # of what is only tried again no more than why


async def test_what_became_of_jobs_is_forgotten(database: str) -> None:
    async with await open_pool(database) as pool, pool.acquire() as connection:
        for days in (0, LOG_KEPT.days + 1):
            await pool.execute("UPDATE pgqueuer_log SET created = created - make_interval(days => $1)", days)
            await enqueue(connection, Job.SEND_MESSAGE, [f"m{days}"])
            await drained(pool, done, Job.SEND_MESSAGE)
        await pool.execute(
            "INSERT INTO pgqueuer_statistics (created, count, priority, status, entrypoint) "
            "SELECT now() - interval '8 days', 1, 0, 'successful', 'send_message'"
        )
        assert await pool.fetchval("SELECT count(*) FROM pgqueuer_log") == 6
        await forget_log(pool, datetime.now(UTC))
        assert await pool.fetchval("SELECT count(*) FROM pgqueuer_log") == 3
        assert await pool.fetchval("SELECT count(*) FROM pgqueuer_statistics") == 0


async def mistaken(key: str) -> None:
    raise ZeroDivisionError


async def done(key: str) -> None:
    """All went well."""


async def wait(pool: asyncpg.Pool, **times: int) -> None:
    """Let the last failure be so long ago, of a job made that much earlier."""
    ago = [timedelta(seconds=times[name]) for name in ("made", "failed")]
    await pool.execute("UPDATE pgqueuer SET created = now() - $1::interval, updated = now() - $2::interval", *ago)


async def test_a_job_that_a_mistake_ended_stays_one_and_runs_again(database: str) -> None:
    async with await open_pool(database) as pool, pool.acquire() as connection:
        for _ in range(2):
            await restore(connection, Job.SEND_MESSAGE, ["m1"])
            await drained(pool, mistaken, Job.SEND_MESSAGE)
            assert await standing(pool) == ["failed"]
        await begin_anew(pool)
        assert await standing(pool) == ["failed"]  # it rests for ten seconds at least
        await wait(pool, made=11, failed=11)
        await begin_anew(pool)
        await drained(pool, done, Job.SEND_MESSAGE)
        assert await standing(pool) == []


@pytest.mark.parametrize(("job", "made", "failed", "again"), [
    (Job.SEND_MESSAGE, 3600, 1100, False), (Job.SEND_MESSAGE, 3600, 1300, True),
    (Job.SEND_MESSAGE, 10 * 86400, 3500, False), (Job.SEND_MESSAGE, 10 * 86400, 3700, True),
    (Job.PUSH_INCIDENT, 10 * 86400, 50, False), (Job.PUSH_INCIDENT, 10 * 86400, 70, True),
])
async def test_its_pauses_grow_and_end(database: str, job: Job, made: int, failed: int, again: bool) -> None:
    async with await open_pool(database) as pool, pool.acquire() as connection:
        await enqueue(connection, job, ["one"])
        await drained(pool, mistaken, job)
        await wait(pool, made=made, failed=failed)
        await begin_anew(pool)
        assert await standing(pool) == ["queued" if again else "failed"]


async def test_of_several_with_one_key_one_runs_again(database: str) -> None:
    async with await open_pool(database) as pool, pool.acquire() as connection:
        for _ in range(3):
            await enqueue(connection, Job.DELIVER, ["one"])  # as somebody has it sent again
            await drained(pool, mistaken, Job.DELIVER)
        await wait(pool, made=60, failed=40)
        await begin_anew(pool)
        assert await standing(pool) == ["queued"]


async def test_whoever_hangs_leaves_room_for_a_push_to_110(database: str) -> None:
    slow = [Job.SEND_MESSAGE, Job.DELIVER, Job.FETCH_MEDIA, Job.PUSH_PARCEL]
    hanging, pushed, answers = list[str](), asyncio.Event(), asyncio.Event()

    async def hang(key: str) -> None:
        hanging.append(key)
        await answers.wait()

    async def push(key: str) -> None:
        pushed.set()

    async with await open_pool(database) as pool, pool.acquire() as connection:
        for job in slow:
            await enqueue(connection, job, [f"{job}-{n}" for n in range(2 * jobs.BATCH)])
        handlers = dict.fromkeys(slow, hang) | {Job.PUSH_INCIDENT: push}
        worker = asyncio.create_task(jobs.run_jobs(pool, handlers, {}))
        try:
            async with asyncio.timeout(20):
                while len(hanging) < sum(jobs.AT_ONCE.values()):
                    await asyncio.sleep(0.05)
                await enqueue(connection, Job.PUSH_INCIDENT, ["an emergency"])
                await pushed.wait()
        finally:
            answers.set()
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)


async def test_a_file_that_takes_long_holds_up_no_worker_that_ends(database: str) -> None:
    """Its job is put back at once, for whichever worker comes next."""
    fetching, comes = asyncio.Event(), asyncio.Event()

    async def fetch(_: str) -> None:
        fetching.set()
        await comes.wait()

    async with await open_pool(database) as pool, pool.acquire() as connection:
        await enqueue(connection, Job.FETCH_MEDIA, ["a video"])
        worker = asyncio.create_task(jobs.run_jobs(pool, {Job.FETCH_MEDIA: fetch}, {}))
        try:
            async with asyncio.timeout(20):
                await fetching.wait()
                worker.cancel()
                await asyncio.wait({worker})
            assert await standing(pool) == ["queued"]
        finally:
            comes.set()
