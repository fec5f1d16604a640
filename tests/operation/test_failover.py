"""The primary is lost under load and its synchronous standby takes over: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from hotline.errors import Unavailable
from hotline.store.database import open_pool
from hotline.store.hosts import Hosts, connect, hosts_of
from tests.chaos import Watcher, counted, ended, settled
from tests.load import Citizens, Ledger
from tests.pair import Pair
from tests.ports import free_port


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])
async def test_nothing_is_lost_or_doubled_when_the_primary_goes(number: int) -> None:
    ledger = Ledger()
    async with Pair() as house, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as session:
        await house.in_sync()
        house.add_staff("watcher", "supervisor")
        house.start_desk("--fault", "twice")
        await house.serve()
        load, watcher = Citizens(house, ledger, seed=5), Watcher(house)
        watching = asyncio.create_task(watcher.run(session))
        sending = [asyncio.create_task((load.wechat if n % 4 == 0 else load.app)(session, n)) for n in range(12)]
        await more(ledger, 150)
        before = len(ledger.acknowledged)
        began = time.monotonic()
        await house.fail_over(number)
        promoted = time.monotonic() - began
        await more(ledger, 1)
        print(f"promoted after {promoted:.1f} s, the first appeal after {time.monotonic() - began:.1f} s")
        await more(ledger, 150)  # the service goes on by itself
        if number == signal.SIGSTOP:
            house.first.signal(signal.SIGKILL)  # the old primary is fenced, late
        load.stop.set()
        await asyncio.gather(*sending)
        await settled(house, [watcher])
        await ended([watching])
        found = await counted(house, ledger, [watcher])
        assert before >= 150
        assert {kind: count for kind, count in found.items() if count} == {}


async def test_a_standby_named_first_is_passed_over() -> None:
    async with Pair() as house:
        dsn = (f"postgresql://postgres@127.0.0.1:{house.second.port},127.0.0.1:{house.first.port}/postgres"
               "?target_session_attrs=read-write")
        connection = await connect(dsn)
        assert not await connection.fetchval("SELECT pg_is_in_recovery()")
        await connection.close()
        async with await open_pool(dsn, size=2) as pool:
            assert await pool.fetchval("SHOW transaction_read_only") == "off"
        house.first.signal(signal.SIGKILL)
        with pytest.raises(Unavailable, match="cannot be used"):
            await open_pool(dsn, size=1)


async def more(ledger: Ledger, count: int) -> None:
    """Wait until `count` more appeals were acknowledged."""
    wanted = len(ledger.acknowledged) + count
    async with asyncio.timeout(120):
        while len(ledger.acknowledged) < wanted:
            await asyncio.sleep(0.05)


# ── several hosts ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("dsn", "hosts"), [
    ("postgresql://u:p@a:1,b:2/x?target_session_attrs=read-write",
     ["postgresql://u:p@a:1/x?target_session_attrs=read-write",
      "postgresql://u:p@b:2/x?target_session_attrs=read-write"]),
    ("postgresql://u:p,q@a/x", ["postgresql://u:p,q@a/x"]),
    ("postgresql://postgres:@/postgres?host=/var/run", ["postgresql://postgres:@/postgres?host=/var/run"]),
    ("postgresql://[::1]:5432,db2/x", ["postgresql://[::1]:5432/x", "postgresql://db2/x"]),
])
def test_hosts_are_told_apart(dsn: str, hosts: list[str]) -> None:
    assert hosts_of(dsn) == hosts


async def test_a_host_that_is_silent_costs_its_own_time_only(postgres: str) -> None:
    """A server that accepts and says nothing stands before the good one."""
    mute = await asyncio.start_server(_nothing, "127.0.0.1", 0)
    silent = f"127.0.0.1:{mute.sockets[0].getsockname()[1]}"
    socket_dir = postgres.partition("host=")[2]
    async with mute:
        hosts = Hosts(f"postgresql://postgres@{silent},/postgres?host={socket_dir}", timeout=0.5)
        hosts._found[0] = f"postgresql://postgres@{silent}/postgres"  # the query's host= would hide it
        for _ in range(2):
            connection = await hosts.connect()
            assert await connection.fetchval("SELECT 1") == 1
            await connection.close()
        assert hosts._found[0].endswith(socket_dir), "the good one is asked first from now on"


async def _nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.mark.parametrize("attempt", [
    lambda dsn: connect(dsn), lambda dsn: open_pool(dsn, size=1),
])
async def test_when_no_host_answers_the_last_error_is_told(attempt: Callable[[str], Awaitable[object]]) -> None:
    dsn = f"postgresql://postgres@127.0.0.1:{free_port()},127.0.0.1:{free_port()}/x?target_session_attrs=read-write"
    with pytest.raises((OSError, Unavailable)):
        await attempt(dsn)
