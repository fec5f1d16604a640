"""Micro-wishes (微心愿) against a running service, through real HTTP."""

from __future__ import annotations

import json

import pytest

from hotline import commands as c
from hotline.terms import Kind
from tests.neighbours.platforms import House


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
