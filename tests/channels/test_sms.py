"""The SMS gateway as we reach it, against its stand-in and every fault; a key reaches a telephone once."""

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
from hotline.errors import HotlineError, RateLimited, RuleViolation, Unavailable
from hotline.standins.sms import SmsStandIn
from hotline.terms import Channel

SECRET = "shared-with-the-gateway"
MESSAGE = Outbound(channel=Channel.CALL, key="notice-DG1-4", to="+8613800138000", text="【东莞12345】工单DG1:已办结。")


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def gateway(fault: str = "none", *, secret: str = SECRET) -> AsyncIterator[tuple[SmsStandIn, Gateway]]:
    standin = SmsStandIn(secret=SECRET, fault=fault, delay=5)
    server = TestServer(standin.app())
    await server.start_server()
    try:
        async with aiohttp.ClientSession() as session:
            yield standin, Gateway(
                session, name="the gateway", url=str(server.make_url("/sms")), secret=secret, clock=now, timeout=0.5
            )
    finally:
        await server.close()


EXPECTED: dict[str, type[HotlineError] | None] = {
    "none": None, "slow": Unavailable, "down": Unavailable, "refusing": RuleViolation, "busy": RateLimited,
    "error": Unavailable, "twice": Unavailable,
}


@pytest.mark.parametrize("fault", SmsStandIn.FAULTS)
async def test_every_fault_is_what_it_is(fault: str) -> None:
    async with gateway(fault) as (standin, client):
        expected = EXPECTED[fault]
        if expected is None:
            await client.send(MESSAGE)
        else:
            with pytest.raises(expected):
                await client.send(MESSAGE)
        standin.fault = "none"
        await client.send(MESSAGE)
        [arrived] = standin.messages.values()
        assert (arrived.letter.to, arrived.letter.text) == (MESSAGE.to, MESSAGE.text)


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


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("", 60), ("soon", 60), ("999999", 3600), ("-1", 60)])
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
