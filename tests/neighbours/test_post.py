"""Neighbours as we reach them, over real HTTP."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hotline.ids import DepartmentCode
from hotline.neighbours import Neighbour
from routing.neighbour_post import NeighbourPost
from tests.cities import NOW


@pytest.mark.parametrize(("pieces", "read"), [
    ([b'{"num', b'ber":"GZ1"}'], b'{"number":"GZ1"}'), ([b"x" * 50_000] * 4, b"x" * 65_536),
])
async def test_an_answer_that_comes_in_pieces_is_read_to_its_end(pieces: list[bytes], read: bytes) -> None:
    """Half an answer is none to rely on, and a hand-over that was taken would be given up as refused."""
    async def take(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for piece in pieces:
            await answer.write(piece)
            for _ in range(100):  # whoever reads has had it before the next comes
                await asyncio.sleep(0)
        return answer

    app = web.Application()
    app.router.add_post("/hand-overs", take)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("")).rstrip("/")
        neighbour = Neighbour(code="4401", unit=DepartmentCode("广州"), url=url, secret="s")
        answer = await NeighbourPost(session, clock=lambda: NOW).post(neighbour, "hand-overs", "k", b"{}")
    assert answer == read
