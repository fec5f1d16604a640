"""Adapter for what 110 tells of an incident that we pushed: `POST /api/v1/police/incidents/{key}`, signed.

`key` is the `Idempotency-Key` of the push. Repeats are harmless, so a replay inside the window changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from channels.appeal_codec import decode_json
from hotline.ports import Clock
from hotline.signing import verify

Update = Callable[[str, str, str], Awaitable[None]]
"""Takes key, status and text; raises NotFound, IllegalTransition, RuleViolation."""


class IncidentUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """`signed` a unit is on it, `returned` not a matter of 110 (`text` says why), `closed` dealt with."""

    status: Literal["signed", "returned", "closed"]
    text: Annotated[str, Meta(max_length=2000)] = ""


_decoder = msgspec.json.Decoder(IncidentUpdate)


def routes(update: Update, *, secret: str, clock: Clock) -> list[web.AbstractRouteDef]:
    """Return the route."""

    async def post(request: web.Request) -> web.Response:
        body = await request.read()
        timestamp, given = request.headers.get("X-Timestamp", ""), request.headers.get("X-Signature", "")
        verify(secret, timestamp, given.strip(), body, now=clock())
        told = decode_json(_decoder, body)
        await update(request.match_info["key"], told.status, told.text)
        return web.Response(status=204)

    return [web.post("/api/v1/police/incidents/{key}", post)]
