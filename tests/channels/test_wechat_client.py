"""Outgoing WeChat against the stand-in: the shared token, every error it can answer, files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels import wechat_api, wording
from channels.message import Outbound
from channels.wechat_api import FreshToken, OutsideWindow, Refused, WeChatApi
from channels.wechat_client import MAX_MEDIA, WeChatClient
from hotline import commands as c
from hotline.errors import HotlineError, RateLimited, RuleViolation, Unavailable
from hotline.events import SYSTEM, TicketEvent
from hotline.family_news import FamilyNews, text_for
from hotline.ids import TicketNumber
from hotline.jobs import AT_ONCE
from hotline.notices import notice
from hotline.standins.wechat import WeChatStandIn
from hotline.store.jobs import Job
from hotline.terms import Channel
from tests.cities import NOW
from tests.hotline.test_decide import ticket as open_ticket

CUSTOM, SUBSCRIBE = "/cgi-bin/message/custom/send", "/cgi-bin/message/subscribe/bizsend"


class MemoryTokens:
    """`TokenStore` of one process: one fetch at a time, others take what it brought."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.fetches = 0
        self._lock = asyncio.Lock()

    async def get(self, name: str) -> str | None:
        return self.token

    async def refresh(self, name: str, fetch: Callable[[], Awaitable[FreshToken]], *, stale: str | None) -> str:
        async with self._lock:
            if self.token is None or self.token == stale:
                self.fetches += 1
                self.token = (await fetch()).token
            return self.token


class Rig:
    """The stand-in on a port, and clients (processes) that share a token store."""

    def __init__(self, standin: WeChatStandIn, base: str, session: aiohttp.ClientSession) -> None:
        self.standin, self.base, self.session, self.tokens = standin, base, session, MemoryTokens()

    def client(self, *, template: str = "") -> WeChatClient:
        fields = {"character_string1": "number", "thing2": "text", "phrase3": "办理中"}
        api = WeChatApi(base=self.base, app_id="wx1", secret="s", template_id=template, fields=fields)
        return WeChatClient(self.session, api, self.tokens, pause=0.001)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    standin = WeChatStandIn()
    async with TestServer(standin.app()) as server, aiohttp.ClientSession() as session:
        yield Rig(standin, str(server.make_url("")).rstrip("/"), session)


def message(key: str = "k1", *, to: str = "o1", text: str = "您的诉求已办结。") -> Outbound:
    return Outbound(channel=Channel.WECHAT, key=key, to=to, text=text, number=TicketNumber("DG2026112120000420"))


async def test_messages_arrive_with_one_token_for_all_processes(rig: Rig) -> None:
    clients = [rig.client() for _ in range(5)]
    await asyncio.gather(*(client.send(message(f"k{i}{j}")) for i, client in enumerate(clients) for j in range(10)))
    assert len(rig.standin.sent) == 50
    assert rig.standin.tokens == rig.tokens.fetches == 1
    path, body = rig.standin.sent[0]
    assert path == CUSTOM
    assert body == {"touser": "o1", "msgtype": "text", "text": {"content": "您的诉求已办结。"}}


async def test_a_stale_token_is_refreshed_once_for_all(rig: Rig) -> None:
    clients = [rig.client() for _ in range(4)]
    await clients[0].send(message("first"))
    rig.standin.tokens += 1  # somebody else fetched a token: ours is void (40001)
    await asyncio.gather(*(client.send(message(f"k{i}")) for i, client in enumerate(clients)))
    assert len(rig.standin.sent) == 5
    assert rig.tokens.fetches == 2


async def test_an_expired_token_is_refreshed(rig: Rig) -> None:
    client = rig.client()
    rig.standin.faults.expired = 1
    await client.send(message())
    assert len(rig.standin.sent) == 1


async def test_a_token_that_stays_stale_is_not_refreshed_for_ever(rig: Rig) -> None:
    rig.standin.faults.expired = 100
    with pytest.raises(Unavailable):
        await rig.client().send(message())
    assert rig.tokens.fetches == 2


async def test_busy_is_tried_again_and_given_up(rig: Rig) -> None:
    rig.standin.faults.busy = 2
    await rig.client().send(message())
    assert len(rig.standin.sent) == 1
    rig.standin.faults.busy = 100
    with pytest.raises(Unavailable):
        await rig.client().send(message("k2"))


async def test_outside_48_hours_without_a_notice_is_reported(rig: Rig) -> None:
    rig.standin.faults.outside_window = {"o1"}
    with pytest.raises(OutsideWindow) as caught:
        await rig.client().send(message())
    assert caught.value.error_id == "wechat_outside_window"


