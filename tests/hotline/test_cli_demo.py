"""The demo of every channel, and the stand-in for the 110 desk, as they run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from hotline.standins.desk110 import Desk
from hotline.trial import PASSWORD
from tests.hotline.command_line import Ended, hotline
from tests.ports import free_port
from tests.processes import POLICE_SECRET, House


async def test_demo_sends_on_every_channel_and_sums_up() -> None:
    async with House(durable=False, environment={"HOTLINE_LOG_LEVEL": "error"}) as house:
        house.start_desk()
        await house.serve("--workers", "1")
        settings = {
            name.removeprefix("HOTLINE_").lower(): value
            for name, value in house.environment().items() if name.startswith("HOTLINE_")
        }
        ended = await hotline("demo", "--rate", "40", "--seconds", "0.5", **settings)
        assert (ended.code, set(_rows(ended)) & {"call"}) == (0, set()), ended.out
        assert "call is left out: agent cannot log in: 401 " in ended.err
        added = await hotline(
            "user", "add", "agent", "--role", "agent", "--own", given=f"{PASSWORD}\n".encode(), **settings
        )
        assert added.code == 0, added.err
        for _ in range(2):  # the same seed twice makes new appeals, no repeats
            ended = await hotline("demo", "--rate", "40", "--seconds", "1.5", **settings)
            assert ended.code == 0, ended.out
            rows = _rows(ended)
            assert set(rows) == {"web", "chat", "app", "open311", "wechat", "police", "call"}
            assert sum(int(row[0]) for row in rows.values()) == 60
            assert all((row[0], row[2]) == (row[1], "0") for row in rows.values())
            assert "60/60" in ended.err
            assert "left out" not in ended.err
        async with aiohttp.ClientSession() as session, session.get(f"{house.url}/metrics") as answer:
            assert answer.status == 200
        assert await _count(house.dsn, "SELECT count(*) FROM tickets") == 140
        assert await _count(house.dsn, "SELECT count(*) FROM sessions") == 0, "the agent logs out"


def _rows(ended: Ended) -> dict[str, list[str]]:
    """Return the table's rows by channel."""
    return {row[0]: row[1:] for row in map(str.split, ended.out.splitlines()[1:])}


async def _count(dsn: str, query: str) -> int:
    import asyncpg

    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def _desk(*arguments: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hotline", "desk110", "--port", str(port), *arguments,
        env={**os.environ, "HOTLINE_POLICE_SECRET": POLICE_SECRET, "HOTLINE_LOG_LEVEL": "warning"},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(30):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{port}/") as answer:
                        if answer.status == 200:
                            break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _push(session: aiohttp.ClientSession, url: str, key: str) -> dict[str, Any] | int | None:
    """Push once: the answer, the status where it is none of success, or None where the connection was cut."""
    from datetime import UTC, datetime

    from hotline.signing import signed_headers

    body = msgspec.json.encode({"number": key})
    headers = {**signed_headers(POLICE_SECRET, body, now=datetime.now(UTC)), "Idempotency-Key": key}
    try:
        async with session.post(f"{url}/incidents", data=body, headers=headers) as answer:
            return dict(await answer.json()) if answer.status == 200 else answer.status
    except aiohttp.ServerDisconnectedError:
        return None


async def test_the_desk_shows_each_fault_while_it_runs(tmp_path: Path) -> None:
    assert set(Desk.FAULTS) == {"none", "slow", "down", "refusing", "twice", "error", "unsigned"}
    ledger = tmp_path / "desk.jsonl"
    start = _desk("--fault", "refusing", "--ledger", str(ledger))
    async with start as (url, process), aiohttp.ClientSession() as session:
        async def switch(**fault: Any) -> int:
            async with session.put(f"{url}/faults", json=fault) as answer:
                return answer.status

        async def push(key: str) -> Any:
            return await _push(session, url, key)

        refused = await push("refused")
        assert (refused["accepted"], refused["reason"]) == (False, "非警务警情")
        assert await switch(fault="none") == 200
        assert await push("refused") == refused, "a repeat gets the first answer"
        assert (await push("none"))["accepted"] is True
        assert await switch(fault="down") == 200
        assert await push("down") is None
        assert await switch(fault="error") == 200
        assert await push("error") == 500
        assert await switch(fault="twice") == 200
        assert [await push("twice") is None for _ in range(2)] == [True, False]
        assert await switch(fault="slow", delay=0.2) == 200
        assert (await push("slow"))["accepted"] is True
        assert [await switch(fault="sleepy"), await switch(fault="slow", delay=0), await switch()] == [400] * 3
        async with session.get(f"{url}/incidents") as answer:
            found = {one["key"]: one["pushes"] for one in await answer.json()}
        assert found == {"refused": 2, "none": 1, "twice": 2, "slow": 1}
        assert [json.loads(line)["key"] for line in ledger.read_text().splitlines()] == list(found)
        process.terminate()
        assert await process.wait() == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""
