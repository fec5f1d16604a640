"""Several real processes over one database: readers, sweeps and assignment, while some of them are killed."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from hotline.errors import Unavailable
from hotline.store.database import open_pool
from hotline.store.steering import sole_owner
from hotline.store.telephone import TelephoneStore
from routing.call_words import Missed
from routing.calls import Call, Phase
from tests.hotline.test_intake import all_rows, inbound, intake_over
from tests.processes import House
from tests.store.test_callbacks import desk

LEFT = """
SELECT (SELECT count(*) FROM incidents WHERE state = 'pending') AS incidents,
       (SELECT count(*) FROM tickets WHERE attention_at <= now()) AS due,
       (SELECT count(*) FROM readers WHERE name = 'search'
        AND position < (SELECT max(position) FROM ticket_events WHERE type = 'receive')) AS search,
       (SELECT count(*) FROM ticket_events
        WHERE position > (SELECT through FROM audit_chain ORDER BY n DESC LIMIT 1)) AS audit
"""
TWICE = """
SELECT ticket_id, doc::jsonb -> 'fact' ->> 'clock' AS clock, doc::jsonb -> 'fact' ->> 'light' AS light
FROM ticket_events WHERE type = 'show_light' GROUP BY 1, 2, 3 HAVING count(*) > 1
"""


async def until(holds: Callable[[], Any], *, patience: float = 120) -> None:
    """Wait until `holds` returns True, and say what it returned at last where it never does."""
    found, end = None, asyncio.get_running_loop().time() + patience
    while (found := await holds()) is not True:
        assert asyncio.get_running_loop().time() < end, found
        await asyncio.sleep(0.1)


def hotline(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hotline", *arguments]
    return subprocess.run(command, env=house.environment(), capture_output=True, text=True, check=False)


async def appeals(house: House, count: int) -> None:
    async with intake_over(house.dsn) as intake:
        for n in range(count):
            await intake.submit(inbound("厂房着火了" if n % 5 == 0 else f"体育路第{n}盏路灯不亮"))


@pytest.mark.slow
async def test_readers_and_sweeps_do_everything_once_while_processes_die() -> None:
    """The tickets are of long ago: time has done everything to them that it does."""
    async with House(durable=False) as house:
        house.start_desk("--fault", "twice")

        def start(name: str) -> None:
            house.run(name, "serve", "--role", "jobs")

        for name in ("jobs-1", "jobs-2"):
            start(name)
        await appeals(house, 20)
        await until(lambda: _read(house, "SELECT count(*) > 0 FROM ticket_search"))
        house.kill("jobs-1")
        await appeals(house, 10)
        start("jobs-1")
        await until(lambda: _read(house, "SELECT count(*) > 5 FROM ticket_events WHERE type = 'show_light'"))
        house.kill("jobs-2")
        await appeals(house, 10)
        start("jobs-2")

        await until(lambda: _settled(house))
        keys = [row["key"] for row in await all_rows(house.dsn, "SELECT key FROM incidents ORDER BY key")]
        assert sorted(str(one["key"]) for one in house.incidents()) == keys, "each emergency once at the desk"
        assert len(keys) == 8
        assert await all_rows(house.dsn, TWICE) == []
        found = await asyncio.to_thread(hotline, house, "figures", "check")
        assert (found.returncode, found.stderr) == (0, ""), found.stdout
        found = await asyncio.to_thread(hotline, house, "audit", "verify")
        assert found.returncode == 0, found.stdout
        for name in ("jobs-1", "jobs-2"):
            house.process(name).send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(house.process(name).wait, 30) == 0
            assert "Traceback" not in house.log_of(name)


async def _settled(house: House) -> bool | dict[str, int]:
    left = dict((await all_rows(house.dsn, LEFT))[0])
    return not any(left.values()) or left


async def _read(house: House, query: str, *arguments: object) -> Any:
    return (await all_rows(house.dsn, query, *arguments))[0][0]


async def test_who_is_heard_no_more_loses_the_right_to_assign(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine has no power any more: nobody closes its connection."""
    monkeypatch.setattr("hotline.store.steering.SILENCE", 0.5)
    async with sole_owner(database) as silent:
        monkeypatch.undo()
        async with asyncio.timeout(20), sole_owner(database, retry=0.02) as owner:
            await owner.still()
            with pytest.raises(Unavailable, match="lost"):
                await silent.still()


