"""The PBX dials us: who is let in, requests and answers over one line, what happens when it breaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import ari_socket
from channels.ari_codec import Request, decode_channels
from channels.ari_socket import Awaited
from channels.ari_socket_codec import decode_answer, encode_request
from hotline.config import load
from hotline.errors import InvalidInput, Unavailable
from routing import call_words as m
from routing.calls import Phase, Role
from tests.voice.centre import NEEDS_PBX, Centre
from tests.voice.phones import answering

LOGIN = {"Authorization": aiohttp.encode_basic_auth("pbx", "secret")}
FIRST = '{"type": "ApplicationRegistered"}'
GET = Request("GET", "/channels")


@asynccontextmanager
async def awaiting() -> AsyncIterator[tuple[Awaited, str, aiohttp.ClientSession]]:
    awaited = Awaited(user="pbx", password="secret")
    async with awaited.serving("127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
        yield awaited, f"http://127.0.0.1:{port}/ari", session


async def dial(session: aiohttp.ClientSession, url: str, **more: Any) -> aiohttp.ClientWebSocketResponse:
    options: dict[str, Any] = {"headers": LOGIN, "protocols": ("ari",), **more}
    socket = await session.ws_connect(url, **options)
    await socket.send_str(FIRST)
    return socket


async def told(awaited: Awaited) -> str | None:
    """Return the next event; None for a new line, whose first frame is passed over."""
    async with asyncio.timeout(20):
        while (event := await anext(awaited.events())) == FIRST:
            pass
        return event


def answer(frame: dict[str, Any], status: int = 200, body: str = "[]") -> str:
    return json.dumps({"type": "RESTResponse", "request_id": frame["request_id"], "status_code": status,
                       "reason_phrase": "OK", "uri": frame["uri"], "message_body": body})


async def test_only_the_pbx_is_let_in() -> None:
    async with awaiting() as (awaited, url, session):
        for login in ({}, {"Authorization": aiohttp.encode_basic_auth("pbx", "wrong")}, {"Authorization": "ß"}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await dial(session, url, headers=login)
            assert refused.value.status == 401
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await dial(session, url, protocols=("chat",))
        assert refused.value.status == 400
        async with session.get(url, headers=LOGIN) as plain:
            assert plain.status == 400
        assert not awaited.there


async def test_answers_find_their_requests_in_any_order_among_the_events() -> None:
    async with awaiting() as (awaited, url, session):
        pbx = await dial(session, url)
        assert await told(awaited) is None
        asked = [asyncio.create_task(awaited.ask(Request("GET", f"/channels/{n}"))) for n in range(3)]
        frames = [await pbx.receive_json() for _ in asked]
        await pbx.send_str('{"type": "StasisStart"}')
        await pbx.send_str("no frame at all")
        await pbx.send_bytes(b"binary")
        await pbx.send_str(answer({"request_id": "nobody asked", "uri": ""}))
        for frame in reversed(frames):
            await pbx.send_str(answer(frame, body=frame["uri"]))
        assert [(await one).body for one in asked] == [b"channels/0", b"channels/1", b"channels/2"]
        assert [await told(awaited), await told(awaited)] == ['{"type": "StasisStart"}', "no frame at all"]


async def test_what_is_asked_when_the_line_breaks_is_refused_and_the_next_line_serves() -> None:
    async with awaiting() as (awaited, url, session):
        with pytest.raises(Unavailable, match="not dialled"):
            await awaited.ask(GET)
        silent = await session.ws_connect(url, headers=LOGIN, protocols=("ari",))
        with pytest.raises(Unavailable, match="not dialled"):
            await awaited.ask(GET)  # it may not read yet
        await silent.close()
        pbx = await dial(session, url)
        assert await told(awaited) is None
        asked = asyncio.create_task(awaited.ask(GET))
        await pbx.receive_json()
        await pbx.send_str('{"type": "StasisEnd"}')
        await pbx.close()
        with pytest.raises(Unavailable):
            await asked
        again = await dial(session, url)
        while not awaited.there:
            await asyncio.sleep(0.01)
        assert await told(awaited) is None  # what came before is told by comparing
        asked = asyncio.create_task(awaited.ask(GET))
        await again.send_str(answer(await again.receive_json()))
        assert await asked == (200, b"[]")


async def test_the_newest_line_counts() -> None:
    async with awaiting() as (awaited, url, session):
        old = await dial(session, url)
        assert await told(awaited) is None
        asked = asyncio.create_task(awaited.ask(GET))
        await old.receive_json()
        new = await dial(session, url)
        with pytest.raises(Unavailable):
            await asked
        assert await told(awaited) is None
        assert (await old.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert awaited.there
        asked = asyncio.create_task(awaited.ask(GET))
        await new.send_str(answer(await new.receive_json(), status=404))
        assert (await asked).status == 404


async def test_a_line_that_brings_more_than_can_be_kept_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ari_socket, "_MOST_EVENTS", 3)
    async with awaiting() as (awaited, url, session):
        pbx = await dial(session, url)
        for n in range(5):
            await pbx.send_str(f'{{"type": "{n}"}}')
        async with asyncio.timeout(20):
            while (await pbx.receive()).type is not aiohttp.WSMsgType.CLOSED:
                pass
        assert not awaited.there


async def test_a_pbx_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ari_socket, "ANSWER", 0.05)
    async with awaiting() as (awaited, url, session):
        pbx = await dial(session, url)
        assert await told(awaited) is None
        with pytest.raises(Unavailable, match="does not answer"):
            await awaited.ask(GET)
        late = await pbx.receive_json()
        await pbx.send_str(answer(late))  # hits nobody
        with pytest.raises(Unavailable, match="ari_url"):
            await awaited.recording("r")


def test_a_request_is_a_path_with_its_query() -> None:
    request = Request("POST", "/channels/a%7Eb", {"variable": "CHANNEL(language)", "n": "1+2 &"})
    frame = json.loads(encode_request(request, id_="7"))
    assert frame == {"type": "RESTRequest", "request_id": "7", "method": "POST",
                     "uri": "channels/a%7Eb?variable=CHANNEL%28language%29&n=1%2B2%20%26"}


@given(st.text() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["type", "request_id", "status_code", "message_body"]), inner)
).map(json.dumps))
def test_whatever_comes_is_an_answer_or_none(text: str) -> None:
    found = decode_answer(text)
    assert found is None or json.loads(text)["type"] == "RESTResponse"


def test_only_a_citizens_channel_in_our_application_is_let_in() -> None:
    def entered(id_: str, app: str = "Stasis", data: str = "hotline", ours: str = "hotline") -> object:
        told = [{"id": id_, "caller": {"number": "138"},
                 "dialplan": {"exten": "12345", "app_name": app, "app_data": data}}]
        [channel] = decode_channels(json.dumps(told).encode(), app=ours)
        return channel.entered

    assert entered("1700000000.1") == m.Entered("1700000000.1", "138", "12345")
    assert entered("agent~1700000000.1~1~wang") is None
    assert entered("1700000000.1", app="Dial") is None
    assert entered("1700000000.1", data="another") is None
    assert entered("1700000000.1", ours="another") is None
    assert entered("1700000000.1", data="another", ours="another") is not None


@pytest.mark.parametrize("value", ["8089", ":8089", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:x"])
def test_a_wrong_address_to_listen_at_is_told(value: str) -> None:
    with pytest.raises(InvalidInput, match="ari_listen"):
        load({"HOTLINE_ARI_LISTEN": value, "HOTLINE_ARI_USER": "u", "HOTLINE_ARI_PASSWORD": "p"})
    with pytest.raises(InvalidInput, match="ari_user"):
        load({"HOTLINE_ARI_LISTEN": "127.0.0.1:8089"})


@NEEDS_PBX
@pytest.mark.parametrize("centre", [{"dials": True}], indirect=True)
async def test_who_calls_while_nobody_hears_the_pbx_is_let_in_when_somebody_does(centre: Centre) -> None:
    await centre.agent("wang", answering())
    await centre.kill()
    await centre.phones.citizen(seconds=30)
    await asyncio.sleep(2)
    await centre.again()
    call = await centre.call(Phase.TALKING)
    assert {leg.role for leg in call.legs} == {Role.CITIZEN, Role.AGENT}


@NEEDS_PBX
async def test_what_an_ended_call_left_over_is_hung_up(centre: Centre) -> None:
    """Our process was killed between writing that the call is over and hanging up."""
    citizen = await centre.phones.citizen(seconds=60)
    call = await centre.call(Phase.WAITING)
    await centre.kill()
    await centre.pool.execute("UPDATE calls SET doc = NULL, ended_at = now() WHERE id = $1", call.id)
    await centre.again()
    async with asyncio.timeout(10):
        await citizen.wait()
    assert not centre.telephone.calls
    assert centre.owed == []
