"""With the settings as they are delivered: who sends again what was not answered is never told to be too fast."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable

import aiohttp

from hotline.config import Settings
from hotline.standins import wechat as wechat_standin
from tests.processes import TOKEN, WECHAT_TOKEN, House
from tests.serve.scene import until, value

DEFAULT = {"HOTLINE_CITIZEN_RATE": str(Settings().citizen_rate), "HOTLINE_WEB_RATE": str(Settings().web_rate)}
REQUEST = {"service_code": "0307", "lat": "23.02", "long": "113.75", "description": "路灯不亮"}
Answer = tuple[int, str]
Send = Callable[[aiohttp.ClientSession, House], Awaitable[Answer]]


async def _post(session: aiohttp.ClientSession, url: str, **request: object) -> Answer:
    async with session.post(url, **request) as answer:  # type: ignore[arg-type]
        return answer.status, await answer.text()


def _app(session: aiohttp.ClientSession, house: House) -> Awaitable[Answer]:
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "repeats-app"}
    body = {"text": "路灯不亮", "phone": "13800138001"}
    return _post(session, f"{house.url}/api/v1/appeals", json=body, headers=headers)


def _web(session: aiohttp.ClientSession, house: House) -> Awaitable[Answer]:
    body = {"text": "路灯不亮", "phone": "13800138002"}
    return _post(session, f"{house.url}/api/v1/appeals", json=body, headers={"Idempotency-Key": "repeats-web"})


def _open311(session: aiohttp.ClientSession, house: House) -> Awaitable[Answer]:
    form = REQUEST | {"api_key": TOKEN, "phone": "13800138003"}
    return _post(session, f"{house.url}/open311/v2/requests.json", data=form)


def _open311_of_the_public(session: aiohttp.ClientSession, house: House) -> Awaitable[Answer]:
    return _post(session, f"{house.url}/open311/v2/requests.json", data=REQUEST | {"email": "li@example.com"})


def _wechat(session: aiohttp.ClientSession, house: House, number: int = 9000) -> Awaitable[Answer]:
    now = int(time.time())
    body = wechat_standin.text_message(f"路灯不亮 {number}", open_id="o-repeats", message_id=number, created=now)
    query = wechat_standin.signed_query(WECHAT_TOKEN, timestamp=now, nonce="n")
    return _post(session, f"{house.url}/wechat", data=body, params=query)


async def test_fifty_of_one_delivery_at_once_all_get_its_number(house: House, session: aiohttp.ClientSession) -> None:
    await house.serve(environment=DEFAULT)
    kinds: tuple[Send, ...] = (_app, _web, _open311, _open311_of_the_public, _wechat)
    for send in kinds:
        answers = await asyncio.gather(*(send(session, house) for _ in range(50)))
        assert {status for status, _ in answers} <= {200, 201}, send
        assert len({tuple(re.findall(r"DG\d{16,}", text)) for _, text in answers}) == 1, send
        assert re.search(r"DG\d{16,}", answers[0][1]), send


async def test_no_message_of_wechat_is_lost_to_the_limit(house: House, session: aiohttp.ClientSession) -> None:
    await house.serve(environment=DEFAULT)
    answers = await asyncio.gather(*(_wechat(session, house, 9100 + n) for n in range(40)))
    assert "success" in {text for _, text in answers}, "some were too many to be answered at once"
    query = "SELECT count(*) = 40 FROM inbox WHERE channel = 'wechat' AND external_id LIKE '91__'"
    await until(lambda: value(house, query))
