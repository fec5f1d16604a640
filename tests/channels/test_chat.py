"""The chat: numbered lines, acknowledgements, cut connections, other processes."""

from __future__ import annotations

import asyncio
import random

import pytest

from channels import chat, chat_codec
from channels.chat_codec import Ack, Failed, Line
from channels.chat_connection import Connection
from channels.limits import RateLimit
from channels.message import Outbound
from channels.views import ChatLine
from hotline.errors import Overloaded
from hotline.terms import Channel
from tests.channels.conftest import Client, Serve
from tests.channels.memory import MemoryPort
from tests.channels.visitor import Visitor


@pytest.fixture
async def client(serve: Serve, port: MemoryPort) -> Client:
    return await serve(chat.routes(port, limit=RateLimit(1000, 60), poll=0.02))


async def test_a_message_is_acknowledged_numbered_and_answered(client: Client, port: MemoryPort) -> None:
    visitor = Visitor(client)
    await visitor.connect()
    await visitor.say("m1", "小区垃圾没人清")
    await visitor.read(until="m1", lines=2)
    assert visitor.acks["m1"].seq == 1
    assert visitor.acks["m1"].appeal.number in visitor.lines[1].text
    assert [(line.seq, line.author, line.id) for line in visitor.lines] == [(1, "citizen", "m1"), (2, "hotline", "")]
    (inbound,) = port.inbounds
    assert (inbound.channel, inbound.conversation) == (Channel.WEB, f"chat:{visitor.known}")


async def test_what_opens_a_chat_is_kept_nowhere(client: Client, port: MemoryPort) -> None:
    visitor = Visitor(client)
    await visitor.connect()
    await visitor.say("m1", "垃圾")
    await visitor.read(until="m1", lines=2)
    kept = f"{port.inbounds} {await port.chat_since({visitor.known: 0})}"
    assert visitor.known in kept
    assert visitor.session not in kept
    assert visitor.session.removeprefix("s.") not in kept
    socket = await client.ws_connect("/chat")
    await socket.send_json({"type": "hello", "session": visitor.known})
    failed = chat_codec.decode_answer(await socket.receive_str(timeout=20))
    assert isinstance(failed, Failed), "what is kept opens nothing"


async def test_a_chat_that_was_begun_before_goes_on(client: Client, port: MemoryPort) -> None:
    visitor = Visitor(client)
    visitor.session = "x" * 43  # without the beginning: kept as it is, then as now
    await chat.send(port, Outbound(channel=Channel.WEB, key="k1", to=f"chat:{visitor.session}", text="已派单"))
    await visitor.connect()
    await visitor.say("m1", "谢谢")
    await visitor.read(until="m1", lines=3)
    assert [line.text for line in visitor.lines[:2]] == ["已派单", "谢谢"]
    assert port.inbounds[0].conversation == f"chat:{'x' * 43}"


async def test_a_new_connection_gets_what_was_missed_and_nothing_twice(client: Client, port: MemoryPort) -> None:
    visitor = Visitor(client)
    await visitor.connect()
    await visitor.say("m1", "垃圾")
    await visitor.read(until="m1", lines=2)
    await visitor.socket.close()
    await chat.send(port, Outbound(channel=Channel.WEB, key="k1", to=f"chat:{visitor.known}", text="已派单"))
    await chat.send(port, Outbound(channel=Channel.WEB, key="k1", to=f"chat:{visitor.known}", text="已派单"))
    await visitor.connect()
    await visitor.say("m1", "垃圾")  # the page never saw its acknowledgement
    visitor.acks.clear()
    await visitor.read(until="m1", lines=3)
    assert [line.seq for line in visitor.lines] == [1, 2, 3]
    assert visitor.lines[2].text == "已派单"
    assert len(port.inbounds) == 1


async def test_lines_of_other_processes_arrive(client: Client, port: MemoryPort) -> None:
    visitors = [Visitor(client) for _ in range(3)]
    for visitor in visitors:
        await visitor.connect()
        await chat.send(port, Outbound(channel=Channel.WEB, key="k", to=f"chat:{visitor.known}", text="您好"))
    for visitor in visitors:
        await visitor.read(lines=1)
        assert visitor.lines[0].text == "您好"


