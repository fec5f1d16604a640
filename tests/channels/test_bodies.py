"""Large bodies share a room: when it is full large files wait outside, and words still come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels import appeals
from channels.kit import SMALL, Bodies
from channels.problem import problems
from hotline import roles
from hotline.appeal import UNTRIAGED
from hotline.city import load_city
from hotline.config import Settings
from hotline.core import open_core
from tests.channels.memory import MemoryPort
from tests.channels.test_appeals import APP, PNG, TOKENS
from tests.ports import free_port

MIB = 1024 * 1024
UPLOAD = "/api/v1/attachments?name=a.png"
LARGE = PNG + b"x" * 2 * MIB


@pytest.fixture
def bodies() -> Bodies:
    return Bodies(3 * MIB)


@pytest.fixture
async def client(bodies: Bodies, port: MemoryPort) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application(middlewares=[bodies.middleware, problems])
    app.add_routes(appeals.routes(port, tokens=TOKENS))
    async with TestClient(TestServer(app)) as client:
        yield client


def _form() -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("text", "路灯不亮")
    form.add_field("file", LARGE, filename="a.png")
    return form


async def test_a_full_room_refuses_large_bodies_and_takes_words(
    client: TestClient[web.Request, web.Application], bodies: Bodies, port: MemoryPort
) -> None:
    rest = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield LARGE
        await rest.wait()
        yield b"x"

    first = asyncio.create_task(client.post(UPLOAD, data=slow(), headers=APP))
    while bodies.held < len(LARGE) - SMALL:
        await asyncio.sleep(0.01)
    for path, data in ((UPLOAD, LARGE), ("/api/v1/appeals", _form())):
        answer = await client.post(path, data=data, headers=APP)
        assert (answer.status, (await answer.json())["error_id"]) == (503, "overloaded")
        assert answer.headers["Retry-After"] == "5"
    words = await client.post("/api/v1/appeals", json={"text": "救命" * 5000}, headers=APP)
    assert (words.status, len(port.inbounds)) == (201, 1)
    rest.set()
    assert (await first).status == 201
    assert bodies.held == 0
    assert (await client.post(UPLOAD, data=LARGE, headers=APP)).status == 201


async def test_a_sender_who_goes_away_gives_his_room_back(
    client: TestClient[web.Request, web.Application], bodies: Bodies
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield LARGE
        await asyncio.Event().wait()

    sending = asyncio.create_task(client.post(UPLOAD, data=endless(), headers=APP))
    while bodies.held < len(LARGE) - SMALL:
        await asyncio.sleep(0.01)
    sending.cancel()
    async with asyncio.timeout(20):
        while bodies.held:
            await asyncio.sleep(0.01)


async def test_the_service_has_such_a_room(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotline.roles.intake.ROOM", MIB)
    settings, city = Settings(http_port=free_port(), data_dir=str(tmp_path)), load_city(Path("cities/441900"))
    url = f"http://127.0.0.1:{settings.http_port}{UPLOAD}"
    async with open_core(
        settings, triage=lambda texts: [UNTRIAGED] * len(texts), city=city, dsn=database
    ) as core, roles.intake_role(core), aiohttp.ClientSession() as session:
        async with session.post(url, data=LARGE) as answer:
            assert (answer.status, (await answer.json())["error_id"]) == (503, "overloaded")
        async with session.post(url, data=LARGE[:MIB]) as answer:
            assert answer.status == 201
