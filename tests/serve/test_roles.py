"""The service as real processes: all roles in one, the demo, and roles apart."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import time

import aiohttp
from websockets.asyncio.client import ClientConnection

from agent_ui.page import DIST
from hotline.store.owned import NOTE, identity
from hotline.trial import DESK_PORT, PASSWORD
from tests.processes import House
from tests.serve.scene import FIRE, appeal, console, ended, frame, listens, systemd, until


async def test_one_process_has_every_role(house: House, session: aiohttp.ClientSession) -> None:
    house.start_desk()
    await house.serve()
    for path in ("/", "/console", "/healthz", "/readyz", "/metrics", "/openapi.json", "/open311/v2/services.json"):
        async with session.get(house.url + path) as answer:
            built = path not in ("/", "/console") or (DIST / "index.html").is_file()
            assert answer.status == (200 if built else 503), path
    assert (house.home / "data" / NOTE).read_text() == await identity(house.dsn), "whose files these are"
    await until(lambda: listens(house.ws_port))
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
    with systemd(house) as (heard, told):
        house.run("gateway", "serve", "--role", "gateway", environment=told)
        house.run("jobs", "serve", "--role", "jobs")
        await house.serve("--role", "intake")
        assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(heard, 100), 30) == b"READY=1"
    assert await listens(house.ws_port), "systemd was told when the port was open"
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