async def test_two_pages_of_one_session_see_the_same(client: Client) -> None:
    one, two = Visitor(client), Visitor(client)
    await one.connect()
    two.session = one.session
    await two.connect()
    await one.say("a", "一")
    await two.say("b", "二")
    await asyncio.gather(one.read(lines=4), two.read(lines=4))
    assert one.lines == two.lines


async def test_random_cuts_lose_and_double_nothing(client: Client, port: MemoryPort) -> None:
    rng, visitor = random.Random(7), Visitor(client)
    waiting = [f"m{n}" for n in range(12)]
    while waiting:
        await visitor.connect()
        said = waiting[:rng.randint(1, 4)]
        for message in said:
            await visitor.say(message, f"第{message}句")
        for _ in range(rng.randint(0, len(said))):  # each is acknowledged, so at least as many frames come
            frame = await visitor.frame()
            if isinstance(frame, Line):
                visitor.lines.append(frame)
            elif isinstance(frame, Ack) and frame.id in waiting:
                waiting.remove(frame.id)
        await visitor.socket.close()
    await visitor.connect()
    await visitor.read(lines=24)
    assert [line.seq for line in visitor.lines] == list(range(1, 25))
    assert sorted(line.id for line in visitor.lines if line.author == "citizen") == sorted(f"m{n}" for n in range(12))
    assert len(port.inbounds) == 12


async def test_a_full_core_is_told_and_the_message_can_come_again(client: Client, port: MemoryPort) -> None:
    visitor = Visitor(client)
    await visitor.connect()
    port.failure = Overloaded("full", retry_after=2)
    await visitor.say("m1", "垃圾")
    failed = await visitor.frame()
    assert (failed.error_id, failed.id, failed.retry_after) == ("overloaded", "m1", 2)
    port.failure = None
    await visitor.say("m1", "垃圾")
    await visitor.read(until="m1", lines=2)
    assert [line.seq for line in visitor.lines] == [1, 2]


async def test_the_same_id_with_other_words_is_refused(client: Client) -> None:
    visitor = Visitor(client)
    await visitor.connect()
    await visitor.say("m1", "垃圾")
    await visitor.read(until="m1", lines=2)
    await visitor.say("m1", "别的")
    failed = await visitor.frame()
    assert failed.error_id == "idempotency_key_reused"


async def test_a_database_that_comes_back_finds_the_chats_alive(client: Client, port: MemoryPort) -> None:
    visitor = Visitor(client)
    await visitor.connect()
    real, failed = port.chat_since, asyncio.Event()

    async def gone(sessions: dict[str, int]) -> list[ChatLine]:
        failed.set()
        raise OSError("connection lost")

    port.chat_since = gone  # type: ignore[method-assign]
    await asyncio.wait_for(failed.wait(), 20)
    port.chat_since = real  # type: ignore[method-assign]
    await chat.send(port, Outbound(channel=Channel.WEB, key="k", to=f"chat:{visitor.known}", text="您好"))
    await visitor.read(lines=1)
    assert visitor.lines[0].text == "您好"


async def test_who_reads_nothing_keeps_no_other_chat_waiting(
    client: Client, port: MemoryPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = Visitor(client), Visitor(client)
    await slow.connect()
    await quick.connect()
    stuck, send = asyncio.Event(), Connection.send

    async def reads_nothing(self: Connection, answer: chat_codec.Answer) -> None:
        if self.session == slow.known:
            stuck.set()
            await asyncio.Event().wait()
        await send(self, answer)

    monkeypatch.setattr(Connection, "send", reads_nothing)
    for n, visitor in enumerate((slow, quick)):
        await chat.send(port, Outbound(channel=Channel.WEB, key=f"k{n}", to=f"chat:{visitor.known}", text="您好"))
        await asyncio.wait_for(stuck.wait(), 20)
    await quick.read(lines=1)
    await slow.socket.close()
    await chat.send(port, Outbound(channel=Channel.WEB, key="k2", to=f"chat:{quick.known}", text="再见"))
    await quick.read(lines=2)
