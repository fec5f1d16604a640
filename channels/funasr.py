"""Adapter for a speech recogniser that speaks FunASR's WebSocket protocol: sound in, sentences out.

A recogniser that is away never holds a call up: what is said meanwhile is not heard, and a new connection is tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import suppress

import aiohttp
import structlog

from channels.funasr_codec import PIECE, Said, Sentences, begin, end

log = structlog.get_logger(__name__)
_LOST = (aiohttp.ClientError, OSError, TimeoutError)
_TEXTS = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
LAST_WORDS = 3.0
"""Seconds that the recogniser has for the last sentence after the sound has ended."""


class FunAsr:
    """One recogniser. `url` is its address, `ws://127.0.0.1:10095`."""

    def __init__(self, session: aiohttp.ClientSession, *, url: str, hotwords: Sequence[str] = ()) -> None:
        self._session, self._url, self._hotwords = session, url, hotwords

    async def sentences(self, sound: AsyncIterable[bytes]) -> AsyncIterator[Said]:
        """Yield what is said until the sound ends; connections that break are made again after a growing pause."""
        source = _Source(sound)
        pause = 0.5
        try:
            while not source.over:
                try:
                    async with self._session.ws_connect(self._url, heartbeat=5, max_msg_size=1 << 20) as socket:
                        pause = 0.5
                        async for said in self._heard(socket, source):
                            yield said
                    if not source.over:
                        log.warning("recogniser_lost", why="closed")
                except _LOST as error:
                    log.warning("recogniser_lost", why=repr(error), retry_in=pause)
                if not source.over:
                    await source.passed_over(pause)
                    pause = min(pause * 2, 10.0)
        finally:
            await source.close()

    async def _heard(self, socket: aiohttp.ClientWebSocketResponse, source: _Source) -> AsyncIterator[Said]:
        await socket.send_str(begin(hotwords=self._hotwords))
        sending = asyncio.create_task(_send(socket, source))
        sentences = Sentences()
        try:
            async for message in socket:
                said = sentences.take(message.data) if message.type in _TEXTS else None
                if said is not None:
                    yield said
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(socket: aiohttp.ClientWebSocketResponse, source: _Source) -> None:
    """Send the sound, then the end; after the last words the connection is closed."""
    while (piece := await source.next()) is not None:
        await socket.send_bytes(piece)
    await socket.send_str(end())
    await asyncio.sleep(LAST_WORDS)
    await socket.close()


class _Source:
    """Sound in pieces of the protocol's size, over several connections."""

    def __init__(self, sound: AsyncIterable[bytes]) -> None:
        self._sound = aiter(sound)
        self._rest = b""
        self._reading: asyncio.Task[bytes] | None = None
        self.over = False

    async def next(self) -> bytes | None:
        """Return the next piece; None at the end. Cancelled while it waits, nothing is lost."""
        while len(self._rest) < PIECE and not self.over:
            await self._read()
        piece, self._rest = self._rest[:PIECE], self._rest[PIECE:]
        return piece or None

    async def passed_over(self, seconds: float) -> None:
        """Let sound pass unheard for a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.over:
                    await self._read()
                    self._rest = b""

    async def _read(self) -> None:
        if self._reading is None:
            self._reading = asyncio.ensure_future(anext(self._sound, b""))
        data = await asyncio.shield(self._reading)
        self._reading = None
        self._rest += data
        self.over = not data

    async def close(self) -> None:
        """Wait for the sound no longer."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
