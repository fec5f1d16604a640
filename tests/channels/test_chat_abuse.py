"""The chat closed to what is no chat: wrong frames, floods, guessed sessions, a process that ends."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from channels import chat, chat_codec
from channels.chat_codec import Failed
from channels.limits import RateLimit
from tests.channels.conftest import Client, Serve
from tests.channels.memory import MemoryPort
from tests.channels.visitor import Visitor


@pytest.fixture
async def client(serve: Serve, port: MemoryPort) -> Client:
    return await serve(chat.routes(port, limit=RateLimit(1000, 60), poll=0.02))


@pytest.mark.parametrize("frame", ["", "{}", "[]", '{"type":"hello"}', '{"type":"message","id":"","text":"a"}',
                                   '{"type":"message","id":"1"}', '{"type":"welcome"}', "\ufffe", "1" * 5000])
async def test_wrong_frames_are_answered_and_the_chat_goes_on(client: Client, frame: str) -> None:
    visitor = Visitor(client)
    await visitor.connect()
    await visitor.socket.send_str(frame)
    failed = await visitor.frame()
    assert isinstance(failed, Failed)
    assert failed.error_id == "invalid_input"
    await visitor.socket.send_bytes(b"\x00")
    assert (await visitor.frame()).detail == "frames are text"
    await visitor.say("m1", "垃圾")
    await visitor.read(until="m1")


@pytest.mark.parametrize("first", [
    '{"type":"message","id":"1","text":"a"}', "x", '{"type":"hello","session":"guess"}',
    pytest.param(f'{{"type":"hello","session":"s.{"x" * 43}","last_seq":{2**31}}}', id="beyond all lines"),
])
async def test_without_a_right_hello_the_door_is_closed(client: Client, first: str) -> None:
    socket = await client.ws_connect("/chat")
    await socket.send_str(first)
    failed = chat_codec.decode_answer(await socket.receive_str(timeout=20))
    assert isinstance(failed, Failed)
    assert (await socket.receive(timeout=20)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_floods_and_giants_are_stopped(serve: Serve, port: MemoryPort) -> None:
    client = await serve(chat.routes(port, limit=RateLimit(2, 60), poll=0.02))
    visitor = Visitor(client)
    await visitor.connect()
    for n in range(3):
        await visitor.say(f"m{n}", "刷屏")
    await visitor.read(until="m1", lines=4)
    assert (await visitor.frame()).error_id == "rate_limited"
    await visitor.socket.send_str("x" * (chat_codec.MAX_FRAME + 1))
    assert (await visitor.socket.receive(timeout=20)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_a_closing_process_says_goodbye(serve: Serve, port: MemoryPort) -> None:
    room = chat.room(port, poll=0.02)
    client = await serve([web.get("/chat", room.connect)])
    visitor = Visitor(client)
    await visitor.connect()
    await room.close()
    closed = await visitor.socket.receive(timeout=20)
    assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        await visitor.client.ws_connect("/chat")


async def test_sessions_cannot_be_guessed() -> None:
    sessions = {chat.new_session() for _ in range(100)}
    assert len(sessions) == 100
    assert {len(session) for session in sessions} == {45}
    assert len({chat_codec.kept_as(session) for session in sessions}) == 100
