"""An HTTP port that closes serves whoever was let in before: proxies keep connections, and send no POST twice."""

from __future__ import annotations

import asyncio
import zlib

import pytest
import structlog
from aiohttp import web

from hotline import malformed
from hotline import web as house

GET = b"GET / HTTP/1.1\r\nHost: hotline\r\n\r\n"


async def served(_: web.Request) -> web.Response:
    return web.Response(text="served")


async def shut(host: str, port: int) -> None:
    """Wait until nobody is let in any more."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except ConnectionError:
            return
        writer.close()


async def test_who_was_let_in_before_the_port_closed_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(malformed, "LAST_REQUESTS", 600.0)
    app = web.Application()
    app.router.add_get("/", served)
    runner = malformed.Runner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    kept, new = [await asyncio.open_connection(host, port) for _ in range(2)]
    kept[1].write(GET)
    assert b"Connection: close" not in await kept[0].readuntil(b"served")
    stopping = asyncio.create_task(runner.cleanup())
    async with asyncio.timeout(30):
        await shut(host, port)
        for reader, writer in (kept, new):
            writer.write(GET)
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"Connection: close" in answer
    stopping.cancel()
    monkeypatch.setattr(malformed, "LAST_REQUESTS", 0.0)
    await runner.cleanup()


async def test_who_has_gone_before_the_answer_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    asked, told = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        asked.set()
        while request.transport is not None:
            await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_soon(told.set)
        return web.Response(text="late")

    app = web.Application()
    app.router.add_get("/", slow)
    runner = malformed.Runner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    _, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(GET)
    async with asyncio.timeout(30):
        await asked.wait()
        writer.transport.abort()
        await told.wait()
        await runner.cleanup()
    assert not caplog.records


async def test_who_goes_in_the_middle_of_a_body_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(malformed, "LAST_REQUESTS", 0.0)
    asked, over = asyncio.Event(), asyncio.Event()

    async def reads(request: web.Request) -> web.Response:
        asked.set()
        try:
            await request.content.read()
        finally:
            asyncio.get_running_loop().call_later(0, over.set)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", reads)
    runner = malformed.Runner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    _, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(b"POST / HTTP/1.1\r\nHost: hotline\r\nContent-Length: 500\r\n\r\n{")
    with structlog.testing.capture_logs() as told:
        async with asyncio.timeout(30):
            await asked.wait()
            writer.transport.abort()
            await over.wait()
            await runner.cleanup()
    assert [(line["event"], line["log_level"]) for line in told] == [("client_gone", "info")]


async def test_a_packed_body_is_refused_and_never_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(malformed, "LAST_REQUESTS", 0.0)
    packed, taken = zlib.compress(bytes(1 << 20)), []

    async def takes(request: web.Request) -> web.Response:
        taken.append(await request.read())
        return web.Response(text="taken")

    async def ready() -> dict[str, str]:
        return {}

    app = house.application([web.post("/", takes)], ready=ready, openapi=b"{}")
    bare = web.Application()
    bare.router.add_post("/", takes)
    for served_app, coding, status in (
        (app, "deflate", 415), (app, "GZIP", 415), (app, "br", 415), (app, "identity", 200), (bare, "deflate", 200),
    ):
        runner = malformed.Runner(served_app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection(*runner.addresses[0])
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n"
        writer.write(head.encode() + packed)
        async with asyncio.timeout(30):
            answer = await reader.readline()
            writer.close()
            await runner.cleanup()
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), (coding, answer)
    assert taken == [packed, packed]
