"""Bytes that no client library sends, against a real service: malformed, huge, packed, slow, misnamed."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hotline.pace import Pace
from hotline.store.embedded import start_embedded, stop_embedded
from tests.fuzz.identities import environment, wechat
from tests.ports import free_port
from tests.processes import TOKEN, House

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
APP = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A service of its own for all tests here."""
    house = House(durable=False, environment=environment())
    house.dsn = start_embedded(house.home, durable=False)
    house.migrate()
    house.desk_port = free_port()
    asyncio.run(house.serve())
    yield house
    house.end()
    stop_embedded(house.home)
    shutil.rmtree(house.home, ignore_errors=True)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


async def talk(house: House, data: bytes) -> bytes:
    """Send bytes and return all that comes back until the service closes (or says nothing for a while)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.http_port)
    writer.write(data)
    said = b""
    try:
        async with asyncio.timeout(10):
            while not said.partition(b"\r\n\r\n")[2] and (more := await reader.read(65536)):
                said += more
    finally:
        writer.close()
    return said


# ── not HTTP ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("data", [
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
    b"GE\x00T / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no tls here\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.1\r\n请求: x\r\n\r\n".encode(), b"\r\n\r\n\r\nnonsense nonsense\r\n\r\n",
], ids=["line", "header", "method", "tls", "version", "space", "nul", "negative", "two lengths", "smuggled",
"chinese", "words"])
async def test_what_is_no_http_is_told_as_a_problem(house: House, data: bytes) -> None:
    head, _, body = (await talk(house, data)).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert b"application/problem+json" in head
    assert json.loads(body)["error_id"] == "invalid_input"
    assert "Traceback" not in house.log_of("service")


async def test_a_body_in_broken_chunks_is_refused(house: House) -> None:
    head = b"POST /api/v1/appeals HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    said = await talk(house, head + b"zz\r\n{}\r\n0\r\n\r\n")
    assert said.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert b"application/problem+json" in said


# ── deep, huge, packed ───────────────────────────────────────────────────────────────────────────
JSON_ROUTES = ["appeals", "login", "police/transfers", "tickets/DG2026112140000017/rating", "portal/appeals", "wishes"]
DEEP = [b"[" * 200_000, b'{"text":' * 50_000, b'{"text":"' + b"\\u0000" * 1000 + b'"}',
b'{"text":' + b"9" * 100_000 + b"}",
        b'\xff\xfe{"text":"x"}', b'{"text":"\\ud800"}', b"", b"null", b'{"text":"x"}' * 3, b"\x00" * 5000]


@pytest.mark.parametrize("route", JSON_ROUTES)
async def test_deep_and_odd_json_is_refused(house: House, session: aiohttp.ClientSession, route: str) -> None:
    for body in DEEP:
        headers = APP | {"Content-Type": "application/json"}
        async with session.post(f"{house.url}/api/v1/{route}", data=body, headers=headers) as answer:
            assert 400 <= answer.status < 500, (body[:40], await answer.text())
            assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("text", [
    "\u202e" * 4000, "e" + "\u0301" * 3999, "𠮷" * 4000, "\U0001f468\u200d\U0001f469" * 900, "\ufdfa" * 4000,
    "a\n" * 2000,
    "ﷺ路灯不亮" * 500, "\u2028\u2029\x85\x0b" * 900 + "路灯", "（" * 4000, "１１０" * 1000, "救命" * 2000, "0" * 4000,
])
async def test_odd_unicode_is_taken_or_refused_in_time(
    house: House, session: aiohttp.ClientSession, text: str
) -> None:
    began = time.monotonic()
    async with session.post(f"{house.url}/api/v1/appeals", json={"text": text}, headers=APP) as answer:
        assert answer.status in (201, 400), await answer.text()
    assert time.monotonic() - began < 30, "no expression runs away"


BOMBS = [
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]><xml><C>&b;</C></xml>',
    b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><Content>&e;</Content></xml>',
    b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><xml/>', b"<a>" * 50_000, b"<xml>" + b"<a/>" * 20_000 + b"</xml>",
    b"<xml>" + b"<" * 1000, b'<xml a="' + b"x" * 60_000 + b'"/>', b"\x00<xml/>", '<xml><内容/></xml>'.encode("utf-16"),
]


@pytest.mark.parametrize("body", BOMBS, ids=range(len(BOMBS)))
async def test_xml_bombs_are_refused(house: House, session: aiohttp.ClientSession, body: bytes) -> None:
    class Signed:
        headers: dict[str, str] = {}  # noqa: RUF012
        url = f"{house.url}/wechat"
    signed: Any = Signed()
    wechat(signed)
    async with session.post(signed.url, data=body, headers={"Content-Type": "text/xml"}) as answer:
        assert answer.status == 400, await answer.text()
        assert "root:" not in await answer.text()


def memory(house: House) -> int:
    """Return the resident bytes of the service."""
    return int(psutil.Process(house.pid_of("service")).memory_info().rss)


@pytest.mark.parametrize("route", ["appeals", "login", "attachments"])
async def test_a_packed_body_is_not_unpacked_beyond_the_limit(
    house: House, session: aiohttp.ClientSession, route: str
) -> None:
    bomb, before = gzip.compress(bytes(512 << 20), 1), memory(house)  # 512 MiB in about 2
    headers = APP | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    try:
        async with session.post(f"{house.url}/api/v1/{route}", data=bomb, headers=headers) as answer:
            assert answer.status in (400, 413, 415), await answer.text()
    except aiohttp.ClientError:
        pass  # cut off while it was sending
    assert memory(house) - before < 200 << 20


async def test_a_form_of_endless_parts_is_refused(house: House, session: aiohttp.ClientSession) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with session.post(f"{house.url}/api/v1/appeals", data=part * 5000 + b"--x--\r\n", headers=headers) as answer:
        assert (answer.status, (await answer.json())["error_id"]) == (413, "too_large")


# ── names and types ──────────────────────────────────────────────────────────────────────────────
TRICKS = ["../../../../etc/cron.d/x", "..\\..\\windows\\x.png", "/etc/passwd", "%2e%2e%2f%2e%2e%2fx.png",
"a\x00b.png", "CON.png",
          ".htaccess", "x.php%00.png", "\u202egnp.exe", "a" * 3000 + ".png", "", ".", "..", "~root", "$(id).png",
          "a\r\nX: y.png"]


@pytest.mark.parametrize("name", TRICKS)
async def test_no_name_leads_out_of_the_folder(house: House, session: aiohttp.ClientSession, name: str) -> None:
    folder = house.home / "data" / "attachments"
    async with session.post(f"{house.url}/api/v1/attachments", data=PNG, params={"name": name}, headers=APP) as answer:
        told = await answer.json()
        assert answer.status == 201, told
    assert not set(told["name"]) & set("/\\:\x00\r\n\u202e")
    assert len(told["name"]) <= 100
    assert told["name"].endswith(".png")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert [path.name for path in files if not re.match(r"[0-9a-f]{64}(\.|$)", path.name)] == []
    form = aiohttp.FormData({"text": "附件名测试"})
    form.add_field("file", PNG, filename=name.translate({0: None, 10: None, 13: None}) or "x", content_type="image/png")
    async with session.post(f"{house.url}/api/v1/appeals", data=form) as answer:
        assert answer.status in (201, 400)


@pytest.mark.parametrize("kind", [
    "text/xml", "application/jsonx", "multipart/form-data", "multipart/form-data; boundary=",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16", "text/plain; charset=nothing", "x/y", ";;;", "multipart/mixed; boundary=a",
    "image/png",
])
async def test_a_wrong_type_is_a_mistake_of_the_sender(
    house: House, session: aiohttp.ClientSession, kind: str
) -> None:
    for route in ("appeals", "login", "tickets/DG2026112140000017/messages"):
        headers = {"Content-Type": kind}
        async with session.post(f"{house.url}/api/v1/{route}", data=b'--a\r\n\r\n{"x"', headers=headers) as answer:
            assert 400 <= answer.status < 500, (kind, route, await answer.text())


# ── slow on purpose ──────────────────────────────────────────────────────────────────────────────
async def _said(reader: asyncio.StreamReader) -> bytes:
    """All that came until the connection ended, be it by an end or by a reset: which of them is the kernel's choice."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def test_a_slow_sender_is_cut_off_and_others_are_not() -> None:
    pace = Pace(grace=0.3, rate=1_000_000, look=0.05)
    app = web.Application(middlewares=[pace.middleware])

    async def taken(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    app.router.add_post("/", taken)
    watching = asyncio.create_task(pace.run())
    async with TestServer(app) as server, TestClient(server) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        said = asyncio.create_task(_said(reader))
        while not said.done():
            writer.write(b"x")
            await asyncio.wait([said], timeout=0.02)
        assert said.result() == b""
        writer.close()
        assert await (await client.post("/", data=bytes(900_000))).text() == "900000"

    watching.cancel()


async def test_a_thousand_idle_connections_do_not_hurt_others(house: House, session: aiohttp.ClientSession) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", house.http_port) for _ in range(800)]
    for _, writer in idle:
        writer.write(b"POST /api/v1/appeals HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n{")
    async with session.post(f"{house.url}/api/v1/appeals", json={"text": "路灯不亮"}, headers=APP) as answer:
        assert answer.status == 201
    for _, writer in idle:
        writer.close()


