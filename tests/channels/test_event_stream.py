"""Streams of events: bounded, ended by their listener, by what they tell, or by the service; an outage is told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.event_stream import Step, Streams, event
from channels.problem import problems
from hotline.errors import Unavailable

NOW = event("now", b"{}")


class Site:
    """A service with one stream; `step` may be set to another."""

    def __init__(self) -> None:
        self.streams = Streams(most=1, every=0.01, retry=1500, instead="/now")
        self.step: Step = self._now
        app = web.Application(middlewares=[problems])
        app.router.add_get("/stream", lambda request: self.streams.send(request, self.step))
        self.server = TestServer(app)

    async def _now(self) -> tuple[bytes, bool]:
        return NOW, True


@pytest.fixture
async def site() -> AsyncIterator[tuple[Site, aiohttp.ClientSession]]:
    made = Site()
    await made.server.start_server()
    async with aiohttp.ClientSession(str(made.server.make_url("/"))) as session:
        yield made, session
    await made.server.close()


async def test_a_stream_goes_on_and_says_when_to_come_back(site: tuple[Site, aiohttp.ClientSession]) -> None:
    async with site[1].get("/stream") as answer:
        assert answer.content_type == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        assert await answer.content.readexactly(13 + 3 * len(NOW)) == b"retry: 1500\n\n" + 3 * NOW


async def test_one_too_many_is_told_what_to_ask_instead(site: tuple[Site, aiohttp.ClientSession]) -> None:
    async with site[1].get("/stream") as answer:
        await answer.content.readexactly(20)
        async with site[1].get("/stream") as other:
            assert other.status == 429
            assert "/now" in await other.text()
    async with asyncio.timeout(20):
        while (again := await site[1].get("/stream")).status == 429:
            again.close()  # the first one is not yet known to be gone
            await asyncio.sleep(0.01)
    again.close()


async def test_what_says_that_no_more_follows_ends_the_stream(site: tuple[Site, aiohttp.ClientSession]) -> None:
    turns = itertools.count()

    async def step() -> tuple[bytes, bool]:
        return NOW, next(turns) < 2

    site[0].step = step
    async with site[1].get("/stream") as answer:
        assert (await answer.read()).endswith(b"\n\n" + 3 * NOW)


async def test_the_end_of_the_service_ends_the_stream(site: tuple[Site, aiohttp.ClientSession]) -> None:
    async with site[1].get("/stream") as answer:
        await answer.content.readexactly(20)
        await site[0].streams.close(web.Application())
        async with asyncio.timeout(20):
            assert (await answer.read()).endswith(b"{}\n\n")  # a whole event


async def test_an_outage_is_an_error_at_first_and_an_event_later(site: tuple[Site, aiohttp.ClientSession]) -> None:
    turns = itertools.count()

    async def step() -> tuple[bytes, bool]:
        if next(turns) % 2 == 0:
            raise Unavailable("the database is away")
        return NOW, True

    site[0].step = step
    async with site[1].get("/stream") as refused:
        assert refused.status == 503
    async with site[1].get("/stream") as answer:
        told = event("unavailable", b'{"error_id":"unavailable"}')
        assert (await answer.content.readexactly(13 + len(NOW + told + NOW))).endswith(NOW + told + NOW)
