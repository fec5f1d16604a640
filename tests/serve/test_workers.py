"""Workers as real processes: ports shared, a dead one replaced, none left over."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

import aiohttp

from tests.processes import House
from tests.serve.scene import appeal, console, ended, frame, listens, systemd, until


def _children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def _sockets(pid: int) -> set[str]:
    """Return the inodes of a process's sockets."""
    found = set()
    with contextlib.suppress(FileNotFoundError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(os.readlink(link).removeprefix("socket:[").removesuffix("]"))
    return found


async def _answering(parent: int, port: int) -> set[int]:
    """Connect to a port often and return which of the parent's children took the connections."""
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(24)]
    ours = {f"{writer.get_extra_info('sockname')[1]:04X}" for _, writer in connections}
    await asyncio.sleep(0.2)  # to be accepted
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[2].rpartition(":")[2] in ours}
    taken = {child for child in _children(parent) if _sockets(child) & inodes}
    for _, writer in connections:
        writer.close()
    return taken


async def test_workers_share_both_ports_and_a_dead_one_is_replaced(
    house: House, session: aiohttp.ClientSession
) -> None:
    with systemd(house) as (heard, told_where):
        await house.serve("--workers", "2", environment=told_where)
        assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(heard, 100), 30) == b"READY=1"
    parent = house.process("service").pid

    async def both_answer() -> bool:
        workers = _children(parent)
        with contextlib.suppress(ConnectionRefusedError):  # a worker listens on the WebSocket's port a moment later
            return len(workers) == 2 and all([
                await _answering(parent, port) == workers for port in (house.http_port, house.ws_port)
            ])
        return False
    await until(both_answer)
    async with console(session, house, "tickets") as socket:
        told = await appeal(session, house)
        await frame(socket, lambda f: told["number"] in json.dumps(f))
    killed = min(_children(parent))
    os.kill(killed, signal.SIGKILL)

    async def gone() -> bool:
        return killed not in _children(parent)
    await until(gone)
    await until(both_answer)
    assert (await appeal(session, house))["http"] == 201
    children = _children(parent)
    house.process("service").terminate()
    assert await ended(house, "service") == 0
    assert not any(_runs(child) for child in children)


async def test_workers_end_with_the_process_above_them(house: House) -> None:
    await house.serve("--workers", "2")
    parent = house.process("service").pid
    children = _children(parent)
    os.kill(parent, signal.SIGKILL)

    async def gone() -> bool:
        return not any(_runs(child) for child in children)
    await until(gone)
    assert not await listens(house.http_port)


def _runs(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
