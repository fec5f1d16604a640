"""The stand-in for the 110 desk tells the hotline what it has signed, as the true desk does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.police_codec import IncidentUpdate, decode_update
from channels.signed import signed_body
from hotline.standins.desk110 import Desk
from routing.police110 import PoliceDesk

SECRET = "shared"


def now() -> datetime:
    return datetime.now(UTC)


class Hotline:
    """Hears what the desk tells; is away the first time."""

    def __init__(self) -> None:
        self.heard: list[IncidentUpdate] = []
        self.away, self.told = 1, asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/v1/police/incidents/{key}", self._hear)
        return app

    async def _hear(self, request: web.Request) -> web.Response:
        update = decode_update(await signed_body(request, SECRET, now), key=request.match_info["key"])
        if self.away:
            self.away -= 1
            return web.Response(status=503)
        self.heard.append(update)
        self.told.set()
        return web.Response(status=204)


@pytest.mark.parametrize(("fault", "signs"), [("none", True), ("unsigned", False), ("refusing", False)])
async def test_it_signs_what_it_has_taken_until_the_hotline_has_heard_it(fault: str, signs: bool) -> None:
    hotline = Hotline()
    async with TestServer(hotline.app()) as ours:
        desk = Desk(secret=SECRET, fault=fault, hotline=str(ours.make_url("/")), signs_after=0.01)
        async with TestServer(desk.app()) as theirs:
            client = PoliceDesk(url=str(theirs.make_url("")), secret=SECRET, clock=now, timeout=5.0)
            await client.push("DG1:1", {"number": "DG1"})
            if signs:
                async with asyncio.timeout(20):
                    await hotline.told.wait()
            await client.close()
    assert hotline.heard == ([IncidentUpdate(key="DG1:1", status="signed")] if signs else [])
