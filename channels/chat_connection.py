"""One connection of a chat: frames out in order, never waiting long for a client that reads slowly."""

from __future__ import annotations

import asyncio

from aiohttp import web

from channels import chat_codec
from channels.chat_codec import Answer
from channels.port import ChatPort

_SEND = 5.0


class Connection:
    """A socket of a session. `shown` is the last line sent on it; the lock keeps lines in order."""

    def __init__(self, socket: web.WebSocketResponse, session: str, shown: int) -> None:
        self.socket, self.session, self.shown = socket, session, shown
        self._lock = asyncio.Lock()

    async def send(self, answer: Answer) -> None:
        """Send a frame; a client that takes none for `_SEND` seconds is cut, and may resume."""
        try:
            async with asyncio.timeout(_SEND):
                await self.socket.send_str(chat_codec.encode(answer))
        except (TimeoutError, ConnectionError):
            await self.socket.close()

    async def catch_up(self, port: ChatPort) -> None:
        """Send the lines that this connection has not shown."""
        async with self._lock:
            while not self.socket.closed and (lines := await port.chat_since({self.session: self.shown})):
                for line in lines:
                    await self.send(chat_codec.line_of(line))
                    self.shown = line.seq
