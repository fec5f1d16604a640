"""The queue of the chat: each place is told to who asked for it, and a person to who wants one."""

from __future__ import annotations

import aiohttp
import pytest

from channels import chat, chat_codec
from channels.chat_codec import Ack, QueuePlace, Welcome
from channels.limits import RateLimit
from channels.views import ChatPhase, ChatStanding
from tests.channels.conftest import Client, Serve
from tests.channels.memory import MemoryPort
from tests.channels.visitor import Visitor


@pytest.fixture
async def client(serve: Serve, port: MemoryPort) -> Client:
    return await serve(chat.routes(port, limit=RateLimit(1000, 60), poll=0.02))


async def queued(client: Client, session: str = "") -> tuple[aiohttp.ClientWebSocketResponse, str]:
    socket = await client.ws_connect("/chat")
    await socket.send_json({"type": "hello", "queue": True} | ({"session": session} if session else {}))
    welcome = chat_codec.decode_answer(await socket.receive_str(timeout=20))
    assert isinstance(welcome, Welcome)
    return socket, welcome.session


async def standings(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[QueuePlace]:
    found: list[QueuePlace] = []
    while len(found) < count:
        frame = chat_codec.decode_answer(await socket.receive_str(timeout=20))
        if isinstance(frame, QueuePlace):
            found.append(frame)
    return found


async def test_the_place_in_the_queue_is_told_whenever_it_changes(client: Client, port: MemoryPort) -> None:
    socket, session = await queued(client)
    known = chat_codec.kept_as(session)
    for ahead in (2, 1):
        port.standings[known] = ChatStanding(session=known, phase=ChatPhase.WAITING, ahead=ahead)
        assert [one.ahead for one in await standings(socket, 1)] == [ahead]
    port.standings[known] = ChatStanding(session=known, phase=ChatPhase.WITH_AGENT)
    assert [one.phase for one in await standings(socket, 1)] == [ChatPhase.WITH_AGENT]


async def test_who_comes_back_is_told_at_once(client: Client, port: MemoryPort) -> None:
    socket, session = await queued(client)
    known = chat_codec.kept_as(session)
    port.standings[known] = ChatStanding(session=known, phase=ChatPhase.WAITING, ahead=4)
    await standings(socket, 1)
    await socket.close()
    again, _ = await queued(client, session)
    assert [one.ahead for one in await standings(again, 1)] == [4]


async def test_who_did_not_ask_is_not_told(client: Client, port: MemoryPort) -> None:
    visitor = Visitor(client)
    await visitor.connect()
    port.standings[visitor.known] = ChatStanding(session=visitor.known, phase=ChatPhase.WAITING)
    await visitor.say("m1", "垃圾")
    await visitor.read(until="m1", lines=2)  # fails on any other frame


async def test_who_wants_a_person_says_so(client: Client, port: MemoryPort) -> None:
    socket, _ = await queued(client)
    await socket.send_json({"type": "message", "id": "m1", "text": "想问一下社保", "person": True})
    while not isinstance(chat_codec.decode_answer(await socket.receive_str(timeout=20)), Ack):
        pass
    assert [inbound.person for inbound in port.inbounds] == [True]
