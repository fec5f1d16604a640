"""The city's portal against a running service, through real HTTP; signatures of every platform."""

from __future__ import annotations

import pytest

from hotline import commands as c
from hotline.terms import Channel
from tests.neighbours.house import TOKEN
from tests.neighbours.platforms import LI, WANG, House


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
