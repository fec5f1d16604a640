"""Adapter for the chat at `/chat`. What is said is recorded by the port first, then shown: a cut connection loses
nothing, a new one shows nothing twice. Lines written by other processes are found by one query a second for all.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from functools import partial
from itertools import count

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from channels import chat_codec, wording
from channels.chat_codec import CITIZEN, HOTLINE, Hello, Say
from channels.chat_connection import Connection, shown_on, standings_of, tell_how_it_stands
from channels.kit import client_network, stored
from channels.limits import RateLimit
from channels.message import Outbound, Receipt
from channels.port import ChannelPort
from hotline.errors import HotlineError, InvalidInput, Overloaded

log = structlog.get_logger(__name__)
MAX_CHATS = 10_000
_STANDING_EVERY = 3
"""Polls between two looks at the queue: it moves with agents, not with seconds."""


def new_session() -> str:
    """Return a new session of 256 random bits: who has it reads the chat, so only its client keeps it."""
    return chat_codec.new_session(secrets.token_urlsafe(32))


class ChatRoom:
    """All chats of this process. `poll` is how often other processes' lines are looked for, in seconds."""

    def __init__(self, port: ChannelPort, limit: RateLimit, proxies: int, poll: float) -> None:
        self._port, self._limit, self._proxies, self._poll = port, limit, proxies, poll
        self._chats: set[Connection] = set()
        self._closing = False
        self._poller: asyncio.Task[None] | None = None

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it ends."""
        if len(self._chats) >= MAX_CHATS or self._closing:
            raise Overloaded("too many chats are open", retry_after=10)
        socket = web.WebSocketResponse(heartbeat=30, max_msg_size=chat_codec.MAX_FRAME)
        await socket.prepare(request)
        address = client_network(request, proxies=self._proxies)
        try:
            chat = await self._greet(socket)
        except HotlineError as error:
            await socket.send_str(chat_codec.encode(chat_codec.failed(error)))
            await socket.close()
            return socket
        self._enter(chat)
        try:
            await chat.catch_up(self._port)
            await tell_how_it_stands(self._port, chat)
            await self._listen(chat, address)
        finally:
            self._leave(chat)
        return socket

    async def close(self, *_: object) -> None:
        """Say goodbye to everybody (1001), so that the process need not wait for them; they resume elsewhere."""
        self._closing = True
        await asyncio.gather(*(chat.socket.close(code=WSCloseCode.GOING_AWAY) for chat in self._chats))

    async def _greet(self, socket: web.WebSocketResponse) -> Connection:
        with contextlib.suppress(TimeoutError):
            message = await socket.receive(timeout=10)
            if message.type is WSMsgType.TEXT and isinstance(hello := chat_codec.decode_frame(message.data), Hello):
                session = hello.session or new_session()
                last = hello.last_seq if hello.session else 0
                chat = Connection(socket, chat_codec.kept_as(session), last, queued=hello.queue)
                await chat.send(chat_codec.Welcome(session=session, last_seq=chat.shown))
                return chat
        raise InvalidInput("the first frame must be hello, within 10 seconds")

    async def _listen(self, chat: Connection, address: str) -> None:
        async for message in chat.socket:
            if message.type is not WSMsgType.TEXT:
                await chat.send(chat_codec.failed(InvalidInput("frames are text")))
                continue
            said = None
            try:
                frame = chat_codec.decode_frame(message.data)
                if not isinstance(frame, Say):
                    raise InvalidInput("hello comes once")
                said = frame
                self._limit.take(address, self._port.now().timestamp())
                await self._take(chat, said)
            except HotlineError as error:
                await chat.send(chat_codec.failed(error, id=said.id if said else ""))

    async def _take(self, chat: Connection, said: Say) -> None:
        """Submit, record both lines, acknowledge, show. Each step is harmless when repeated."""
        files = await stored(self._port, said.attachments)
        inbound = chat_codec.inbound_of(chat.session, said, files, now=self._port.now())
        receipt: Receipt = await self._port.submit(inbound)
        line = await self._port.chat_add(chat.session, f"c:{said.id}", CITIZEN, said.text)
        await self._port.chat_add(chat.session, f"r:{said.id}", HOTLINE, wording.receipt_text(receipt))
        await chat.send(chat_codec.ack_of(said, line, receipt))
        await chat.catch_up(self._port)
        await tell_how_it_stands(self._port, chat)

    def _enter(self, chat: Connection) -> None:
        self._chats.add(chat)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._watch())

    def _leave(self, chat: Connection) -> None:
        self._chats.discard(chat)
        chat.leave()
        if not self._chats and self._poller is not None:
            self._poller.cancel()
            self._poller = None

    async def _watch(self) -> None:
        for rounds in count(1):
            await asyncio.sleep(self._poll)
            try:
                news = {line.session for line in await self._port.chat_since(shown_on(self._chats))}
                for chat in [one for one in self._chats if one.session in news]:
                    chat.beside("lines", partial(chat.catch_up, self._port))
                if rounds % _STANDING_EVERY == 0 or news:
                    for chat, standing in await standings_of(self._port, list(self._chats)):
                        chat.beside("standing", partial(chat.tell_standing, standing))
            except Exception:  # the next round may fare better; ending would leave every chat of this process mute
                log.exception("chat_poll_failed")


async def send(port: ChannelPort, message: Outbound) -> None:
    """Say something to the chat of `Outbound.to` (its `Citizen.key`); durable, and a repeat of the key is one line."""
    await port.chat_add(message.to.removeprefix(chat_codec.KEY), f"o:{message.key}", HOTLINE, wording.words_of(message))


def room(port: ChannelPort, *, limit: RateLimit | None = None, proxies: int = 0, poll: float = 1.0) -> ChatRoom:
    """Return a room; serve `room.connect` at `/chat` and put `room.close` into the application's `on_shutdown`."""
    return ChatRoom(port, limit or RateLimit(30, 60), proxies, poll)


def routes(
    port: ChannelPort, *, limit: RateLimit | None = None, proxies: int = 0, poll: float = 1.0
) -> list[web.AbstractRouteDef]:
    """Return the routes; `limit` is of messages per address, 30 a minute where not given."""
    return [web.get("/chat", room(port, limit=limit, proxies=proxies, poll=poll).connect)]
