"""How we reach a PBX: requests of the REST interface and its events, whoever dialled whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol
from urllib.parse import quote

import aiohttp
import structlog

from channels.ari_codec import APP, Request
from hotline.errors import Unavailable
from hotline.recordings import Withheld

log = structlog.get_logger(__name__)
ANSWER = 5.0
"""Seconds within which the PBX answers a request."""
_FILE = aiohttp.ClientTimeout(total=120.0)
_AWAY = frozenset({401, 407, 408, 429, 502, 503, 504})
"""What tells of the line, a proxy in it or our password, not of the recording that was asked for."""
_PAUSE = 0.2
_PATIENCE = 3
"""How many times longer a line that has told something may take: a busy PBX is late, and calls end with the line."""


class _Heard:
    """What a line has told: something at all, and something since `now` was cleared."""

    def __init__(self) -> None:
        self.ever, self.now = False, asyncio.Event()

    def hear(self) -> None:
        self.ever = True
        self.now.set()


class Answer(NamedTuple):
    """What the PBX answers: an HTTP status, and a body of JSON."""

    status: int
    body: bytes


class Wire(Protocol):
    """A line to a PBX. Raises Unavailable."""

    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request."""
        ...

    async def recording(self, name: str) -> bytes | None:
        """Return a recording as WAV, None where there is none. Raises Withheld where it is this one that fails."""
        ...

    def events(self) -> AsyncIterator[str | None]:
        """Yield events as JSON; None each time the line is there anew. Ends never."""
        ...


class Dialled:
    """We dial the PBX. `base` is ARI's address, `http://127.0.0.1:8088/ari`."""

    def __init__(
        self, session: aiohttp.ClientSession, *, base: str, user: str, password: str, app: str = APP,
        deaf_after: float = ANSWER,
    ) -> None:
        """`deaf_after`: seconds within which a new line tells what we ask it to, and between two such questions."""
        self._session, self._base, self._deaf_after, self._app = session, base.rstrip("/"), deaf_after, app
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}

    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request. Raises Unavailable."""
        try:
            async with self._session.request(
                request.method, self._base + request.path, params=dict(request.query), headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=ANSWER),
            ) as answer:
                return Answer(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the PBX does not answer: {error!r}") from error

    async def recording(self, name: str) -> bytes | None:
        """Return a recording as WAV, None where there is none. Raises Unavailable, Withheld."""
        path = f"{self._base}/recordings/stored/{quote(name, safe='')}/file"
        try:
            async with self._session.get(path, headers=self._headers, timeout=_FILE) as answer:
                if answer.status == 404:
                    return None
                if answer.status >= 400 and answer.status not in _AWAY:
                    raise Withheld(f"the PBX does not give the recording: it answers {answer.status}")
                answer.raise_for_status()
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the PBX does not answer: {error!r}") from error

    async def events(self) -> AsyncIterator[str | None]:
        """Yield events; a lost connection, or one on which nothing is heard, is made again after a growing pause."""
        pause = _PAUSE
        while True:
            try:
                async with self._session.ws_connect(
                    f"{self._base}/events", params={"app": self._app}, headers=self._headers, heartbeat=5
                ) as socket, self._listening(socket) as heard:
                    pause = _PAUSE
                    async for message in socket:
                        if message.type is not aiohttp.WSMsgType.TEXT:
                            continue
                        if not heard.ever:
                            yield None
                        heard.hear()
                        yield message.data
                log.warning("ari_lost", why="closed")
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("ari_lost", why=repr(error), retry_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    @asynccontextmanager
    async def _listening(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[_Heard]:
        """Close a line that has gone deaf, which no heartbeat shows.

        Asterisk (22.10, `stasis/app.c`) may take the end of an old line for the end of a new one that came in the same
        instant: the line stands, but tells nothing, and every caller is hung up.
        """
        heard = _Heard()
        asking = asyncio.create_task(self._ask_to_be_told(socket, heard))
        try:
            yield heard
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _ask_to_be_told(self, socket: aiohttp.ClientWebSocketResponse, heard: _Heard) -> None:
        tell = Request("POST", "/events/user/hotline_heard", {"application": self._app})  # means nothing
        while True:
            heard.now.clear()
            try:
                await self.ask(tell)
                async with asyncio.timeout(self._deaf_after * (_PATIENCE if heard.ever else 1)):
                    await heard.now.wait()
            except Unavailable as error:  # it is slow, or gone, which the heartbeat tells
                log.warning("ari_not_asked", error=error.detail)
            except TimeoutError:
                log.warning("ari_deaf", ever_heard=heard.ever)
                await socket.close()
                return
            await asyncio.sleep(self._deaf_after)
