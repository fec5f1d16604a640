"""The community grid (智网工程) against a running service, through real HTTP."""

from __future__ import annotations

import msgspec
import pytest

from hotline import commands as c
from hotline.terms import State
from tests.neighbours.house import until
from tests.neighbours.platforms import LI, House

UNDER_WAY = "SELECT count(*) FROM pgqueuer WHERE dedupe_key LIKE $1 AND status <> 'failed'"


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
    async def given_up() -> bool:
        return await house.core.pool.fetchval("SELECT state FROM parcels") == "dead"
    await until(given_up)  # noted after the alarm
    [dead] = await house.core.parcels.parcels("dead")
    assert (dead.number, "非网格职责" in dead.last_error) == (number, True)
    house.grid.fault = "none"
    async def ended() -> bool:
        return await house.core.pool.fetchval(UNDER_WAY, f"%:{dead.key}") == 0
    await until(ended)  # a job that still ends is not added again
    await house.core.parcels.resend(dead.key, house.core.clock())
    await known_to_grid(house)
