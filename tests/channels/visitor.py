"""A page with the chat, as the tests of the chat have it."""

from __future__ import annotations

from typing import Any

import aiohttp

from channels import chat_codec
from channels.chat_codec import Ack, Line, Welcome
from tests.channels.conftest import Client


class Visitor:
    """A page with the chat: keeps session and lines over connections, sends again what was not acknowledged."""

    def __init__(self, client: Client) -> None:
        self.client, self.session, self.lines, self.acks = client, "", [], {}
        self.socket: aiohttp.ClientWebSocketResponse

    lines: list[Line]
    acks: dict[str, Ack]

    @property
    def known(self) -> str:
        """As what the chat is known where things are kept."""
        return chat_codec.kept_as(self.session)

    async def connect(self) -> None:
        self.socket = await self.client.ws_connect("/chat")
        last = self.lines[-1].seq if self.lines else 0
        hello = {"type": "hello"} | ({"session": self.session, "last_seq": last} if self.session else {})
        await self.socket.send_json(hello)
        welcome = await self.frame()
        assert isinstance(welcome, Welcome)
        self.session = welcome.session

    async def frame(self) -> Any:
        return chat_codec.decode_answer(await self.socket.receive_str(timeout=20))

    async def read(self, *, until: str = "", lines: int = 0) -> None:
        """Read until a message is acknowledged, or so many lines are there."""
        while (until and until not in self.acks) or len(self.lines) < lines:
            frame = await self.frame()
            if isinstance(frame, Line):
                self.lines.append(frame)
            else:
                assert isinstance(frame, Ack), frame
                self.acks[frame.id] = frame

    async def say(self, id: str, text: str) -> None:
        await self.socket.send_json({"type": "message", "id": id, "text": text})
