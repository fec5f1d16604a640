"""The PBX dials us: a server for ARI's outbound WebSocket, over which events come and requests go.

The PBX logs in by HTTP (Basic) with the user and password that we would log in with there; the sub-protocol is `ari`.
The newest connection is the one that counts: a PBX that was restarted does not wait for the old one to be missed.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import WSMsgType, encode_basic_auth, web

from channels.ari_codec import Request
from channels.ari_socket_codec import decode_answer, encode_request
from channels.ari_wire import ANSWER, Answer, Wire
from hotline.errors import Unavailable

log = structlog.get_logger(__name__)
PATH = "/ari"
MAX_FRAME = 16 * 1024 * 1024
"""Bytes of one frame at most: the list of channels is the longest, some 700 bytes for each."""
_MOST_EVENTS = 50_000
"""Events that may wait to be looked at. A line that brings more is dropped: the PBX dials anew, and we compare."""
_MOST_ASKED = 1_000


class Awaited:
    """The line to a PBX that dials us; serve it with `serving`.

    `files`: the way to recordings, which do not come over the WebSocket; None where the PBX cannot be dialled.
    """

    def __init__(self, *, user: str, password: str, files: Wire | None = None) -> None:
        self._login, self._files = encode_basic_auth(user, password).encode(), files
        self._ids = itertools.count(1)
        self._asked: dict[str, asyncio.Future[Answer]] = {}
        self._events: asyncio.Queue[str | None] = asyncio.Queue(_MOST_EVENTS)
        self._socket: web.WebSocketResponse | None = None

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[int]:
        """Serve while the block lasts; yields the port."""
        app = web.Application()
        app.router.add_get(PATH, self._taken)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
            yield int(runner.addresses[0][1])
        finally:
            await site.stop()  # first, or the PBX would dial anew while we leave
            if self._socket is not None:
                await self._socket.close()
            await runner.cleanup()

    @property
    def there(self) -> bool:
        """Tell whether the PBX has dialled us."""
        return self._socket is not None

    # ── Wire ─────────────────────────────────────────────────────────────────────────────────────
    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request. Raises Unavailable, at once while the PBX has not dialled."""
        socket = self._socket
        if socket is None or socket.closed or len(self._asked) >= _MOST_ASKED:
            raise Unavailable("the PBX has not dialled us")
        id_ = str(next(self._ids))
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[id_] = answer
        try:
            async with asyncio.timeout(ANSWER):
                await socket.send_str(encode_request(request, id_=id_))
                return await answer
        except (ConnectionError, TimeoutError) as error:
            raise Unavailable(f"the PBX does not answer: {error!r}") from error
        finally:
            del self._asked[id_]

    async def recording(self, name: str) -> bytes | None:
        """Return a recording by the way for files. Raises Unavailable where there is none: it stays at the PBX."""
        if self._files is None:
            raise Unavailable("recordings are fetched by HTTP: set ari_url too")
        return await self._files.recording(name)

    async def events(self) -> AsyncIterator[str | None]:
        """Yield events; None each time the PBX has dialled."""
        while True:
            yield await self._events.get()

    # ── the server ───────────────────────────────────────────────────────────────────────────────
    async def _taken(self, request: web.Request) -> web.StreamResponse:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(errors="replace"), self._login):
            log.warning("ari_refused", why="user or password", peer=request.remote)
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="ari"'})
        socket = web.WebSocketResponse(
            protocols=("ari",), heartbeat=5, max_msg_size=MAX_FRAME, compress=False, timeout=1.0
        )
        if socket.can_prepare(request).protocol != "ari":
            raise web.HTTPBadRequest(text="the sub-protocol is ari")
        await socket.prepare(request)
        try:
            await self._listen(socket)
        finally:
            if self._socket is socket:
                self._socket = None
                self._lose()
                log.warning("ari_lost", why=f"closed {socket.close_code}")
        return socket

    async def _takes_over(self, socket: web.WebSocketResponse) -> None:
        before, self._socket = self._socket, socket
        self._lose()
        while not self._events.empty():  # what came over an earlier line is told by comparing
            self._events.get_nowait()
        self._events.put_nowait(None)
        log.info("ari_dialled", again=before is not None)
        if before is not None:
            await before.close()

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        """Hear a line, which counts from its first frame on (`ApplicationRegistered`).

        What is sent earlier may arrive with the end of the handshake, and Asterisk 22.10 reads it only when more comes.
        """
        first = True
        async for message in socket:
            if first:
                first = False
                await self._takes_over(socket)
            if message.type is not WSMsgType.TEXT or self._socket is not socket:
                continue
            answered = decode_answer(message.data)
            if answered is None:
                if self._events.full():
                    log.warning("ari_events_dropped", waiting=_MOST_EVENTS)
                    return
                self._events.put_nowait(message.data)
            elif (asked := self._asked.get(answered.id)) is not None and not asked.done():
                asked.set_result(Answer(answered.status, answered.body))

    def _lose(self) -> None:
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(ConnectionResetError("the line is lost"))
