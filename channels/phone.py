"""Adapter for calls: an agent opens a ticket. The console gateway calls `open_ticket`; the route does it over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from channels import appeal_codec, phone_codec
from channels.kit import JSON, MAX_WITH_FILES, read_limited, require_json, stored
from channels.message import Receipt
from channels.port import ChannelPort
from hotline.ids import StaffName

Authenticate = Callable[[web.Request], Awaitable[StaffName]]
"""Returns the agent of a request's session; raises Unauthenticated or Forbidden."""


async def open_ticket(port: ChannelPort, body: bytes, *, agent: StaffName) -> Receipt:
    """Open a ticket from a call; raises InvalidInput and what `ChannelPort.submit` raises."""
    inbound, files = phone_codec.decode_call_appeal(body, agent=agent, now=port.now())
    return await port.submit(phone_codec.with_files(inbound, await stored(port, files)))


def routes(port: ChannelPort, *, authenticate: Authenticate) -> list[web.AbstractRouteDef]:
    """Return the routes; `authenticate` knows the console's sessions."""

    async def post(request: web.Request) -> web.Response:
        agent = await authenticate(request)
        require_json(request)
        receipt = await open_ticket(port, await read_limited(request, MAX_WITH_FILES), agent=agent)
        status = 200 if receipt.repeat else 201
        return web.Response(status=status, body=appeal_codec.encode_answer(receipt), content_type=JSON)

    return [web.post("/api/v1/calls/appeals", post)]