async def test_outside_48_hours_falls_back_to_the_subscription_notice(rig: Rig) -> None:
    rig.standin.faults.outside_window = {"o1"}
    result = f"{wording.head('东莞12345', 'DG2026112120000420')}办理结果:灯已修好,\n一共换了三盏路灯,谢谢您"
    link = "https://12345.example.cn/r/DG.abc"
    await rig.client(template="T1").send(msgspec.structs.replace(message(text=result), link=link))
    (path, body), = rig.standin.sent
    assert (path, body["page"]) == (SUBSCRIBE, link)
    assert body["data"] == {
        "character_string1": {"value": "DG2026112120000420"}, "phrase3": {"value": "办理中"},
        "thing2": {"value": "办理结果:灯已修好, 一共换了三盏路灯…"},
    }


@pytest.mark.parametrize(("fact", "told"), [
    (c.Sign(), "城管局已签收,将与您联系。"), (c.AskInfo(question="几号楼?"), "需要您补充信息:几号楼?"),
    (c.Withdraw(), "已按您的要求撤单。"), (c.AddMessage(text="师傅明早到", inbound=False), "师傅明早到"),
])
def test_a_subscription_notice_says_what_happened(fact: c.Command, told: str) -> None:
    ticket = open_ticket(lead="城管局")
    event = TicketEvent(version=4, at=NOW, actor=SYSTEM, state=ticket.state, fact=fact)
    api = WeChatApi(base="", app_id="a", secret="s", template_id="T1", fields={"thing2": "text"})
    said = notice(ticket, event, signature="东莞12345").text
    assert wechat_api.notice(message(text=said), api)["data"] == {"thing2": {"value": told}}
    family = FamilyNews(parent=ticket.number, version=4, text=said)
    of_a_child = message(text=text_for(family, TicketNumber("DG2026112120000437")))
    assert wechat_api.notice(of_a_child, api)["data"] == {"thing2": {"value": told}}


async def test_a_citizen_who_did_not_subscribe_is_reported(rig: Rig) -> None:
    rig.standin.faults.outside_window = rig.standin.faults.not_subscribed = {"o1"}
    with pytest.raises(OutsideWindow):
        await rig.client(template="T1").send(message())


async def test_five_messages_without_a_word_from_the_citizen_go_another_way(rig: Rig) -> None:
    rig.standin.faults.counted_out = {"o1"}
    with pytest.raises(OutsideWindow, match="45047"):
        await rig.client().send(message())
    await rig.client(template="T1").send(message())
    assert [path for path, _ in rig.standin.sent] == [SUBSCRIBE]


async def test_a_wrong_address_is_refused_for_good(rig: Rig) -> None:
    with pytest.raises(RuleViolation) as caught:
        await rig.client().send(message(to=""))
    assert (caught.value.error_id, "40003" in caught.value.detail) == ("wechat_refused", True)


async def test_no_token_no_server_no_json(rig: Rig) -> None:
    rig.standin.faults.refuse_token = True
    with pytest.raises(Unavailable, match="40013"):
        await rig.client().send(message())
    rig.standin.faults.refuse_token, rig.standin.faults.down = False, True
    with pytest.raises(Unavailable, match="JSON"):
        await rig.client().send(message())
    rig.base = "http://127.0.0.1:9"
    with pytest.raises(Unavailable, match="does not answer"):
        await rig.client().send(message())


async def test_long_texts_are_cut_to_wechats_limit(rig: Rig) -> None:
    await rig.client().send(message(text="答" * 1000))
    content = rig.standin.sent[0][1]["text"]["content"]
    assert len(content.encode()) <= 2048
    assert content.endswith("…")


async def test_files(rig: Rig) -> None:
    rig.standin.media["m1"] = ("audio/amr", b"#!AMR\n")
    rig.standin.faults.expired = 1
    assert await rig.client().media("m1") == b"#!AMR\n"
    with pytest.raises(RuleViolation, match="40007") as caught:
        await rig.client().media("m2")
    assert not isinstance(caught.value, Refused), "nobody can mend it"
    for kind in ("image/jpeg", "video/mp4"):
        rig.standin.media["big"] = (kind, b"x" * (20 * 1024 * 1024 + 1))
        with pytest.raises(RuleViolation, match="too large"):
            await rig.client().media("big")


async def test_a_video_is_fetched_from_where_wechat_says_it_lies(rig: Rig) -> None:
    rig.standin.media["v1"] = ("video/mp4", b"moving pictures")
    rig.standin.faults.expired = 1
    assert await rig.client().media("v1") == b"moving pictures"


