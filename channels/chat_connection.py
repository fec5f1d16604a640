"""One connection of a chat: frames out in order, never waiting long for a client that reads slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog
from aiohttp import web

from channels import chat_codec
from channels.chat_codec import Answer, QueuePlace
from channels.port import ChatPort

log = structlog.get_logger(__name__)
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
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._left = False

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


    def beside(self, what: str, tell: Callable[[], Awaitable[None]]) -> None:
        """Tell something beside the other chats: who reads slowly keeps nobody waiting. What is not told now, as the
        last of its sort is still being told, has to be told again."""
        if not self._left and what not in self._telling:
            self._telling[what] = asyncio.create_task(self._told(what, tell))

    def leave(self) -> None:
        """End what is being told."""
        self._left = True
        for task in self._telling.values():
            task.cancel()

    async def _told(self, what: str, tell: Callable[[], Awaitable[None]]) -> None:
        try:
            await tell()
        except Exception:  # it is told again; a task's failure would be heard by nobody
            log.exception("chat_not_told", what=what)
        finally:
            del self._telling[what]


def shown_on(chats: Iterable[Connection]) -> dict[str, int]:
    """Return the last line of each session that all of its connections have shown."""
    shown: dict[str, int] = {}
    for chat in chats:
        shown[chat.session] = min(chat.shown, shown.get(chat.session, chat.shown))
    return shown


async def tell_how_it_stands(port: ChatPort, chat: Connection) -> None:
    """Say how one chat stands, if it asked for that."""
    for _, standing in await standings_of(port, [chat]):
        await chat.tell_standing(standing)


async def standings_of(port: ChatPort, chats: Iterable[Connection]) -> Sequence[tuple[Connection, QueuePlace]]:
    """Return how the chats of those stand who asked for it: one query for all."""
    asking = [chat for chat in chats if chat.queued]
    if not asking:
        return []
    found = await port.chat_standings(sorted({chat.session for chat in asking}))
    standings = {one.session: chat_codec.standing_of(one) for one in found}
    return [(chat, standings[chat.session]) for chat in asking if chat.session in standings]
