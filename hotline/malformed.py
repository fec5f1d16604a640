"""What is not even HTTP – a line too long, an invalid method, a broken header – is told as problem+json too.

aiohttp answers such input in plain text before any middleware sees it, and logs a traceback for each: anybody on the
internet could fill the log with them. It also cuts whoever has just connected when a process stops, and unpacks what
comes packed before anybody has asked who it is: 1 MB by whoever it be keeps a whole process busy for seconds.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from channels.kit import gone
from channels.problem import problem_response
from hotline.errors import HotlineError, InvalidInput

log = structlog.get_logger(__name__)
KEEPALIVE = 75.0
"""Seconds until a connection without a whole request is closed; longer than a proxy in front keeps idle ones (60)."""
LAST_REQUESTS = 0.5
"""Seconds in which whoever has connected before the ports were closed sends a request that is still served."""
_MAX_DETAIL = 300


class _Connection(RequestHandler):
    """A connection whose malformed requests are answered as the service answers all mistakes."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer; the connection is closed afterwards. Who went in the middle of a body has made no mistake of ours."""
        if isinstance(exc, ConnectionResetError) and gone(request):
            log.info("client_gone", path=request.path)
            error = HotlineError("there is nobody to answer")
        elif status >= 500:
            log.error("http_failed", error=repr(exc), exc_info=exc)
            error = HotlineError("something went wrong here")
        else:
            log.info("malformed_request", error=type(exc).__name__)
            error = InvalidInput(f"this is no HTTP request: {' '.join((message or '').split())[:_MAX_DETAIL]}")
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun; there is no place for an error")
        response = problem_response(error)
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; once the process stops it says that this connection takes no other request."""
        server = cast(_Server | None, self._manager)  # None once the client has gone
        if server is not None and server.stops and not resp.prepared:
            resp.force_close()
        return await super().finish_response(request, resp, start_time)


class _Server(web.Server):
    """Makes these connections."""

    stops = False

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an application behind such connections."""

    def __init__(self, app: web.Application, *, shutdown_timeout: float) -> None:
        super().__init__(
            app, access_log=None, shutdown_timeout=shutdown_timeout, keepalive_timeout=KEEPALIVE,
            auto_decompress=False,  # whoever sends packed bodies is told so (`hotline.web.unpacked`)
        )

    async def _make_server(self) -> Any:
        server = await super()._make_server()
        server.__class__ = _Server  # the application makes its server itself, and asks nobody of which class
        return cast(_Server, server)

    async def cleanup(self) -> None:
        """Close the ports, and serve who was let in before: a request that is cut is one that no proxy sends again."""
        for site in list(self.sites):
            await site.stop()
        if self.server is not None:
            cast(_Server, self.server).stops = True
        await asyncio.sleep(LAST_REQUESTS)
        await super().cleanup()
