"""The service as real processes: roles together and apart, workers, stopping, outages."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from agent_ui.page import DIST
from hotline import wechat_standin
from hotline.store.embedded import start_embedded, stop_embedded
from hotline.trial import DESK_PORT, PASSWORD
from tests.processes import TOKEN, WECHAT_TOKEN, House, console_ticket, free_port

LAMP = "体育路的路灯不亮"
FIRE = "厂房着火了, 有人被困在里面, 快来救人"
_keys = itertools.count(1)


@pytest.fixture(scope="module")
def base() -> Iterator[House]:
    """One database for all tests here, with a supervisor."""
    house = House(durable=False)
    house.dsn = start_embedded(house.home, durable=False)
    house.migrate()
    house.add_staff("wang", "supervisor")
    yield house
    stop_embedded(house.home)
    shutil.rmtree(house.home, ignore_errors=True)


@pytest.fixture
def house(base: House) -> Iterator[House]:
    """The house on ports of its own; its processes are gone afterwards."""
    base.http_port, base.ws_port, base.desk_port = free_port(), free_port(), free_port()
    yield base
    base.end()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=25)) as session:
        yield session


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
    """Return what an asynchronous condition gives as soon as it is true."""
    async with asyncio.timeout(25):
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
    async with asyncio.timeout(25):
        return await asyncio.to_thread(house.process(name).wait)


# ── all roles, and roles apart ───────────────────────────────────────────────────────────────────
async def test_one_process_has_every_role(house: House, session: aiohttp.ClientSession) -> None:
    house.start_desk()
    await house.serve()
    for path in ("/", "/console", "/healthz", "/readyz", "/metrics", "/openapi.json", "/open311/v2/services.json"):
        async with session.get(house.url + path) as answer:
            built = path not in ("/", "/console") or (DIST / "index.html").is_file()
            assert answer.status == (200 if built else 503), path
    await until(lambda: _listens(house.ws_port))
    async with console(session, house, "tickets") as socket:
        told = await appeal(session, house, FIRE)
        assert (told["http"], told["verdict"]) == (201, "emergency")
        await frame(socket, lambda f: told["number"] in json.dumps(f))
        await until(lambda: _at_desk(house, told["number"]))
    second = house.run("second", "serve")
    assert await ended(house, "second") == 2
    assert house.log_of("second").startswith(f"hotline: http_port: 127.0.0.1:{house.http_port} is in use")
    assert house.log_of("second").count("\n") == 1
    assert second.returncode == 2
    assert (await appeal(session, house))["http"] == 201, "the first one serves on"


async def test_the_demo_works_as_it_says(house: House, session: aiohttp.ClientSession) -> None:
    unset = dict.fromkeys(("HOTLINE_POLICE_URL", "HOTLINE_POLICE_SECRET", "HOTLINE_APP_TOKENS"), "")
    with contextlib.closing(_taken(DESK_PORT)):  # another port is found for the desk
        house.run("demo", "serve", "--demo", environment=unset)
        said = await until(lambda: _said(house, "demo", "Ctrl-C"))
    for page in ("/", "/console", "/desk", "/board", "/admin", "/openapi.json"):
        async with session.get(house.url + page) as answer:
            assert answer.status == (200 if page == "/openapi.json" or (DIST / "index.html").is_file() else 503)
            assert page == "/" or house.url + page in said
    for name in ("agent", "agent2", "supervisor", "department"):
        async with session.post(f"{house.url}/api/v1/login", json={"name": name, "password": PASSWORD}) as answer:
            assert answer.status == 200
    shell = said.partition("  试一试\n")[2].partition("\n\n")[0].replace("first-1", f"demo-{time.time_ns()}")
    curl = await asyncio.create_subprocess_shell(shell, stdout=asyncio.subprocess.PIPE)
    told = json.loads((await curl.communicate())[0])
    assert (told["category"], bool(told["department"])) == ("03/路灯", True)
    headers = {"Authorization": "Bearer demo-token-12345"}
    async with session.post(f"{house.url}/api/v1/appeals", json={"text": FIRE}, headers=headers) as answer:
        number = (await answer.json())["number"]
    desk = said.partition("110模拟台    ")[2].partition("\n")[0]

    async def at_desk() -> bool:
        async with session.get(desk) as answer:
            return number in await answer.text()
    await until(at_desk)
    house.process("demo").send_signal(signal.SIGINT)
    assert await ended(house, "demo") == 0
    assert "Traceback" not in house.log_of("demo")


def _taken(port: int) -> socket.socket:
    """Hold a port, if nobody does already."""
    held = socket.socket()
    with contextlib.suppress(OSError):
        held.bind(("127.0.0.1", port))
        held.listen()
    return held


async def _said(house: House, name: str, last: str) -> str:
    text = house.log_of(name)
    return text if last in text else ""


async def _at_desk(house: House, number: str) -> bool:
    return any(number in json.dumps(incident) for incident in house.incidents())


async def test_roles_work_together_from_processes_of_their_own(house: House, session: aiohttp.ClientSession) -> None:
    house.start_desk()
    house.run("gateway", "serve", "--role", "gateway")
    house.run("jobs", "serve", "--role", "jobs")
    await house.serve("--role", "intake")
    await until(lambda: _listens(house.ws_port))
    async with console(session, house, "tickets") as socket:
        told = await appeal(session, house, FIRE)
        await frame(socket, lambda f: told["number"] in json.dumps(f))
        await until(lambda: _at_desk(house, told["number"]))
        await _talk(session, house, socket)
    for name in ("jobs", "gateway", "service"):
        house.process(name).terminate()
        assert await ended(house, name) == 0
        assert "Traceback" not in house.log_of(name)


async def _talk(session: aiohttp.ClientSession, house: House, socket: ClientConnection) -> None:
    """A citizen writes in the chat; what the agent writes on the console comes back into it."""
    async with session.ws_connect(f"{house.url}/chat") as chat:
        await chat.send_json({"type": "hello"})
        assert (await chat.receive_json())["type"] == "welcome"
        await chat.send_json({"type": "message", "id": "m1", "text": "图书馆几点关门"})
        ack = await chat.receive_json()
        assert ack["type"] == "ack"
        assert [(await chat.receive_json())["author"] for _ in range(2)] == ["citizen", "hotline"]
        command = {"type": "add_message", "text": "您好, 图书馆晚上九点关门。", "inbound": False}
        await socket.send(json.dumps({
            "type": "command", "id": 7, "number": ack["appeal"]["number"], "command": command,
        }))
        assert (await frame(socket, lambda f: f.get("id") == 7))["type"] == "ok"
        line = await chat.receive_json(timeout=20)
        assert (line["author"], line["text"]) == ("hotline", "您好, 图书馆晚上九点关门。")


async def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    return False


# ── workers ──────────────────────────────────────────────────────────────────────────────────────
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
    await house.serve("--workers", "2")
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
    assert not await _listens(house.http_port)


def _runs(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


# ── stopping ─────────────────────────────────────────────────────────────────────────────────────
async def test_stopping_finishes_what_is_under_way(house: House, session: aiohttp.ClientSession) -> None:
    await house.serve()
    await until(lambda: _listens(house.ws_port))
    blocker = await asyncpg.connect(house.dsn)
    async with console(session, house) as socket, session.ws_connect(f"{house.url}/chat") as chat:
        await chat.send_json({"type": "hello"})
        assert (await chat.receive_json())["type"] == "welcome"
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
            under_way = [asyncio.create_task(appeal(session, house)) for _ in range(5)]
            await until(lambda: value(house, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"))
            house.process("service").terminate()
            assert (await chat.receive(timeout=20)).type is aiohttp.WSMsgType.CLOSE
            assert chat.close_code == aiohttp.WSCloseCode.GOING_AWAY
            with pytest.raises(ConnectionClosed):
                await frame(socket, lambda f: False)
            assert house.process("service").poll() is None, "it waits for the requests"
        answers = await asyncio.gather(*under_way)
    await blocker.close()
    assert [answer["http"] for answer in answers] == [201] * 5
    assert await ended(house, "service") == 0
    numbers = [answer["number"] for answer in answers]
    assert await value(house, "SELECT count(*) FROM tickets WHERE number = ANY ($1)", numbers) == 5
    assert "Traceback" not in house.log_of("service")


# ── outage ───────────────────────────────────────────────────────────────────────────────────────
async def _wechat(session: aiohttp.ClientSession, house: House, number: int) -> str:
    now = int(time.time())
    body = wechat_standin.text_message(LAMP, open_id="o-spool", message_id=number, created=now)
    query = wechat_standin.signed_query(WECHAT_TOKEN, timestamp=now, nonce="n")
    async with session.post(f"{house.url}/wechat", data=body, params=query) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_a_wechat_delivery_survives_the_database_being_away(
    house: House, session: aiohttp.ClientSession
) -> None:
    await house.serve()
    await asyncio.to_thread(stop_embedded, house.home)
    try:
        async with asyncio.timeout(5):  # what WeChat waits
            assert await _wechat(session, house, 4711) == "success"
        async with asyncio.timeout(5):
            assert await _wechat(session, house, 4711) == "success"
        assert len(list((house.home / "data" / "spool").glob("*.json"))) == 1
        async with session.get(f"{house.url}/readyz") as answer:
            assert answer.status == 503
    finally:
        await asyncio.to_thread(start_embedded, house.home, durable=False)
    query = "SELECT count(*) FROM inbox WHERE channel = 'wechat' AND external_id = '4711'"
    await until(lambda: value(house, query))

    async def spool_empty() -> bool:
        return not any((house.home / "data" / "spool").iterdir())
    await until(spool_empty)
    answers = {await _wechat(session, house, 4711) for _ in range(2)}
    number = await value(house, "SELECT number FROM tickets JOIN inbox ON ticket_id = id WHERE external_id = '4711'")
    assert all(number in answer for answer in answers)
    assert await value(house, query) == 1
    assert await value(house, "SELECT count(*) FROM outbox WHERE key = 'answer-4711'") == 1
    assert (await appeal(session, house))["http"] == 201