async def test_a_process_that_stood_still_brings_no_call_back_that_has_ended(database: str) -> None:
    """It knows the call as it was, until it notices that another steers."""
    began = datetime.now(UTC)
    call = Call(id="c1", caller="", called="12345", queue="general", arrived=began, phase=Phase.RINGING, agent="wang",
                asked_at=began)
    over = msgspec.structs.replace(call, phase=Phase.OVER, ended_at=began, debt=Missed())
    async with await open_pool(database, size=2) as pool:
        store = TelephoneStore(pool)
        for one in (call, over, call):
            await store.save(one, now=began)
        assert await store.under_way() == [over]
        await store.settled("c1")
        await store.save(call, now=began)
        assert (await store.under_way(), await store.is_over("c1")) == ([], True)


# ── assignment ───────────────────────────────────────────────────────────────────────────────────
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE locktype = 'advisory' AND datname = current_database() AND pid <> pg_backend_pid()
"""
STEERING = """
import asyncio, sys
import asyncpg
from hotline.store.steering import sole_owner

async def main(dsn, name):
    async with sole_owner(dsn, retry=0.02) as owner:
        connection = await asyncpg.connect(dsn)
        while True:
            await owner.still()
            await connection.execute("INSERT INTO turns (who) VALUES ($1)", name)
            await asyncio.sleep(0.01)

asyncio.run(main(*sys.argv[1:]))
"""
TAKING = """
import asyncio, sys
from pathlib import Path
from hotline import keyring
from hotline.core import now
from hotline.store import sealing
from tests.store.test_callbacks import desk

async def main(dsn, name, keys):
    sealing.use(keyring.load(Path(keys), named=True, at=now()))
    async with desk(dsn) as d:
        for n in range(1000):
            taken = await d.callbacks.take(f"{name}-{n}", by=f"agent:{name}-{n}")
            if taken is None:
                return
            print(taken.id, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def started(script: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *arguments, cwd=Path.cwd(), stdout=asyncio.subprocess.PIPE,
    )


async def test_calls_are_assigned_by_one_process_and_by_the_next_when_it_dies(database: str) -> None:
    await all_rows(database, "CREATE TABLE turns (id bigint GENERATED ALWAYS AS IDENTITY, who text NOT NULL)")
    running = {name: await started(STEERING, database, name) for name in ("a", "b", "c")}
    seen: list[str] = []

    async def another() -> bool:
        rows = await all_rows(database, "SELECT who FROM turns ORDER BY id DESC LIMIT 1")
        if rows and rows[0]["who"] not in seen:
            seen.append(rows[0]["who"])
            return True
        return False

    try:
        for _ in range(3):
            await until(another)
            running[seen[-1]].kill()
            await running[seen[-1]].wait()
    finally:
        for process in running.values():
            if process.returncode is None:
                process.kill()
            await process.wait()
    turns = [row["who"] for row in await all_rows(database, "SELECT who FROM turns ORDER BY id")]
    assert [who for who, _ in itertools.groupby(turns)] == seen, "never two at a time, never one again"
    assert sorted(seen) == ["a", "b", "c"]


async def test_callbacks_are_given_to_one_agent_each_by_several_processes(database: str) -> None:
    async with desk(database) as d:
        owed = [(await d.miss(f"138001{n:05d}")).id for n in range(60)]
    keys = os.environ["HOTLINE_KEYS_FILE"]
    processes = [await started(TAKING, database, name, keys) for name in ("a", "b", "c")]
    async with asyncio.timeout(90):
        told = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0, 0, 0]
    taken: Sequence[str] = [line for out, _ in told for line in out.decode().split()]
    assert sorted(map(int, taken)) == sorted(owed)


async def test_the_right_to_assign_is_lost_with_its_connection(database: str) -> None:
    async with sole_owner(database) as owner:
        await owner.still()
        connection = await asyncpg.connect(database)
        await connection.execute(CUT)
        await connection.close()
        with pytest.raises(Unavailable, match="lost"):
            await owner.still()
