"""The sound of calls: a server to which the PBX connects (AudioSocket), once for each side of a call that is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from channels.audiosocket_codec import Kind, Messages, encode, id_of
from hotline.errors import InvalidInput

log = structlog.get_logger(__name__)
MOST_WAITING = 500
"""Frames of 20 ms that may wait for a slow recogniser; the oldest are dropped, so that what is heard is live."""
_FIRST = 5.0
"""Seconds within which a connection must say its id."""
_BEAT = 0.5
"""Seconds between the silent frames that we send. The PBX may read, its channel locked, until something comes, and what
is asked of that channel waits as long (Asterisk 20.18 to 23.3: github.com/asterisk/asterisk/issues/2078 and 2089)."""
_SILENCE = encode(Kind.AUDIO, bytes(320))


class Sound:
    """The sound of one side. Iterating gives pieces of 16-bit samples at 8 kHz, until the side is over."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self.dropped = 0

    def put(self, data: bytes) -> None:
        """Add a piece; b"" is the end."""
        if self._waiting.full():
            self._waiting.get_nowait()
            self.dropped += 1
        self._waiting.put_nowait(data)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self._waiting.get():
            yield data


class AudioServer:
    """Takes connections in. Only those that were announced (`expected`) are heard."""

    def __init__(self) -> None:
        self._expected: dict[str, Sound] = {}

    @asynccontextmanager
    async def expected(self, id_: str) -> AsyncIterator[Sound]:
        """Expect a connection with this id (a UUID) while the block lasts."""
        key, sound = id_.replace("-", ""), Sound()
        self._expected[key] = sound
        try:
            yield sound
        finally:
            del self._expected[key]
            sound.put(b"")
            if sound.dropped:
                log.warning("sound_dropped", frames=sound.dropped)

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[int]:
        """Serve while the block lasts; yields the port."""
        server = await asyncio.start_server(self._taken, host, port)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for sound in self._expected.values():
                sound.put(b"")

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sound: Sound | None = None
        beating: asyncio.Task[None] | None = None
        messages = Messages()
        try:
            async with asyncio.timeout(_FIRST):
                first = await reader.readexactly(3 + 16)
            sound = self._expected.get(id_of(messages.feed(first)[0]))
            if sound is None:
                return
            beating = asyncio.create_task(_beat(writer))
            while data := await reader.read(4096):
                for message in messages.feed(data):
                    if message.kind == Kind.AUDIO and message.data:  # a silent one is no end
                        sound.put(message.data)
                    elif message.kind in (Kind.HANG_UP, Kind.ERROR):
                        return
        except (OSError, EOFError, TimeoutError, IndexError, InvalidInput) as error:
            log.info("sound_lost", error=repr(error))
        finally:
            if sound is not None:
                sound.put(b"")
            if beating is not None:
                beating.cancel()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def _beat(writer: asyncio.StreamWriter) -> None:
    """Send silence now and then; nobody hears it."""
    with suppress(OSError):
        while True:
            writer.write(_SILENCE)
            await writer.drain()
            await asyncio.sleep(_BEAT)
