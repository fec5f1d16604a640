"""A service that is stopped finishes what it has; one whose database is away keeps what comes."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import asyncpg
import pytest
from websockets.exceptions import ConnectionClosed

from hotline.standins import wechat as wechat_standin
from hotline.store.embedded import start_embedded, stop_embedded
from tests.processes import WECHAT_TOKEN, House
from tests.serve.scene import LAMP, appeal, console, ended, frame, listens, systemd, until, value


# ── stopping ─────────────────────────────────────────────────────────────────────────────────────
async def test_stopping_finishes_what_is_under_way(house: House, session: aiohttp.ClientSession) -> None:
    await house.serve()
    await until(lambda: listens(house.ws_port))
    blocker = await asyncpg.connect(house.dsn)
    async with console(session, house) as socket, session.ws_connect(f"{house.url}/chat") as chat:
        await chat.send_json({"type": "hello"})
        assert (await chat.receive_json())["type"] == "welcome"
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
            under_way = [asyncio.create_task(appeal(session, house))]
            await until(lambda: value(house, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"))
            under_way += [asyncio.create_task(appeal(session, house)) for _ in range(4)]
            await until(lambda: _waiting(session, house, 4))  # a request that has not come yet is refused
            house.process("service").terminate()
            assert (await chat.receive(timeout=20)).type is aiohttp.WSMsgType.CLOSE
            assert chat.close_code == aiohttp.WSCloseCode.GOING_AWAY
            with pytest.raises(ConnectionClosed):
                await frame(socket, lambda f: False)
            assert house.process("service").poll() is None, "it waits for the requests"
        answers = await asyncio.gather(*under_way)
    await blocker.close()
    assert [answer["http"] for answer in answers] == [201] * 5
    assert await ended(house, "service") == 0
    numbers = [answer["number"] for answer in answers]
    assert await value(house, "SELECT count(*) FROM tickets WHERE number = ANY ($1)", numbers) == 5
    assert "Traceback" not in house.log_of("service")


async def _waiting(session: aiohttp.ClientSession, house: House, count: int) -> bool:
    async with session.get(f"{house.url}/metrics") as answer:
        return f"hotline_intake_waiting {float(count)}\n" in await answer.text()


# ── outage ───────────────────────────────────────────────────────────────────────────────────────
async def _wechat(session: aiohttp.ClientSession, house: House, number: int) -> str:
    now = int(time.time())
    body = wechat_standin.text_message(LAMP, open_id="o-spool", message_id=number, created=now)
    query = wechat_standin.signed_query(WECHAT_TOKEN, timestamp=now, nonce="n")
    async with session.post(f"{house.url}/wechat", data=body, params=query) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_a_wechat_delivery_survives_the_database_being_away(
    house: House, session: aiohttp.ClientSession
) -> None:
    with systemd(house) as (heard, told_where):
        await house.serve(environment=told_where)
        # A role that is still starting would end the process without a database.
        assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(heard, 100), 60) == b"READY=1"
    await asyncio.to_thread(stop_embedded, house.home)
    try:
        async with asyncio.timeout(5):  # what WeChat waits
            assert await _wechat(session, house, 4711) == "success"
        async with asyncio.timeout(5):
            assert await _wechat(session, house, 4711) == "success"
        assert len(list((house.home / "data" / "spool").glob("*.json"))) == 1
        async with session.get(f"{house.url}/readyz") as answer:
            assert answer.status == 503
    finally:
        await asyncio.to_thread(start_embedded, house.home, durable=False)
    query = "SELECT count(*) FROM inbox WHERE channel = 'wechat' AND external_id = '4711'"
    await until(lambda: value(house, query))

    async def spool_empty() -> bool:
        return not any((house.home / "data" / "spool").iterdir())
    await until(spool_empty)
    answers = {await _wechat(session, house, 4711) for _ in range(2)}
    number = await value(house, "SELECT number FROM tickets JOIN inbox ON ticket_id = id WHERE external_id = '4711'")
    assert all(number in answer for answer in answers)
    assert await value(house, query) == 1
    assert await value(house, "SELECT count(*) FROM outbox WHERE key = 'answer-4711'") == 1
    assert (await appeal(session, house))["http"] == 201
