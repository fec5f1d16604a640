"""A stand-in for a speech recogniser: speaks FunASR's WebSocket protocol, and says what a script says.

A second of sound that is not silent brings the next sentence of the script, first in pieces. Faults (`--fault`, or
`PUT /faults {"fault": …}` while it runs): `none`; `slow` answers after `delay` seconds; `down` cuts every connection;
`error` refuses with 500; `garbled` answers what is no protocol; `mute` listens and says nothing; `broken` cuts the
connection after each sentence. `GET /heard` tells how much it has heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import structlog
from aiohttp import WSMsgType, web

from channels.funasr_codec import RATE, Begin
from hotline.standins.kit import StandIn, json_answer

log = structlog.get_logger(__name__)
LOUD = 500
"""Samples beyond this are sound."""
_begins = msgspec.json.Decoder(Begin)


class Heard(msgspec.Struct, kw_only=True):
    """What came in: connections, bytes of sound, seconds of it that were not silent, ends that were said."""

    connections: int = 0
    bytes: int = 0
    loud: float = 0.0
    ends: int = 0


class FunAsrStandIn(StandIn):
    """The recogniser. `script`: its sentences, in order; each connection goes on where the last one stopped."""

    FAULTS = ("none", "slow", "down", "error", "garbled", "mute", "broken")

    def __init__(
        self, script: Sequence[str], *, every: float = 1.0, fault: str = "none", delay: float = 2.0
    ) -> None:
        """`every`: seconds of sound that make a sentence."""
        super().__init__(secret="", fault=fault, delay=delay)
        self._script, self._every = list(script), every
        self.heard = Heard()

    def app(self) -> web.Application:
        """Return the application; the recogniser itself is at `/`."""
        app = web.Application()
        app.add_routes([
            web.get("/", self._listen), web.get("/heard", self._tell), web.put("/faults", self.set_fault),
        ])
        return app

    async def _tell(self, _: web.Request) -> web.Response:
        return json_answer(self.heard)

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        if (answer := await self.struck(request)) is not None:
            return answer
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.heard.connections += 1
        loud, begun = 0.0, False
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                if not begun:
                    begun = _begins.decode(message.data).audio_fs == RATE
                elif '"is_speaking":false' in message.data:
                    self.heard.ends += 1
                    await socket.close()
            elif message.type is WSMsgType.BINARY and begun:
                loud += self._listened(message.data)
                if loud >= self._every and self.fault != "mute" and self._script:
                    loud -= self._every
                    async for text in self._answers(self._script.pop(0)):
                        await socket.send_str(text)
                    if self.fault == "broken" and request.transport is not None:
                        request.transport.abort()
        return socket

    def _listened(self, data: bytes) -> float:
        """Return the seconds of sound in it that are not silent."""
        samples = memoryview(data[:len(data) // 2 * 2]).cast("h")
        seconds = len(samples) / RATE if any(abs(sample) > LOUD for sample in samples) else 0.0
        self.heard.bytes += len(data)
        self.heard.loud += seconds
        return seconds

    async def _answers(self, sentence: str) -> AsyncIterator[str]:
        if self.fault == "garbled":
            for text in ("{", "[1]", '{"text": 3}', "语音"):
                yield text
        if self.fault == "slow":
            await asyncio.sleep(self._delay)
        half = len(sentence) // 2
        for mode, text in (("2pass-online", sentence[:half]), ("2pass-online", sentence[half:]),
                           ("2pass-offline", sentence)):
            yield msgspec.json.encode({"mode": mode, "wav_name": "call", "text": text, "is_final": False}).decode()
