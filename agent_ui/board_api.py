"""The supervisor's board over HTTP: once as JSON, or as server-sent events, always the newest.

A stream sends an event `board` twice a second or more. It is read only and touches no session: a wallboard goes on
until its session ends, 12 hours after the log-in, while everything else the page asks keeps to the idle time-out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from agent_ui.figures_kit import Session, department_of
from channels.kit import JSON
from channels.openapi_document import Operation
from hotline.board import Board
from hotline.errors import Forbidden, HotlineError, RateLimited

MAX_STREAMS = 200
EVERY, CHECKED_EVERY = 0.4, 60.0
"""Seconds between two events of a stream, and between two looks at its session."""
_AUTH = ("unauthenticated", "forbidden", "unavailable")
_EVENTS = "text/event-stream"
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path="/api/v1/board", tag="大屏", security=("staff",), errors=_AUTH,
        summary="The wallboard: queue, agents, channels, clocks, alarms and today's figures, with their goals",
        answers={200: (JSON, Board)},
    ),
    Operation(
        method="get", path="/api/v1/board/stream", tag="大屏", security=("staff",), errors=(*_AUTH, "rate_limited"),
        summary="The same as server-sent events `board`, each under a second old",
        answers={200: (_EVENTS, {"type": "string"})},
    ),
)


class BoardApi:
    """Handlers. `board` gives the newest as JSON, `watching` tells whether a request's session goes on."""

    def __init__(
        self, board: Callable[[], Awaitable[bytes]], *, session: Session,
        watching: Callable[[web.Request], Awaitable[bool]],
    ) -> None:
        self._board, self._session, self._watching = board, session, watching
        self._streams, self._closing = 0, asyncio.Event()

    async def _centre(self, request: web.Request) -> None:
        if department_of(await self._session(request)):
            raise Forbidden("the board is the centre's")

    async def board(self, request: web.Request) -> web.Response:
        """Return the board."""
        await self._centre(request)
        return web.Response(body=await self._board(), content_type=JSON, headers={"Cache-Control": "no-store"})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send the board until the listener, its session or the service goes."""
        await self._centre(request)
        if self._streams >= MAX_STREAMS:
            raise RateLimited(f"{MAX_STREAMS} boards are open already: close one, or ask for /api/v1/board")
        response = web.StreamResponse(headers={
            "Content-Type": _EVENTS, "Cache-Control": "no-store", "X-Accel-Buffering": "no",
        })
        self._streams += 1
        try:
            first = _event("board", await self._board())  # an outage at the start is an error, not a stream
            await response.prepare(request)
            await response.write(b"retry: 2000\n\n" + first)
            await self._send(request, response)
        except ConnectionResetError:
            pass  # the listener has gone
        finally:
            self._streams -= 1
        return response

    async def _send(self, request: web.Request, response: web.StreamResponse) -> None:
        checked = asyncio.get_running_loop().time()
        while not await self._ends(EVERY):
            try:
                data = _event("board", await self._board())
                if asyncio.get_running_loop().time() - checked > CHECKED_EVERY:
                    checked = asyncio.get_running_loop().time()
                    if not await self._watching(request):
                        await response.write(_event("over", b"{}"))
                        return
            except HotlineError as error:
                data = _event("unavailable", b'{"error_id":"' + error.error_id.encode() + b'"}')
            await response.write(data)

    async def _ends(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def close(self, _: web.Application) -> None:
        """End all streams: the service stops."""
        self._closing.set()


def _event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def routes(api: BoardApi) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    return [web.get("/api/v1/board", api.board), web.get("/api/v1/board/stream", api.stream)]
