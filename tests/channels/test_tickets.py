"""What citizens do with their tickets over HTTP, and how guessing is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from channels import appeals, tickets
from hotline.errors import IllegalTransition
from hotline.terms import Rating, State
from tests.channels.conftest import Client, Serve
from tests.channels.memory import MemoryPort

TOKENS = {"demo": "s3cret"}


@pytest.fixture
async def client(serve: Serve, port: MemoryPort) -> Client:
    return await serve(appeals.routes(port, tokens=TOKENS) + tickets.routes(port, tokens=TOKENS))


@pytest.fixture
async def ticket(client: Client) -> dict[str, Any]:
    answer = await client.post("/api/v1/appeals", json={"text": "路灯不亮", "name": "张三", "phone": "13800138000"})
    return dict(await answer.json())


def path(ticket: dict[str, Any], rest: str = "", *, code: str | None = None) -> str:
    return f"/api/v1/tickets/{ticket['number']}{rest}?code={ticket['code'] if code is None else code}"


async def test_progress_shows_no_personal_data(client: Client, ticket: dict[str, Any]) -> None:
    answer = await client.get(path(ticket))
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    told = await answer.json()
    assert (told["number"], told["status"], told["status_label"]) == (ticket["number"], "pending_sign", "待签收")
    assert told["steps"][0]["title"] == "已受理"
    assert "张三" not in await answer.text()
    assert "138" not in await answer.text()


@pytest.mark.parametrize("number", ["DG2026112130000420", "DG", "x" * 300, "DG20261121300000", "%00", "路灯"])
async def test_unknown_numbers_and_wrong_codes_look_alike(client: Client, ticket: dict[str, Any], number: str) -> None:
    unknown = await client.get(f"/api/v1/tickets/{number}?code=123456")
    wrong = await client.get(path(ticket, code="999999"))
    assert (unknown.status, wrong.status) == (404, 404)
    assert (await unknown.json())["error_id"] == (await wrong.json())["error_id"] == "not_found"


async def test_a_missing_code_is_asked_for(client: Client, ticket: dict[str, Any]) -> None:
    for code in ("", "1" * 33):
        assert (await client.get(path(ticket, code=code))).status == 400


async def test_guessing_is_stopped(client: Client, ticket: dict[str, Any]) -> None:
    statuses = [(await client.get(path(ticket, code=f"{guess:06d}"))).status for guess in range(100_000, 100_025)]
    assert statuses == [404] * 20 + [429] * 5
    assert (await client.get(path(ticket))).status == 429


async def test_the_owner_is_let_in_whatever_others_have_guessed(serve: Serve, port: MemoryPort) -> None:
    client = await serve(
        appeals.routes(port, tokens=TOKENS, proxies=1) + tickets.routes(port, tokens=TOKENS, proxies=1)
    )
    ticket = await (await client.post("/api/v1/appeals", json={"text": "路灯不亮"})).json()

    async def look(sender: str, code: str) -> int:
        return (await client.get(path(ticket, code=code), headers={"X-Forwarded-For": sender})).status

    for n in range(5):
        for guess in range(20):
            await look(f"203.0.113.{n}", f"{100_000 + 20 * n + guess}")
    assert await look("203.0.113.0", ticket["code"]) == 429
    assert await look("198.51.100.1", ticket["code"]) == 200


async def test_an_ipv6_customer_is_one_sender(
    serve: Serve, port: MemoryPort, ticket: dict[str, Any]
) -> None:
    client = await serve(tickets.routes(port, tokens=TOKENS, proxies=1))
    statuses = [
        (await client.get(path(ticket, code=f"{n}"), headers={"X-Forwarded-For": f"2001:db8::{n % 10_000}"})).status
        for n in range(100_000, 100_025)
    ]
    assert statuses == [404] * 20 + [429] * 5


async def test_right_codes_are_not_counted(client: Client, ticket: dict[str, Any]) -> None:
    assert {(await client.get(path(ticket))).status for _ in range(60)} == {200}


async def test_a_message_is_added_once(client: Client, ticket: dict[str, Any], port: MemoryPort) -> None:
    headers = {"Idempotency-Key": "m1", "Authorization": "Bearer s3cret"}
    first = await client.post(path(ticket, "/messages"), json={"text": "今晚又不亮"}, headers=headers)
    again = await client.post(path(ticket, "/messages"), json={"text": "今晚又不亮"}, headers=headers)
    assert (first.status, again.status) == (201, 200)
    assert await first.json() == await again.json()
    assert port.supplements == {(ticket["number"], "api:demo:m1"): ("今晚又不亮", ())}


async def test_the_code_may_stand_in_the_body(client: Client, ticket: dict[str, Any], port: MemoryPort) -> None:
    answer = await client.post(
        f"/api/v1/tickets/{ticket['number']}/rating",
        json={"code": ticket["code"], "rating": "satisfied", "solved": True, "note": "很快\n很好"},
    )
    assert answer.status == 200
    assert port.ratings == [(ticket["number"], Rating.SATISFIED, True, "很快 很好")]


@pytest.mark.parametrize(("number", "code", "status"), [
    ("", "999999", 404), ("DG2026112130000420", "123456", 404), ("DG2026112130000420", "", 404), ("", "guessed", 429),
])
async def test_no_body_is_read_for_a_wrong_pair(
    client: Client, ticket: dict[str, Any], number: str, code: str, status: int
) -> None:
    if code == "guessed":
        for guess in range(100_000, 100_020):
            await client.get(path(ticket, code=f"{guess:06d}"))
        code = ""
    unread, headers = _endless(), {"Content-Type": "application/json"}
    url = path(ticket | ({"number": number} if number else {}), "/messages", code=code)
    async with asyncio.timeout(20):
        answer = await client.post(url, data=unread, headers=headers)
    assert answer.status == status


async def _endless() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.Event().wait()


async def test_an_urge(client: Client, ticket: dict[str, Any], port: MemoryPort) -> None:
    assert (await client.post(path(ticket, "/urges"), json={"note": "都三天\n了"})).status == 200
    answer = await client.post(f"/api/v1/tickets/{ticket['number']}/urges", json={"code": ticket["code"]})
    assert (answer.status, (await answer.json())["number"]) == (200, ticket["number"])
    assert port.urges == [(ticket["number"], "都三天 了"), (ticket["number"], "")]


async def test_withdrawal(client: Client, ticket: dict[str, Any]) -> None:
    answer = await client.post(path(ticket, "/withdrawal"))
    assert (answer.status, (await answer.json())["status"]) == (200, "withdrawn")


async def test_what_the_state_forbids_is_a_conflict(client: Client, ticket: dict[str, Any], port: MemoryPort) -> None:
    port.set_state(ticket["number"], State.CLOSED)
    for rest, body in (("/withdrawal", {"reason": "已解决"}), ("/urges", {"note": "请尽快"})):
        answer = await client.post(path(ticket, rest), json=body)
        assert (answer.status, (await answer.json())["error_id"]) == (409, IllegalTransition.error_id)


@pytest.mark.parametrize(("rest", "body"), [
    ("/messages", b""), ("/messages", b"{}"), ("/messages", b'{"text": " "}'), ("/messages", b'{"text": "a", "x": 1}'),
    ("/rating", b"{}"), ("/rating", b'{"rating": "great"}'), ("/rating", b'{"rating": 5}'),
    ("/rating", b'{"rating": "satisfied", "solved": "yes"}'), ("/withdrawal", b"[]"),
    ("/withdrawal", b'{"reason": "' + b"a" * 1001 + b'"}'), ("/urges", b'{"note": 5}'),
    ("/urges", b'{"note": "' + b"a" * 1001 + b'"}'),
])
async def test_wrong_bodies_are_refused(client: Client, ticket: dict[str, Any], rest: str, body: bytes) -> None:
    answer = await client.post(path(ticket, rest), data=body, headers={"Content-Type": "application/json"})
    assert (answer.status, (await answer.json())["error_id"]) == (400, "invalid_input")


async def test_a_wrong_token_is_refused_everywhere(client: Client, ticket: dict[str, Any]) -> None:
    headers = {"Authorization": "Bearer wrong"}
    assert (await client.get(path(ticket), headers=headers)).status == 401
    for rest in ("/messages", "/urges", "/rating", "/withdrawal"):
        body = {"text": "a"} if rest == "/messages" else {"rating": "satisfied"} if rest == "/rating" else {}
        assert (await client.post(path(ticket, rest), json=body, headers=headers)).status == 401