async def test_a_file_may_take_its_time_as_long_as_it_comes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """All sixteen of them at once, as large as they may be, over a line of ten megabits."""
    asked: dict[str, aiohttp.ClientTimeout] = {}
    get = aiohttp.ClientSession.get

    def noted(session: aiohttp.ClientSession, url: str, **how: Any) -> Any:
        asked[urlsplit(url).path] = how["timeout"]
        return get(session, url, **how)

    monkeypatch.setattr(aiohttp.ClientSession, "get", noted)
    rig.standin.media["v1"] = ("video/mp4", b"moving pictures")
    await rig.client().media("v1")
    files = [asked[path] for path in ("/cgi-bin/media/get", "/video/v1")]
    needed = AT_ONCE[Job.FETCH_MEDIA] * MAX_MEDIA * 8 / 10_000_000
    assert [((one.total or 0) > needed, one.sock_read) for one in files] == [(True, 10)] * 2


@pytest.mark.parametrize(("address", "error", "told"), [
    ("{base}/gone", Unavailable, "HTTP 404"), ("{base}/empty", Unavailable, "without the file"),
    ("{base}/moved", Unavailable, "does not answer"), ("http://[", Unavailable, "does not answer"),
    ("file:///etc/passwd", RuleViolation, "none of the web"), (["no", "text"], RuleViolation, "none of the web"),
])
async def test_a_video_that_is_not_there_is_no_file(
    rig: Rig, address: Any, error: type[HotlineError], told: str
) -> None:
    async def media(request: web.Request) -> web.Response:
        base = str(request.url.origin())
        return web.json_response({"video_url": address.format(base=base) if isinstance(address, str) else address})

    async def moved(_: web.Request) -> web.Response:
        raise web.HTTPFound("ftp://127.0.0.1/video.mp4")

    async def empty(_: web.Request) -> web.Response:
        return web.Response(content_type="video/mp4")

    app = web.Application()
    app.add_routes([
        web.get("/cgi-bin/media/get", media), web.get("/moved", moved), web.get("/empty", empty),
    ])
    async with TestServer(app) as server:
        rig.base, rig.tokens.token = str(server.make_url("")).rstrip("/"), "token-1"
        with pytest.raises(error, match=told):
            await rig.client().media("v1")


@pytest.mark.parametrize(("path", "ask"), [
    ("token", lambda client: client.fetch_token()), ("message/custom/send", lambda client: client.send(message())),
    ("media/get", lambda client: client.media("m1")),
])
async def test_an_answer_longer_than_any_of_theirs_is_not_read_on(
    rig: Rig, path: str, ask: Callable[[WeChatClient], Awaitable[object]]
) -> None:
    async def long(_: web.Request) -> web.Response:
        return web.json_response({"access_token": "t", "expires_in": 7200, "more": "x" * 65_536})

    app = web.Application()
    app.add_routes([web.route("*", f"/cgi-bin/{path}", long)])
    async with TestServer(app) as server:
        rig.base, rig.tokens.token = str(server.make_url("")).rstrip("/"), "token-1"
        with pytest.raises(Unavailable, match="else than JSON"):
            await ask(rig.client())


async def test_a_page_of_a_gateway_is_no_file(rig: Rig) -> None:
    rig.tokens.token = "token-1"
    rig.standin.faults.down = True
    with pytest.raises(Unavailable, match="HTTP 502"):
        await rig.client().media("m1")


@pytest.mark.parametrize(("code", "error", "wait"), [
    (45009, RateLimited, 3600), (45011, RateLimited, 60), (40164, Refused, 0), (48001, Refused, 0),
])
async def test_why_files_are_not_given(rig: Rig, code: int, error: type[HotlineError], wait: int) -> None:
    rig.standin.media["m1"] = ("audio/amr", b"#!AMR\n")
    rig.standin.faults.files_answer = code
    with pytest.raises(error, match=str(code)) as caught:
        await rig.client().media("m1")
    assert getattr(caught.value, "retry_after", 0) == wait


async def test_faults_are_switched_over_http(rig: Rig) -> None:
    async with rig.session.post(f"{rig.base}/standin/faults", data=b'{"busy": 1}') as answer:
        assert answer.status == 200
    assert rig.standin.faults.busy == 1
    async with rig.session.post(f"{rig.base}/standin/faults", data=b'{"bussy": 1}') as answer:
        assert answer.status == 400
    await rig.client().send(message())
    async with rig.session.get(f"{rig.base}/standin/sent") as answer:
        assert [sent["path"] for sent in await answer.json()] == [CUSTOM]
