"""Adapter for what 110 tells of an incident that we pushed: `POST /api/v1/police/incidents/{key}`, signed.

`key` is the `Idempotency-Key` of the push, and stands in the signed body too. Repeats are harmless, so a replay inside
the window changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from channels.kit import read_limited
from channels.police_codec import decode_update
from hotline.ports import Clock
from hotline.signing import verify

Update = Callable[[str, str, str], Awaitable[None]]
"""Takes key, status and text; raises NotFound, IllegalTransition, RuleViolation."""

MAX_BODY = 64 * 1024


def routes(update: Update, *, secret: str, clock: Clock) -> list[web.AbstractRouteDef]:
    """Return the route."""

    async def post(request: web.Request) -> web.Response:
        body = await read_limited(request, MAX_BODY)
        timestamp, given = request.headers.get("X-Timestamp", ""), request.headers.get("X-Signature", "")
        verify(secret, timestamp, given.strip(), body, now=clock())
        told = decode_update(body, key=request.match_info["key"])
        await update(told.key, told.status, told.text)
        return web.Response(status=204)

    return [web.post("/api/v1/police/incidents/{key}", post)]
