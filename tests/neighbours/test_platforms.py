"""Portal, grid, wishes and data platform against a running service, through real HTTP."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from pyarrow import parquet

from hotline import commands as c
from hotline.core import Core
from hotline.events import Actor, Role
from hotline.grid_standin import Grid
from hotline.signing import signed_headers
from hotline.terms import Channel, Kind, State
from tests.neighbours.house import SECRET, TOKEN, running_city, until
from tests.processes import free_port

AGENT, SUPERVISOR = Actor(Role.AGENT, "li"), Actor(Role.SUPERVISOR, "wang")
LI = {"id": "p-1", "name": "李明", "phone": "13800138000"}
WANG = {"id": "p-2", "name": "王芳", "phone": "13900139000"}


class House:
    """A service, its grid, and a client that signs."""

    def __init__(self, core: Core, session: aiohttp.ClientSession, grid: Grid) -> None:
        self.core, self.session, self.grid = core, session, grid
        self.base = f"http://127.0.0.1:{core.settings.http_port}"

    async def call(
        self, method: str, path: str, body: object = None, *, secret: str = SECRET, shift: float = 0
    ) -> tuple[int, Any]:
        data = b"" if body is None else msgspec.json.encode(body)
        now = self.core.clock()
        headers = signed_headers(secret, data or path.encode(), now=now.replace(microsecond=0))
        if shift:
            headers |= signed_headers(secret, data or path.encode(), now=now + timedelta(seconds=shift))
        async with self.session.request(method, self.base + path, data=data or None, headers=headers) as answer:
            raw = await answer.read()
            return answer.status, json.loads(raw) if raw and "json" in answer.content_type else raw

    async def portal(self, path: str, **body: object) -> tuple[int, Any]:
        return await self.call("POST", f"/api/v1/portal/{path}", body)

    async def act(self, number: str, *commands: c.Command, actor: Actor = AGENT) -> None:
        for command in commands:
            await self.core.service.act(number, command, actor=actor)


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    port, grid_port = free_port(), free_port()
    setting = (f"grid=智网工程,http://127.0.0.1:{grid_port},{SECRET}|portal=粤省事,,{SECRET}"
               f"|wishes=民生大莞家,,{SECRET}|data=数据平台,,{SECRET}")
    grid = Grid(secret=SECRET, hotline=f"http://127.0.0.1:{port}/api/v1/neighbours/grid")
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(running_city(database, tmp_path, port, neighbours=setting))
        runner = web.AppRunner(grid.app(), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", grid_port).start()
        yield House(core, await stack.enter_async_context(aiohttp.ClientSession()), grid)


# ── portal ───────────────────────────────────────────────────────────────────────────────────────
async def test_a_citizen_at_the_portal(house: House) -> None:
    sent = {"citizen": LI, "key": "k1", "appeal": {"text": "南城鸿福路路灯不亮"}}
    status, first = await house.portal("appeals", **sent)
    assert (status, (await house.portal("appeals", **sent))) == (201, (200, first))
    number = first["number"]
    ticket = (await house.core.store.read(number)).ticket
    assert (ticket.channel, ticket.appeal.citizen.name, ticket.appeal.citizen.phone) == (
        Channel.PORTAL, "李明", "+8613800138000")
    _, mine = await house.portal("tickets", citizen=LI)
    assert [one["number"] for one in mine["tickets"]] == [number]
    status, _ = await house.portal("messages", citizen=LI, number=number, key="m1", text="隔壁一盏也坏了")
    assert status == 201
    status, progress = await house.portal("progress", citizen=LI, number=number)
    assert (status, [step["title"] for step in progress["steps"]]) == (200, ["已收到", "已补充"])
    await house.act(number, c.Accept(), c.Answer(text="已安排"))
    status, rated = await house.portal("ratings", citizen=LI, number=number, rating="satisfied", solved=True)
    assert (status, rated["public_reply"]) == (200, "已安排")
    second = (await house.portal("appeals", **sent | {"key": "k2"}))[1]["number"]
    status, gone = await house.portal("withdrawals", citizen=LI, number=second, reason="已好")
    assert (status, gone["status"]) == (200, "withdrawn")
    _, page = await house.portal("tickets", citizen=LI, limit=1)
    _, rest = await house.portal("tickets", citizen=LI, limit=1, cursor=page["next"])
    assert [one["number"] for one in page["tickets"] + rest["tickets"]] == [second, number]
    assert rest["next"] == ""


async def test_a_citizen_sees_their_own_and_nothing_else(house: House) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    numbers = {}
    for name, more in {"open": {}, "confidential": {"confidential": True}, "report": {"kind": "report"}}.items():
        body = {"text": "路灯不亮", "phone": LI["phone"], **more}
        async with house.session.post(f"{house.base}/api/v1/appeals", json=body, headers=headers) as answer:
            numbers[name] = (await answer.json())["number"]
    _, mine = await house.portal("tickets", citizen=LI)
    assert [one["number"] for one in mine["tickets"]] == [numbers["open"]], "by phone, but nothing confidential"
    _, theirs = await house.portal("tickets", citizen=WANG)
    assert theirs["tickets"] == []
    for number, citizen in ((numbers["open"], WANG), (numbers["report"], LI), (numbers["confidential"], LI)):
        for path, more in (("progress", {}), ("messages", {"key": "k", "text": "x"}), ("withdrawals", {}),
                           ("ratings", {"rating": "satisfied"})):
            status, problem = await house.portal(path, citizen=citizen, number=number, **more)
            assert (status, problem["error_id"]) == (404, "not_found")
    nobody = {"id": "p-9"}
    assert (await house.portal("tickets", citizen=nobody))[1]["tickets"] == []


@pytest.mark.parametrize("path", [
    "/api/v1/portal/appeals", "/api/v1/portal/tickets", "/api/v1/wishes", "/api/v1/neighbours/grid/updates",
    "/api/v1/neighbours/nobody/updates", "/api/v1/neighbours/portal/hand-overs",
])
async def test_forged_and_stale_requests_are_refused(house: House, path: str) -> None:
    for forged in ({"secret": "another secret"}, {"shift": -301}, {"shift": 301}):
        status, problem = await house.call("POST", path, {"x": 1}, **forged)  # type: ignore[arg-type]
        assert (status, problem["error_id"]) == (401, "unauthenticated")


@pytest.mark.parametrize("body", [{}, {"citizen": {}}, {"citizen": LI, "limit": 0}, {"citizen": LI, "cursor": "x"}, []])
async def test_malformed_bodies_are_refused(house: House, body: object) -> None:
    status, problem = await house.call("POST", "/api/v1/portal/tickets", body)
    assert (status, problem["error_id"]) == (400, "invalid_input")


# ── grid ─────────────────────────────────────────────────────────────────────────────────────────
async def hazard(house: House) -> str:
    sent = {"citizen": LI, "key": "hazard", "appeal": {"text": "南城三元路边一堵废弃围墙快倒了,找不到产权人"}}
    number: str = (await house.portal("appeals", **sent))[1]["number"]
    await house.act(number, c.Accept(), c.Dispatch(lead="智网工程"))
    return number


async def known_to_grid(house: House) -> str:
    async def there() -> bool:
        return bool(house.grid.events)
    await until(there)
    return next(iter(house.grid.events))


async def tell(house: House, key: str, status: str, text: str = "") -> int:
    class Request:
        match_info = {"key": key, "status": status}  # noqa: RUF012

        async def read(self) -> bytes:
            return msgspec.json.encode({"text": text})

    answer = await house.grid._tell(Request())  # type: ignore[arg-type]
    return answer.status


async def test_a_hazard_that_nobody_owns_goes_to_the_grid_and_comes_back_with_an_outcome(house: House) -> None:
    number = await hazard(house)
    key = await known_to_grid(house)
    matter = house.grid.events[key].matter
    assert "李明" not in f"{matter}"
    assert "138" not in f"{matter}"
    assert [await tell(house, key, "accepted"), await tell(house, key, "contacted")] == [204, 204]
    assert await tell(house, key, "outcome", "围墙已加固,13912345678") == 204
    assert await tell(house, key, "outcome", "围墙已加固,13912345678") == 204, "a repeat changes nothing"
    ticket = (await house.core.store.read(number)).ticket
    assert (ticket.state, ticket.lead) == (State.PENDING_REVIEW, "智网工程")
    await house.act(number, c.AcceptReply())
    _, progress = await house.portal("progress", citizen=LI, number=number)
    assert progress["public_reply"] == "围墙已加固,139****5678"


async def test_what_the_grid_returns_is_dispatched_anew(house: House) -> None:
    number = await hazard(house)
    key = await known_to_grid(house)
    assert await tell(house, key, "returned", "产权属某公司") == 204
    assert (await house.core.store.read(number)).ticket.state is State.PENDING_DISPATCH
    assert await tell(house, key, "accepted") == 409, "it is no longer the grid's"
    assert await tell(house, key, "settled") == 400


@pytest.mark.parametrize("fault", ["down", "error", "twice"])
async def test_a_grid_that_fails_gets_it_once(house: House, fault: str) -> None:
    house.grid.fault = fault
    number = await hazard(house)
    async def tried() -> bool:
        return bool(await house.core.pool.fetchval("SELECT max(attempts) FROM parcels"))
    await until(tried)
    house.grid.fault = "none"
    async def sent() -> bool:
        return await house.core.pool.fetchval("SELECT state FROM parcels") == "sent"
    await until(sent)
    assert [event.matter.number for event in house.grid.events.values()] == [number]


async def test_what_the_grid_refuses_is_shown_to_a_supervisor_and_can_be_sent_again(house: House) -> None:
    house.grid.fault = "refusing"
    number = await hazard(house)
    async def alarmed() -> bool:
        return "neighbour_unreachable" in (await house.core.store.read(number)).ticket.alarms
    await until(alarmed)
    [dead] = await house.core.parcels.parcels("dead")
    assert (dead.number, "非网格职责" in dead.last_error) == (number, True)
    house.grid.fault = "none"
    await asyncio.sleep(0.5)  # a job that still ends is not added again
    await house.core.parcels.resend(dead.key, house.core.clock())
    await known_to_grid(house)


# ── wishes ───────────────────────────────────────────────────────────────────────────────────────
async def wished(house: House) -> str:
    body = {"key": "w1", "wish": {"text": "上三年级的孩子想要一个新书包", "name": "赵小朋友"}}
    status, answer = await house.call("POST", "/api/v1/wishes", body)
    assert (status, (await house.call("POST", "/api/v1/wishes", body))[0]) == (201, 200)
    return str(answer["number"])


async def test_a_wish_from_its_telling_to_its_fulfilment(house: House) -> None:
    number = await wished(house)
    ticket = (await house.core.store.read(number)).ticket
    assert (ticket.kind, ticket.category and ticket.category.l2, ticket.lead) == (Kind.WISH, "微心愿", "民政局")
    path = f"/api/v1/wishes/{number}"
    assert (await house.call("GET", path))[0] == 404, "nothing is public before staff have published it"
    await house.act(number, c.PublishWish(title="三年级孩子的新书包", needed=2, unit="个"))
    pledge = {"number": number, "key": "d1", "donor": "王先生", "contact": "13812345678"}
    assert (await house.call("POST", f"{path}/pledges", pledge))[0] == 201
    assert (await house.call("POST", f"{path}/pledges", pledge))[0] == 200
    status, shown = await house.call("POST", f"{path}/pledges", pledge | {"key": "d2", "donor": "李女士"})
    assert (shown["state"], shown["promised"]) == ("claimed", 2)
    status, problem = await house.call("POST", f"{path}/pledges", pledge | {"key": "d3"})
    assert (status, problem["error_id"]) == (422, "rule_violation"), "no more is promised than is needed"
    for key, state in (("d1", "delivered"), ("d2", "cancelled")):
        assert (await house.call("POST", f"{path}/ends", {"number": number, "key": key, "state": state}))[0] == 201
    status, shown = await house.call("GET", path)
    assert (shown["state"], shown["delivered"], shown["pledges"]) == (
        "published", 1, [{"donor": "王*", "quantity": 1, "state": "delivered"}])
    await house.call("POST", f"{path}/pledges", pledge | {"key": "d4"})
    await house.call("POST", f"{path}/ends", {"number": number, "key": "d4", "state": "delivered"})
    status, listed = await house.call("GET", "/api/v1/wishes")
    [one] = listed["wishes"]
    assert (one["state"], one["number"], listed["next"]) == ("fulfilled", number, "")
    assert "138" not in json.dumps(listed)
    assert "赵" not in json.dumps(listed)
    code = (await house.core.store.read(number)).code
    progress = await house.core.service.progress(number, code)  # type: ignore[arg-type]
    assert [step.title for step in progress.steps][-3:] == ["心愿物资已送达", "心愿已被认领", "心愿物资已送达"]


@pytest.mark.parametrize("change", [
    {"number": "DG2026112130000001"}, {"quantity": 0}, {"donor": ""}, {"key": ""}, {"more": 1},
])
async def test_a_wrong_pledge_is_refused(house: House, change: dict[str, object]) -> None:
    number = await wished(house)
    await house.act(number, c.PublishWish(title="书包"))
    pledge = {"number": number, "key": "d1", "donor": "王先生"} | change
    assert (await house.call("POST", f"/api/v1/wishes/{number}/pledges", pledge))[0] == 400


# ── data platform ────────────────────────────────────────────────────────────────────────────────
async def exported(house: House, after: int = 0, **query: object) -> tuple[list[dict[str, Any]], int]:
    asked = "&".join(f"{name}={value}" for name, value in {"after": after, **query}.items())
    path = f"/api/v1/export/tickets?{asked}"
    headers = signed_headers(SECRET, path.encode(), now=house.core.clock())
    async with house.session.get(house.base + path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        data, cursor = await answer.read(), int(answer.headers["X-Next-Cursor"])
    if query.get("format") == "parquet":
        return parquet.read_table(io.BytesIO(data)).to_pylist(), cursor
    return [json.loads(line) for line in data.splitlines()], cursor


async def test_the_export_goes_on_where_it_stopped_and_tells_nobody(house: House) -> None:
    appeals = [
        {"text": "我是李明,电话13800138000,身份证441900199001011234,路灯不亮"},
        {"text": "秘密的事", "confidential": True}, {"text": "举报某人", "kind": "report"},
    ]
    for key, appeal in enumerate(appeals):
        await house.portal("appeals", citizen=LI, key=f"k{key}", appeal=appeal)
    rows, cursor = await exported(house)
    paged: list[dict[str, Any]] = []
    at, more = 0, True
    while more:
        page, at = await exported(house, at, limit=1)
        paged, more = paged + page, bool(page)
    assert paged == rows
    assert len({row["cursor"] for row in rows}) == len(rows) >= len(appeals)
    told = json.dumps(rows, ensure_ascii=False)
    assert not any(secret in told for secret in ("李明", "13800138000", "441900199001011234", "秘密", "某人"))
    assert "138****8000" in told
    assert (await exported(house, cursor))[0] == []
    number = rows[0]["number"]
    await house.act(number, c.Accept())
    [row], _ = await exported(house, cursor)
    assert (row["number"], row["type"], row["state"], row["text"]) == (number, "accept", "pending_dispatch", "")


async def test_parquet_holds_the_same(house: House) -> None:
    empty, _ = await exported(house, format="parquet")
    assert empty == []
    await house.portal("appeals", citizen=LI, key="k", appeal={"text": "路灯不亮"})
    rows, cursor = await exported(house)
    columns, same = await exported(house, format="parquet")
    assert len(columns) == len(rows)
    assert same >= cursor  # the log may have grown, with nothing for the export
    for row, column in zip(rows, columns, strict=True):
        assert {name: row[name] for name in ("cursor", "number", "state", "text", "assisting")} == {
            name: column[name] for name in ("cursor", "number", "state", "text", "assisting")}


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=9999", "format=csv", "after=９"])
async def test_what_cannot_be_exported_is_told(house: House, query: str) -> None:
    from urllib.parse import quote

    path = f"/api/v1/export/tickets?{quote(query, safe='=&')}"
    status, problem = await house.call("GET", path)
    assert (status, problem["error_id"]) == (400, "invalid_input")


async def test_a_signed_address_opens_no_other_one(house: House) -> None:
    headers = signed_headers(SECRET, b"/api/v1/export/tickets?after=5", now=house.core.clock())
    async with house.session.get(f"{house.base}/api/v1/export/tickets?after=0", headers=headers) as answer:
        assert answer.status == 401


