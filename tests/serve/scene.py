"""What citizens and staff do against a running service, and waiting for what comes of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import asyncpg
from websockets.asyncio.client import ClientConnection, connect

from tests.processes import TOKEN, House, console_ticket

LAMP = "体育路的路灯不亮"
FIRE = "厂房着火了, 有人被困在里面, 快来救人"
_keys = itertools.count(1)


async def appeal(session: aiohttp.ClientSession, house: House, text: str = LAMP) -> dict[str, Any]:
    """Send an appeal of its own and return the answer with its status."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": f"serve-{next(_keys)}"}
    async with session.post(f"{house.url}/api/v1/appeals", json={"text": text}, headers=headers) as answer:
        return {"http": answer.status, **await answer.json()}


@contextlib.asynccontextmanager
async def console(session: aiohttp.ClientSession, house: House, *topics: str) -> AsyncIterator[ClientConnection]:
    """A supervisor's console that follows topics."""
    ticket = await console_ticket(session, house, "wang")
    async with connect(house.ws_url, max_size=None) as socket:
        await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
        assert json.loads(await socket.recv())["type"] == "welcome"
        if topics:
            await socket.send(json.dumps({"type": "follow", "topics": topics}))
            await socket.send(json.dumps({"type": "ping"}))
            assert json.loads(await socket.recv())["type"] == "pong"
        yield socket


async def frame(socket: ClientConnection, wanted: Any) -> Any:
    """Return the first frame that `wanted` says yes to."""
    async with asyncio.timeout(20):
        while not wanted(found := json.loads(await socket.recv())):
            pass
        return found


async def until(condition: Any) -> Any:
    """Return what an asynchronous condition gives as soon as it is true; a service may have to start first."""
    async with asyncio.timeout(60):
        while not (found := await condition()):
            await asyncio.sleep(0.05)
        return found


async def value(house: House, query: str, *arguments: Any) -> Any:
    connection = await asyncpg.connect(house.dsn)
    try:
        return await connection.fetchval(query, *arguments)
    finally:
        await connection.close()


async def ended(house: House, name: str) -> int:
    """Wait for the end of a process and return its exit status."""
    async with asyncio.timeout(60):
        return await asyncio.to_thread(house.process(name).wait)


@contextlib.contextmanager
def systemd(house: House) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """Listen as systemd does for a service of `Type=notify`; yields the variable that tells the service where, too."""
    path = house.home / "systemd"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.setblocking(False)
        heard.bind(str(path))
        yield heard, {"NOTIFY_SOCKET": str(path)}
    path.unlink()


async def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    return False
