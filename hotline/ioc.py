"""The operation centre's feed (智慧城市运行中心 IOC): live figures and hot spots, as JSON and server-sent events.

Read only, with tokens of its own. A stream sends an event `live` each second and `hot_spots` each half minute, always
the newest: one that is slow to read misses values, never their order, and holds nobody up.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from channels.event_stream import EVENTS, Streams, event
from channels.kit import JSON, named_by_secret
from channels.openapi_document import Operation
from hotline.errors import Unauthenticated
from hotline.live import HotSpots, LiveFigures
from hotline.metric_views import Live

MAX_STREAMS = 50
EVERY, SPOTS_EVERY = 1.0, 30.0
_TAG = "运行中心 IOC"
_ERRORS = ("unauthenticated", "unavailable")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path="/api/v1/ioc/live", tag=_TAG, security=("ioc",), errors=_ERRORS,
        summary="Live figures: today's volumes and metrics, the telephone's last 24 hours, where tickets stand",
        answers={200: (JSON, Live)},
    ),
    Operation(
        method="get", path="/api/v1/ioc/hot-spots", tag=_TAG, security=("ioc",), errors=_ERRORS,
        summary="What is a hot spot now: one matter told in one place by more people than is usual there",
        answers={200: (JSON, HotSpots)},
    ),
    Operation(
        method="get", path="/api/v1/ioc/stream", tag=_TAG, security=("ioc",), errors=(*_ERRORS, "rate_limited"),
        summary="The same as server-sent events: `live` each second, `hot_spots` each 30 seconds",
        answers={200: (EVENTS, {"type": "string"})},
    ),
)


class Ioc:
    """The feed's handlers."""

    def __init__(self, figures: LiveFigures, *, tokens: Mapping[str, str]) -> None:
        self._figures, self._tokens = figures, tokens
        self.streams = Streams(most=MAX_STREAMS, every=EVERY, retry=3000, instead="/api/v1/ioc/live")

    def _check(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not named_by_secret(token.strip(), self._tokens):
            raise Unauthenticated("send `Authorization: Bearer TOKEN` with a token of the setting ioc_tokens")

    async def live(self, request: web.Request) -> web.Response:
        """Return the live figures."""
        self._check(request)
        return _fresh(await self._figures.live())

    async def hot_spots(self, request: web.Request) -> web.Response:
        """Return the hot spots."""
        self._check(request)
        return _fresh(await self._figures.hot_spots())

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send figures until the listener or the service goes."""
        self._check(request)
        beat = 0

        async def step() -> tuple[bytes, bool]:
            nonlocal beat
            data = event("live", await self._figures.live())
            if beat % int(SPOTS_EVERY / EVERY) == 0:
                data += event("hot_spots", await self._figures.hot_spots())
            beat += 1  # after an outage the hot spots come with the next
            return data, True

        return await self.streams.send(request, step)


def _fresh(body: bytes) -> web.Response:
    return web.Response(body=body, content_type=JSON, headers={"Cache-Control": "no-store"})


def routes(ioc: Ioc) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    return [
        web.get("/api/v1/ioc/live", ioc.live), web.get("/api/v1/ioc/hot-spots", ioc.hot_spots),
        web.get("/api/v1/ioc/stream", ioc.stream),
    ]
