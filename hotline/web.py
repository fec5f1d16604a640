"""HTTP: one aiohttp application made of the channels' routes, with health, metrics and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from channels.openapi_document import Operation
from channels.problem import problems
from hotline.errors import Unavailable

log = structlog.get_logger(__name__)
Ready = Callable[[], Awaitable[dict[str, str]]]
MAX_BODY = 64 * 1024 * 1024
_JSON, _TEXT = "application/json", "text/plain"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path="/healthz", tag="运行", summary="The process is alive",
        answers={200: (_TEXT, {"type": "string"})},
    ),
    Operation(
        method="get", path="/readyz", tag="运行", summary="The process can take appeals",
        answers={200: (_JSON, {"type": "object", "additionalProperties": {"type": "string"}})}, errors=("unavailable",),
    ),
    Operation(
        method="get", path="/metrics", tag="运行", summary="Figures for Prometheus, no personal data",
        answers={200: (_TEXT, {"type": "string"})},
    ),
    Operation(
        method="get", path="/openapi.json", tag="运行", summary="This document",
        answers={200: (_JSON, {"type": "object"})},
    ),
)


def _housekeeping(ready: Ready, openapi: bytes) -> list[web.RouteDef]:
    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(_: web.Request) -> web.Response:
        """200 when every part answers, else 503 with what does not."""
        parts = await ready()
        wrong = {name: state for name, state in parts.items() if state != "ok"}
        if wrong:
            raise Unavailable("; ".join(f"{name}: {state}" for name, state in wrong.items()))
        return web.Response(body=msgspec.json.encode(parts), content_type="application/json")

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def document(_: web.Request) -> web.Response:
        return web.Response(body=openapi, content_type="application/json")

    return [
        web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics),
        web.get("/openapi.json", document),
    ]


@web.middleware
async def secure_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Headers that keep a browser from guessing types, framing us, or leaking addresses."""
    response = await handler(request)
    if not response.prepared:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response


def outages(lost: tuple[type[Exception], ...]) -> Middleware:
    """Return a middleware that tells an outage of the database as what it is: 503, try again."""

    @web.middleware
    async def told(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except ConnectionResetError:
            raise  # the client has gone: there is nobody to answer
        except lost as error:
            log.warning("outage", path=request.path, error=f"{type(error).__name__}: {error}")
            raise Unavailable("the database does not answer at the moment: try again in a moment") from error

    return told


def application(
    routes: Iterable[web.AbstractRouteDef], *, ready: Ready, openapi: bytes, lost: tuple[type[Exception], ...] = ()
) -> web.Application:
    """Return the application. Every error leaves as problem+json; those of `lost` are outages of the database."""
    app = web.Application(middlewares=[secure_headers, problems, outages(lost)], client_max_size=MAX_BODY)
    app.add_routes([*routes, *_housekeeping(ready, openapi)])
    return app
