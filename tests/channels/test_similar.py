"""Similar reports and joining over HTTP: what is wrong is told, floods are stopped, a repeat is one appeal."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from channels import similar
from channels.limits import RateLimit
from channels.message import Inbound, Receipt
from channels.views import Look, SimilarReport
from hotline.appeal import Place
from hotline.errors import NotFound
from hotline.ids import DepartmentCode, TicketNumber, ticket_number
from hotline.terms import Channel, Service, State, label
from tests.channels.conftest import Client, Serve
from tests.channels.memory import NOW, MemoryPort

NUMBER = ticket_number("DG", NOW.date(), Channel.WEB, 7)
UNKNOWN = ticket_number("DG", NOW.date(), Channel.WEB, 8)
REPORT = SimilarReport(
    number=NUMBER, town="大朗", spot="巷头", matter="停水", category="供水", department=DepartmentCode("水务局"),
    status=State.HANDLING, status_label=label(State.HANDLING), requested_at=NOW, people=3, reasons=("同一事项:停水",),
)
JOIN = f"/api/v1/tickets/{NUMBER}/joins"


class Reports:
    """Knows one report; `asked` is what was looked for."""

    def __init__(self, port: MemoryPort) -> None:
        self._port = port
        self.asked: list[tuple[str, Place]] = []

    async def look(self, text: str, place: Place) -> Look:
        self.asked.append((text, place))
        return Look(danger=(Service.FIRE,) if "着火" in text else (), towns=("大朗",), reports=(REPORT,))

    async def join(self, number: TicketNumber, inbound: Inbound) -> tuple[Receipt, bool]:
        if number != NUMBER:
            raise NotFound("there is no public report with this number")
        receipt = await self._port.submit(inbound)
        return msgspec.structs.replace(receipt, status=State.MERGED), True


@pytest.fixture
def reports(port: MemoryPort) -> Reports:
    return Reports(port)


@pytest.fixture
async def client(serve: Serve, port: MemoryPort, reports: Reports) -> Client:
    return await serve(similar.routes(
        port, reports, city="东莞", towns=("莞城", "大朗"), limit=RateLimit(30, 60), looks=RateLimit(12, 60),
    ))


async def test_the_towns_are_told_and_may_be_kept(client: Client) -> None:
    answer = await client.get("/api/v1/towns")
    assert await answer.json() == {"city": "东莞", "towns": ["莞城", "大朗"]}
    assert "max-age" in answer.headers["Cache-Control"]


async def test_a_look_is_answered_and_kept_nowhere(client: Client, port: MemoryPort, reports: Reports) -> None:
    answer = await client.post(
        "/api/v1/appeals/look",
        json={"text": " 巷头停水\u0000了 ", "place": {"town": "大朗", "lat": 22.9, "lon": 113.9}},
    )
    told = await answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert told["danger"] == []
    assert [(one["number"], one["people"]) for one in told["reports"]] == [(NUMBER, 3)]
    assert reports.asked == [("巷头停水了", Place(town="大朗", lat=22.9, lon=113.9))]
    assert port.inbounds == []


async def test_danger_is_told(client: Client) -> None:
    answer = await client.post("/api/v1/appeals/look", json={"text": "厂房着火了"})
    assert (await answer.json())["danger"] == ["119"]


@pytest.mark.parametrize("body", [
    b"", b"[]", b'{"text": 1}', b'{"word": "x"}', b'{"place": {"lat": 1}}', b'{"place": {"lat": 99, "lon": 1}}',
    b"\xff", b'{"text": "' + b"x" * 20_000 + b'"}',
])
async def test_what_is_malformed_is_the_senders_mistake(client: Client, reports: Reports, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/api/v1/appeals/look", data=body, headers=headers)
    assert (answer.status, (await answer.json())["error_id"]) == (400, "invalid_input")
    assert reports.asked == []


async def test_looks_are_limited_by_address(client: Client) -> None:
    statuses = [(await client.post("/api/v1/appeals/look", json={"text": "停水停水停水"})).status for _ in range(14)]
    assert statuses == [200] * 12 + [429] * 2


async def join(client: Client, body: dict[str, Any], *, key: str = "j1", path: str = JOIN) -> tuple[int, Any]:
    answer = await client.post(path, json=body, headers={"Idempotency-Key": key})
    return answer.status, await answer.json()


async def test_who_joins_gets_number_and_code_once(client: Client, port: MemoryPort) -> None:
    answers = await asyncio.gather(*(join(client, {"phone": "13800138000"}) for _ in range(5)))
    assert sorted(status for status, _ in answers) == [200] * 4 + [201]
    assert len({(body["number"], body["code"]) for _, body in answers}) == 1
    assert all(body["joined"] and body["status"] == "merged" for _, body in answers)
    (inbound,) = port.inbounds
    assert NUMBER in inbound.appeal.text
    assert (inbound.channel, inbound.appeal.citizen.phone) == (Channel.WEB, "+8613800138000")


async def test_who_joins_may_add_words(client: Client, port: MemoryPort) -> None:
    assert (await join(client, {"text": "三栋也停了", "name": "陈先生"}))[0] == 201
    assert port.inbounds[0].appeal.text == "三栋也停了"


async def test_the_key_of_a_join_is_none_of_an_appeal(client: Client, port: MemoryPort) -> None:
    await join(client, {"text": "三栋也停了"}, key="same")
    assert port.inbounds[0].external_id == f"api::join:{NUMBER}:same"


@pytest.mark.parametrize("number", [UNKNOWN, "DG1", "x", NUMBER[:-1] + "x"])
async def test_an_unknown_report_cannot_be_joined(client: Client, port: MemoryPort, number: str) -> None:
    status, body = await join(client, {}, path=f"/api/v1/tickets/{number}/joins")
    assert (status, body["error_id"]) == (404, "not_found")
    assert port.inbounds == []


async def test_joins_are_limited_by_address(client: Client) -> None:
    statuses = {(await join(client, {}, key=f"j{n}"))[0] for n in range(32)}
    assert statuses == {201, 429}
