"""HTTP: one aiohttp application made of the channels' routes, with health, metrics and the OpenAPI document."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import cache

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

from channels.kit import gone
from channels.openapi_document import Operation
from channels.problem import problems
from hotline.errors import InvalidInput, Unavailable
from hotline.logs import ASKED

log = structlog.get_logger(__name__)
Ready = Callable[[], Awaitable[dict[str, str]]]
MAX_BODY = 1024 * 1024
"""Bytes of a body that is read whole; routes that take files say how much more they take."""
_JSON, _TEXT = "application/json", "text/plain"
REQUEST_ID = "X-Request-Id"
_TRACE = re.compile(r"[A-Za-z0-9._-]{1,64}")
REQUESTS = Counter("hotline_http_requests", "HTTP requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "hotline_http_seconds", "From a request's head to its answer", ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)

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


def _housekeeping(ready: Ready, openapi: bytes, refresh: Callable[[], Awaitable[None]] | None) -> list[web.RouteDef]:
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
        if refresh is not None:
            await refresh()
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def document(_: web.Request) -> web.Response:
        return web.Response(body=openapi, content_type="application/json")

    return [
        web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics),
        web.get("/openapi.json", document),
    ]


SECURE_HEADERS: tuple[tuple[str, str], ...] = (
    ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "geolocation=(self), camera=(), microphone=(self), payment=(), usb=()"),
)
"""On every answer that has not said otherwise: what is no page of ours runs nothing and is shown in no frame."""


@web.middleware
async def secure_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Headers that keep a browser from guessing types, framing us, or leaking addresses."""
    response = await handler(request)
    if not response.prepared:
        headers = response.headers
        for name, value in SECURE_HEADERS:
            if name not in headers:
                headers[name] = value
    return response


_counted, _timed = cache(REQUESTS.labels), cache(SECONDS.labels)


@web.middleware
async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every request an id, or take the caller's: all log lines of it bear it as `trace`, and the answer has it."""
    given = request.headers.get(REQUEST_ID, "")
    asked = _TRACE.fullmatch(given) is not None
    trace = given if asked else secrets.token_hex(8)
    ASKED.set(asked)  # a request has a context of its own
    with structlog.contextvars.bound_contextvars(trace=trace):
        response = await handler(request)
    if not response.prepared:
        response.headers.setdefault(REQUEST_ID, trace)
    return response


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count and time requests by route, so that addresses with numbers and secrets in them are no labels."""
    began = time.perf_counter()
    resource = request.match_info.route.resource
    route, status = resource.canonical if resource else "none", "none"
    method = request.method if resource else "any"
    try:
        response = await handler(request)
        status = str(response.status)
        return response
    finally:
        _counted(method, route, status).inc()
        if status != "101":  # a WebSocket's time is that of a talk
            _timed(route).observe(time.perf_counter() - began)


@web.middleware
async def unpacked(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse packed bodies, which `hotline.malformed.Runner` does not unpack: 1 MB becomes 1 GB, whoever asks."""
    coding = ",".join(request.headers.getall("Content-Encoding", [])).strip().lower()
    if request.body_exists and coding not in ("", "identity"):
        detail = f"send the body as it is, without Content-Encoding ({coding[:40]})"
        raise InvalidInput(detail, error_id="unsupported_media_type")
    return await handler(request)


def outages(lost: tuple[type[Exception], ...], unfit: tuple[type[Exception], ...] = ()) -> Middleware:
    """Return a middleware that tells an outage of the database as what it is: 503, try again.

    Errors of `unfit` are mistakes: values that no column can hold (NUL in a text, a number of 30 digits).
    """

    @web.middleware
    async def told(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except lost as error:
            if isinstance(error, ConnectionResetError) and gone(request):
                raise  # there is nobody to answer
            log.warning("outage", path=request.path, error=f"{type(error).__name__}: {error}")
            raise Unavailable("the database does not answer at the moment: try again in a moment") from error
        except unfit as error:
            raise InvalidInput(f"a value cannot be what it is meant to be: {error}") from error

    return told


def application(
    routes: Iterable[web.AbstractRouteDef], *, ready: Ready, openapi: bytes, lost: tuple[type[Exception], ...] = (),
    refresh: Callable[[], Awaitable[None]] | None = None, gate: Middleware | None = None,
    unfit: tuple[type[Exception], ...] = (), outermost: Iterable[Middleware] = (),
) -> web.Application:
    """Return the application. Every error leaves as problem+json; those of `lost` are outages of the database.

    Args:
        refresh: is awaited before `/metrics` is answered.
        gate: stands before every handler, inside all else.
        unfit: errors of values that no column can hold.
        outermost: stand before everything else.
    """
    inner = [gate] if gate else []
    middlewares = [*outermost, traced, measured, secure_headers, problems, unpacked, outages(lost, unfit), *inner]
    app = web.Application(middlewares=middlewares, client_max_size=MAX_BODY)
    app.add_routes([*routes, *_housekeeping(ready, openapi, refresh)])
    return app
