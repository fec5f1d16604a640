"""Requests signed by a neighbour: what several adapters share."""

from __future__ import annotations

from aiohttp import web

from channels.kit import read_limited
from hotline.errors import Unauthenticated
from hotline.ports import Clock
from hotline.signing import verify

MAX_BODY = 256 * 1024


async def signed_body(request: web.Request, secret: str, clock: Clock, *, limit: int = MAX_BODY) -> bytes:
    """Return the body of a request that is signed with `secret`; without a body its path with query is signed.

    Raises:
        Unauthenticated: the signature is not right or not fresh, or there is no secret at all.
    """
    body = await read_limited(request, limit)
    if not secret:
        raise Unauthenticated("nobody is known here by this name")
    timestamp, given = request.headers.get("X-Timestamp", ""), request.headers.get("X-Signature", "")
    verify(secret, timestamp, given.strip(), body or request.raw_path.encode(), now=clock())
    return body
