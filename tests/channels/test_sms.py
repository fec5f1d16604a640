"""The SMS gateway as we reach it, against its stand-in; its faults and repeats: `tests.channels.sending`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.message import Outbound
from channels.sms import Gateway
from channels.sms_codec import LONGEST
from hotline.errors import RateLimited, Unavailable
from hotline.standins.sms import SmsStandIn
from hotline.terms import Channel
from routing.police110 import PoliceDesk

SECRET = "shared-with-the-gateway"
MESSAGE = Outbound(channel=Channel.CALL, key="notice-DG1-4", to="+8613800138000", text="【东莞12345】工单DG1:已办结。")


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def gateway(*, secret: str = SECRET) -> AsyncIterator[tuple[SmsStandIn, Gateway]]:
    standin = SmsStandIn(secret=SECRET)
    server = TestServer(standin.app())
    await server.start_server()
    try:
        async with aiohttp.ClientSession() as session:
            yield standin, Gateway(
                session, name="the gateway", url=str(server.make_url("/sms")), secret=secret, clock=now, timeout=0.5
            )
    finally:
        await server.close()


async def test_a_wrong_secret_is_no_success() -> None:
    async with gateway(secret="another") as (standin, client):
        with pytest.raises(Unavailable, match="401"):
            await client.send(MESSAGE)
        assert standin.messages == {}


async def test_nobody_at_the_address_is_tried_again() -> None:
    async with aiohttp.ClientSession() as session:
        client = Gateway(session, name="x", url="http://127.0.0.1:9/sms", secret=SECRET, clock=now)
        with pytest.raises(Unavailable, match="does not answer"):
            await client.send(MESSAGE)


@pytest.mark.parametrize(("header", "seconds"), [
    ("7", 7), ("", 60), ("soon", 60), ("999999", 3600), ("-1", 60), ("0", 1), ("9" * 5_000, 3600),
])
async def test_how_long_a_busy_gateway_wants_us_to_wait(header: str, seconds: int) -> None:
    async def busy(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": header})

    app = web.Application()
    app.add_routes([web.post("/", busy)])
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession() as session:
        client = Gateway(session, name="x", url=str(server.make_url("/")), secret=SECRET, clock=now)
        with pytest.raises(RateLimited) as caught:
            await client.send(MESSAGE)
        assert caught.value.retry_after == seconds
    await server.close()


async def test_a_long_text_is_cut_and_whole_characters_stay() -> None:
    async with gateway() as (standin, client):
        await client.send(msgspec.structs.replace(MESSAGE, text="长" * 5000))
        [arrived] = standin.messages.values()
        assert len(arrived.letter.text.encode()) <= LONGEST
        assert set(arrived.letter.text) == {"长", "…"}


async def test_what_is_sent_elsewhere_is_not_taken() -> None:
    """A proxy that asks for a log-in, or has moved, answers the page behind its redirect with 200."""
    asked = []

    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPFound("/login")

    async def page(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="please log in")

    app = web.Application()
    app.add_routes([web.post("/{tail:.*}", moved), web.get("/login", page)])
    server = TestServer(app)
    await server.start_server()
    url = str(server.make_url("/desk"))
    desk = PoliceDesk(url=url, secret=SECRET, clock=now)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Unavailable, match="302"):
            await Gateway(session, name="the gateway", url=url, secret=SECRET, clock=now).send(MESSAGE)
    with pytest.raises(Unavailable, match="302"):
        await desk.report_outcome("outcome-1", {"incident": "1"})
    await desk.close()
    await server.close()
    assert asked == []
