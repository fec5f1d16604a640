"""Citizens who talk: in the chat of the web page, and on the telephone to agents who type in what they hear."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from typing import Any

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.load import GONE, ORDINARY, URGENT, Citizens
from tests.processes import House, console_ticket

TYPIST = "typist"
"""The agent's account, to be added before."""
PATIENCE = 10.0


class Visitor:
    """A page with the chat: it keeps its session and every line, and comes back with them when it is cut."""

    def __init__(self, house: House) -> None:
        self._house, self.session = house, ""
        self.seqs: list[int] = []
        self.own: Counter[str] = Counter()
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def say(self, session: aiohttp.ClientSession, key: str, text: str) -> str | None:
        """Say something; return the ticket's number, None where it was refused. Raises OSError where it was cut."""
        try:
            async with asyncio.timeout(PATIENCE):
                socket = self._socket = self._socket or await self._open(session)
                await socket.send_json({"type": "message", "id": key, "text": text})
                while True:
                    frame = await self._frame(socket)
                    if frame.get("id") == key and frame["type"] == "ack":
                        return str(frame["appeal"]["number"])
                    if frame["type"] == "error":
                        return None
        except GONE as error:
            await self.close()
            raise OSError("the chat was cut") from error

    async def _open(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        socket = await session.ws_connect(f"{self._house.url}/chat")
        known = {"session": self.session, "last_seq": self.seqs[-1] if self.seqs else 0} if self.session else {}
        await socket.send_json({"type": "hello"} | known)
        welcome = await self._frame(socket)  # only with the session known may anything be said: a key is of one session
        self.session = str(welcome["session"])
        return socket

    async def _frame(self, socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
        message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise OSError("the chat has ended")
        frame: dict[str, Any] = json.loads(message.data)
        if frame["type"] == "line":
            self.seqs.append(frame["seq"])
            self.own.update([frame["id"]] if frame.get("id") else [])
        return frame

    async def close(self) -> None:
        """Leave the page."""
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(*GONE):
                await socket.close()

    def broken(self) -> bool:
        """Tell whether a line was lost, doubled or out of order."""
        return self.seqs != list(range(1, len(self.seqs) + 1)) or any(count > 1 for count in self.own.values())


class Typist:
    """An agent's console on which callers' words are typed in; it comes back when it is cut."""

    def __init__(self, house: House) -> None:
        self._house, self._asked = house, 0
        self._socket: ClientConnection | None = None

    async def type_in(self, session: aiohttp.ClientSession, call: str, text: str) -> str | None:
        """Open a ticket from a call; return its number, None where it was refused. Raises OSError where it was cut."""
        try:
            async with asyncio.timeout(PATIENCE):
                socket = self._socket = self._socket or await self._open(session)
                self._asked += 1
                ask = {"type": "phone_appeal", "id": self._asked, "call": call, "appeal": {"text": text}}
                await socket.send(json.dumps(ask))
                while True:
                    frame = json.loads(await socket.recv())
                    if frame.get("id") == self._asked:
                        return str(frame["number"]) if frame["type"] == "ok" else None
        except (ConnectionClosed, InvalidHandshake, *GONE) as error:
            await self.close()
            raise OSError("the console was cut") from error

    async def _open(self, session: aiohttp.ClientSession) -> ClientConnection:
        ticket = await console_ticket(session, self._house, TYPIST)
        socket = await connect(self._house.ws_url, max_size=None, open_timeout=5)
        await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
        return socket

    async def close(self) -> None:
        """Leave the console."""
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(ConnectionClosed, *GONE):
                await socket.close()


class Talkers(Citizens):
    """The same citizens, and those who talk."""

    broken_chats = 0

    async def chat(self, session: aiohttp.ClientSession, who: int) -> None:
        """A citizen on the web page; what they say twice is one appeal."""
        rng = random.Random(f"{self._seed}-c{who}")
        while not self.stop.is_set():
            n, visitor = next(self._numbers), Visitor(self._house)
            for turn, text in enumerate((rng.choice(ORDINARY).format(n=n), "补充一下, 就在路口")):
                key = f"chat-{n}-{turn}"
                self._ledger.conversations[key] = f"chat-{n}"
                await self._until_acknowledged(
                    key, lambda key, visitor=visitor, text=text: visitor.say(session, key, text), rng
                )
            await visitor.close()
            self.broken_chats += visitor.broken()

    async def typed(self, session: aiohttp.ClientSession, who: int) -> None:
        """A caller; an agent types in what they say."""
        rng, typist = random.Random(f"{self._seed}-t{who}"), Typist(self._house)
        while not self.stop.is_set():
            n = next(self._numbers)
            text = (URGENT if rng.random() < 0.05 else rng.choice(ORDINARY)).format(n=n)
            await self._until_acknowledged(f"call-{n}", lambda key, text=text: typist.type_in(session, key, text), rng)
        await typist.close()
