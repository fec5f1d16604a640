"""The supervisor's board over HTTP: once as JSON, or as server-sent events, always the newest.

A stream sends an event `board` twice a second or more. It is read only and touches no session: a wallboard goes on
until its session ends, 12 hours after the log-in, while everything else the page asks keeps to the idle time-out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from agent_ui.figures_kit import Session, department_of
from channels.event_stream import EVENTS, Streams, event
from channels.kit import JSON
from channels.openapi_document import Operation
from hotline.board import Board
from hotline.errors import Forbidden

MAX_STREAMS = 200
EVERY, CHECKED_EVERY = 0.4, 60.0
"""Seconds between two events of a stream, and between two looks at its session."""
_AUTH = ("unauthenticated", "forbidden", "unavailable")
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path="/api/v1/board", tag="大屏", security=("staff",), errors=_AUTH,
        summary="The wallboard: queue, agents, channels, clocks, alarms and today's figures, with their goals",
        answers={200: (JSON, Board)},
    ),
    Operation(
        method="get", path="/api/v1/board/stream", tag="大屏", security=("staff",), errors=(*_AUTH, "rate_limited"),
        summary="The same as server-sent events `board`, each under a second old",
        answers={200: (EVENTS, {"type": "string"})},
    ),
)


class BoardApi:
    """Handlers. `board` gives the newest as JSON, `watching` tells whether a request's session goes on."""

    def __init__(
        self, board: Callable[[], Awaitable[bytes]], *, session: Session,
        watching: Callable[[web.Request], Awaitable[bool]],
    ) -> None:
        self._board, self._session, self._watching = board, session, watching
        self.streams = Streams(most=MAX_STREAMS, every=EVERY, retry=2000, instead="/api/v1/board")

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
        clock = asyncio.get_running_loop().time
        checked = clock()

        async def step() -> tuple[bytes, bool]:
            nonlocal checked
            data = event("board", await self._board())
            if clock() - checked > CHECKED_EVERY:
                checked = clock()
                if not await self._watching(request):
                    return event("over", b"{}"), False
            return data, True

        return await self.streams.send(request, step)


def routes(api: BoardApi) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    return [web.get("/api/v1/board", api.board), web.get("/api/v1/board/stream", api.stream)]
