"""On the real core and a real PostgreSQL: one delivery sent 50 times at once makes one ticket, on any channel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import aiohttp
import msgspec
import pytest

from channels import appeals, chat, open311, open311_codec, police, tickets, wechat
from channels.limits import RateLimit
from channels.message import Inbound, Outbound
from channels.repeats import Repeats
from channels.wechat_codec import WeChatSettings, read_xml
from hotline.appeal import Appeal, Attachment, Citizen
from hotline.core import Core
from hotline.media import Media
from hotline.signing import signature
from hotline.standins import wechat as wechat_standin
from hotline.store.sealing import open_document
from hotline.terms import Channel
from tests.channels.conftest import Client, Serve
from tests.channels.test_appeals import PNG
from tests.channels.test_contract import CITY

APP = {"Authorization": "Bearer demo-token-12345", "Idempotency-Key": "k1"}
Deliver = Callable[[Client], Awaitable[aiohttp.ClientResponse]]


@pytest.fixture
async def client(core: Core, serve: Serve) -> Client:
    front, tokens = core.front, {"demo": "demo-token-12345"}
    return await serve([
        *appeals.routes(front, tokens=tokens, limit=RateLimit(1000, 1)), *tickets.routes(front, tokens=tokens),
        *chat.routes(front), *police.routes(front, secret="s"),
        *open311.routes(front, city=CITY, keys=tokens, limit=RateLimit(1000, 1)),
        *wechat.routes(front, settings=WeChatSettings(token="t", app_id="wx1")),
    ])


async def _app(client: Client) -> aiohttp.ClientResponse:
    return await client.post("/api/v1/appeals", json={"text": "路灯不亮"}, headers=APP)


async def _form(client: Client) -> aiohttp.ClientResponse:
    return await client.post("/api/v1/appeals", data={"text": "井盖丢失", "key": "f1"})


async def _open311(client: Client) -> aiohttp.ClientResponse:
    form = {"service_code": "0307", "lat": "23.02", "long": "113.75", "description": "路灯不亮"}
    return await client.post("/open311/v2/requests.json", data=form)


async def _wechat(client: Client) -> aiohttp.ClientResponse:
    xml = wechat_standin.text_message("夜里施工", open_id="o1", message_id=7, created=1795240800)
    query = wechat_standin.signed_query("t", timestamp=1795240800, nonce="n")
    return await client.post("/wechat", data=xml, params=query)


async def _police(client: Client) -> aiohttp.ClientResponse:
    body, timestamp = b'{"incident": "17", "text": "\xe6\x8c\xaa\xe8\xbd\xa6"}', str(int(datetime.now(UTC).timestamp()))
    signed = {"X-Timestamp": timestamp, "X-Signature": signature("s", timestamp, body)}
    return await client.post("/api/v1/police/transfers", data=body, headers=signed)


@pytest.mark.parametrize("deliver", [_app, _form, _open311, _wechat, _police])
async def test_fifty_at_once_make_one_ticket(client: Client, core: Core, deliver: Deliver) -> None:
    answers = await asyncio.gather(*(deliver(client) for _ in range(50)))
    assert {answer.status for answer in answers} <= {200, 201}
    assert await core.pool.fetchval("SELECT count(*) FROM tickets") == 1
    number, code = await core.pool.fetchrow("SELECT number, code FROM tickets")
    for answer in answers:
        assert number in await answer.text()
        assert code in await answer.text()


# ── limits ───────────────────────────────────────────────────────────────────────────────────────
async def _of_a_citizen(client: Client, key: str, text: str = "路灯不亮") -> int:
    headers = APP | {"Idempotency-Key": key}
    answer = await client.post("/api/v1/appeals", json={"text": text, "phone": "13800138000"}, headers=headers)
    return answer.status


async def test_a_repeat_is_no_flood(client: Client, core: Core) -> None:
    core.front.limit = Repeats(RateLimit(1, 60))
    first = await asyncio.gather(*(_of_a_citizen(client, "k1") for _ in range(5)))
    assert sorted(first) == [200, 200, 200, 200, 201]
    assert [await _of_a_citizen(client, key) for key in ("k2", "k1", "k1")] == [429, 200, 200]
    assert await _of_a_citizen(client, "k1", "另一件事") == 422
    assert 429 in [await _of_a_citizen(client, "k1") for _ in range(10)], "repeats have a limit of their own"
    assert await core.pool.fetchval("SELECT count(*) FROM tickets") == 1


async def test_a_wechat_message_beyond_the_limit_is_taken_later(client: Client, core: Core) -> None:
    core.front.limit = Repeats(RateLimit(1, 60))
    for number in (1, 2, 1):
        xml = wechat_standin.text_message(f"第{number}件", open_id="o1", message_id=number, created=1795240800)
        query = wechat_standin.signed_query("t", timestamp=1795240800, nonce="n")
        answer = await client.post("/wechat", data=xml, params=query)
        assert (await answer.read() == b"success") == (number == 2)
    await core.spool.drain()
    assert core.spool.count() == (0, 0)
    assert await core.pool.fetchval("SELECT count(*) FROM inbox") == 2
    assert await core.pool.fetchval("SELECT count(*) FROM outbox WHERE key = 'answer-2'") == 1


async def test_a_ticket_is_looked_up_supplemented_and_withdrawn(client: Client, core: Core) -> None:
    told = await (await _app(client)).json()
    ticket = f"/api/v1/tickets/{told['number']}"
    added = await asyncio.gather(*(
        client.post(f"{ticket}/messages?code={told['code']}", json={"text": "又不亮"}, headers={"Idempotency-Key": "m"})
        for _ in range(20)
    ))
    assert sorted(answer.status for answer in added) == [200] * 19 + [201]
    stands = await (await client.get(f"{ticket}?code={told['code']}")).json()
    assert [step["title"] for step in stands["steps"]] == ["已收到", "已补充"]
    withdrawn = await client.post(f"{ticket}/withdrawal?code={told['code']}")
    assert (await withdrawn.json())["status"] == "withdrawn"
    assert (await client.get(f"{ticket}?code=0")).status == 404


async def test_withdrawn_by_many_at_once(client: Client) -> None:
    told = await (await _app(client)).json()
    path = f"/api/v1/tickets/{told['number']}/withdrawal?code={told['code']}"
    answers = await asyncio.gather(*(client.post(path) for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert {(await answer.json())["status"] for answer in answers} == {"withdrawn"}


async def test_a_wechat_message_during_an_outage_becomes_one_ticket(client: Client, core: Core) -> None:
    async with core.pool.acquire() as blocker, blocker.transaction():
        await blocker.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        answer = await _wechat(client)
        assert await answer.read() == b"success"
    await core.spool.drain()
    assert await core.pool.fetchval("SELECT count(*) FROM tickets") == 1
    key, owed = await core.pool.fetchrow("SELECT key, message FROM outbox WHERE channel = 'wechat'")
    number = await core.pool.fetchval("SELECT number FROM tickets")
    assert number.encode() in open_document(owed, context=f"message {key}")
    again = await _wechat(client)
    assert number in read_xml(await again.read())["Content"]
    assert await core.pool.fetchval("SELECT count(*) FROM tickets") == 1


async def test_an_open311_request_that_was_spooled_is_answered_to_the_telephone(client: Client, core: Core) -> None:
    """The app has a token only: where no push is set up, an SMS tells its citizen number and code."""
    citizen = Citizen(phone="+8613800138000", key="+8613800138000")
    appeal = Appeal(text="路灯不亮", citizen=citizen)
    core.front.spool(open311_codec.inbound_of(appeal, token="t1", source="", now=datetime.now(UTC)))
    await core.spool.drain()
    key, owed = await core.pool.fetchrow("SELECT key, message FROM outbox WHERE key LIKE 'answer-%'")
    told = msgspec.json.decode(open_document(owed, context=f"message {key}"), type=Outbound)
    assert (told.channel, told.phone) == (Channel.APP, citizen.phone)
    assert await core.pool.fetchval("SELECT code FROM tickets") in told.text


async def test_a_picture_that_was_spooled_is_fetched_once(client: Client, core: Core) -> None:
    for number in (1, 2, 1):
        core.front.spool(Inbound(
            channel=Channel.WECHAT, external_id=f"pic-{number}", received_at=datetime.now(UTC),
            conversation=f"o{number}", appeal=Appeal(
                text="[图片]", citizen=Citizen(key=f"o{number}"),
                attachments=(Attachment(key=f"wechat:m{number}", name="图片.jpg", media_type="image/jpeg", size=0),),
            ),
        ))
    await core.spool.drain()
    fetched: list[str] = []

    async def fetch(media_id: str) -> bytes:
        fetched.append(media_id)
        return PNG

    media = Media(port=core.front, tickets=core.store, service=core.service, fetch=fetch)
    jobs = await core.pool.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'fetch_media'")
    for job in (*jobs, *jobs):
        await media.bring_home(job["payload"].decode())
    assert sorted(fetched) == ["m1", "m1", "m2", "m2"]
    assert await core.pool.fetchval("SELECT count(*) FROM ticket_events WHERE type = 'attach'") == 2
    assert await core.pool.fetchval("SELECT count(*) FROM tickets") == 2
    assert await core.pool.fetchval("SELECT count(*) FROM attachments") == 1
    assert await core.pool.fetchval("SELECT count(*) FROM outbox WHERE key LIKE 'answer-pic-%'") == 2


async def test_a_chat_survives_its_process(client: Client, core: Core) -> None:
    async with client.ws_connect("/chat") as socket:
        await socket.send_json({"type": "hello"})
        session = (await socket.receive_json())["session"]
        await socket.send_json({"type": "message", "id": "m1", "text": "垃圾没人清"})
        frames = [await socket.receive_json() for _ in range(3)]
    assert [frame["type"] for frame in frames] == ["ack", "line", "line"]
    async with client.ws_connect("/chat") as socket:
        await socket.send_json({"type": "hello", "session": session, "last_seq": 1})
        assert (await socket.receive_json())["type"] == "welcome"
        line = await socket.receive_json()
        assert (line["seq"], line["author"]) == (2, "hotline")
