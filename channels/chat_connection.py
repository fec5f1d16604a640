"""One connection of a chat: frames out in order, never waiting long for a client that reads slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from aiohttp import web

from channels import chat_codec
from channels.chat_codec import Answer, QueuePlace
from channels.port import ChatPort

_SEND = 5.0


class Connection:
    """A socket of a session. `shown` is the last line sent on it; the lock keeps lines in order.

    `session` is what stands for it (`chat_codec.kept_as`): the session itself is the client's alone.
    `queued`: the client wants to know how its chat stands, and `stands` is what it was told last.
    """

    def __init__(self, socket: web.WebSocketResponse, session: str, shown: int, *, queued: bool = False) -> None:
        self.socket, self.session, self.shown, self.queued = socket, session, shown, queued
        self.stands: QueuePlace | None = None
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

    async def tell_standing(self, standing: QueuePlace) -> None:
        """Say how the chat stands if that has changed."""
        if standing != self.stands:
            self.stands = standing
            await self.send(standing)


async def standings_of(port: ChatPort, chats: Iterable[Connection]) -> Sequence[tuple[Connection, QueuePlace]]:
    """Return how the chats of those stand who asked for it: one query for all."""
    asking = [chat for chat in chats if chat.queued]
    if not asking:
        return []
    found = await port.chat_standings(sorted({chat.session for chat in asking}))
    standings = {one.session: chat_codec.standing_of(one) for one in found}
    return [(chat, standings[chat.session]) for chat in asking if chat.session in standings]
