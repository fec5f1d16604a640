"""Senders who are slow on purpose are cut off: each open body costs memory and a place, and a thousand cost nothing."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

log = structlog.get_logger(__name__)
GRACE = 30.0
"""Seconds that every body may take, however small."""
RATE = 4096.0
"""Bytes a second that must come beyond that: the slowest mobile network gives more."""
_LOOK = 2.0


class Pace:
    """Watches the bodies of requests under way: `middleware` is the outermost, `run` looks at them."""

    def __init__(self, *, grace: float = GRACE, rate: float = RATE, look: float = _LOOK) -> None:
        self._grace, self._rate, self._look = grace, rate, look
        self._under_way: dict[int, tuple[web.Request, float]] = {}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What sees every request."""
        if not request.body_exists:
            return await handler(request)
        self._under_way[id(request)] = request, asyncio.get_running_loop().time()
        try:
            return await handler(request)
        finally:
            del self._under_way[id(request)]

    async def run(self) -> None:
        """Cut off who is too slow, until cancelled."""
        while True:
            await asyncio.sleep(self._look)
            now = asyncio.get_running_loop().time()
            for request, began in list(self._under_way.values()):
                if now - began > self._grace + request.content.total_bytes / self._rate:
                    self._cut(request)

    def _cut(self, request: web.Request) -> None:
        if not request.content.is_eof() and request.transport is not None:
            log.info("sender_too_slow", path=request.path, received=request.content.total_bytes)
            request.transport.abort()
