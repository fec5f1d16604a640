"""Adapter for 110's non-police transfers: signed, timestamped, safe from replays.

A captured request is worthless: after five minutes its timestamp is stale; within them, the same signature is taken
only for the same delivery (a retry of the desk), which gets the first answer.
"""

from __future__ import annotations

from aiohttp import web

from channels import appeal_codec, police_codec
from channels.kit import JSON, read_limited
from channels.port import ChannelPort
from hotline.errors import IllegalTransition
from hotline.signing import verify

MAX_BODY = 256 * 1024


class Police:
    """Handlers over a port."""

    def __init__(self, port: ChannelPort, secret: str) -> None:
        self._port, self._secret = port, secret

    async def transfer(self, request: web.Request) -> web.Response:
        """Take a transfer: 201, or 200 with the same body for a repeat."""
        body, now = await read_limited(request, MAX_BODY), self._port.now()
        signature = request.headers.get("X-Signature", "").strip().lower()
        verify(self._secret, request.headers.get("X-Timestamp", ""), signature, body, now=now)
        inbound = police_codec.decode_transfer(body, key=request.headers.get("Idempotency-Key", ""), now=now)
        if not await self._port.take_nonce(signature, inbound.external_id):
            raise IllegalTransition("this signed request was used for another delivery", error_id="replayed")
        receipt = await self._port.submit(inbound)
        status = 200 if receipt.repeat else 201
        return web.Response(status=status, body=appeal_codec.encode_answer(receipt), content_type=JSON)


def routes(port: ChannelPort, *, secret: str) -> list[web.AbstractRouteDef]:
    """Return the routes; raises ValueError without a secret (`HOTLINE_POLICE_SECRET`): nothing could be trusted."""
    if not secret:
        raise ValueError("transfers from 110 need a shared secret")
    return [web.post("/api/v1/police/transfers", Police(port, secret).transfer)]
