"""Adapter for neighbours: other cities hand tickets over, and whoever holds one tells what becomes of it. Signed.

The code in the path says whose secret signs. A request that is played again inside its five minutes changes nothing:
keys and ids stand in the signed body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from channels.kit import json_response
from channels.message import Receipt
from channels.neighbour_codec import HandOver, Taken, Update, decode_hand_over, decode_update
from channels.openapi_document import Operation
from channels.signed import signed_body
from hotline.ports import Clock

_BASE = "/api/v1/neighbours/{code}"


class Desk(Protocol):
    """What is asked of `hotline.neighbour_desk.NeighbourDesk`."""

    async def take(self, code: str, given: HandOver) -> Receipt:
        """Take a ticket of another city."""
        ...

    async def update(self, code: str, update: Update) -> None:
        """Carry an update over."""
        ...


def routes(desk: Desk, *, secrets: Mapping[str, str], clock: Clock) -> list[web.AbstractRouteDef]:
    """Return the routes; `secrets` by the neighbours' codes."""

    async def opened(request: web.Request) -> tuple[str, bytes]:
        code = request.match_info["code"]
        return code, await signed_body(request, secrets.get(code, ""), clock)

    async def hand_over(request: web.Request) -> web.Response:
        code, body = await opened(request)
        receipt = await desk.take(code, decode_hand_over(body))
        return json_response(Taken(number=receipt.number), status=200 if receipt.repeat else 201)

    async def update(request: web.Request) -> web.Response:
        code, body = await opened(request)
        await desk.update(code, decode_update(body))
        return web.Response(status=204)

    return [web.post(f"{_BASE}/hand-overs", hand_over), web.post(f"{_BASE}/updates", update)]


_SIGNED = ("timestamp", "hmac")
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="post", path=f"{_BASE}/hand-overs", tag="邻居", parameters=_SIGNED, body={"application/json": HandOver},
        summary="Another city's hotline hands a ticket over, signed",
        answers={201: ("application/json", Taken), 200: ("application/json", Taken)},
        errors=("unauthenticated", "forbidden", "idempotency_key_reused", "overloaded", "unavailable"),
    ),
    Operation(
        method="post", path=f"{_BASE}/updates", tag="邻居", parameters=_SIGNED, body={"application/json": Update},
        summary="What a neighbour (city, grid) tells of a ticket handed over, signed", answers={204: ("", None)},
        errors=("unauthenticated", "not_found", "illegal_transition", "rule_violation", "idempotency_key_reused"),
    ),
)
