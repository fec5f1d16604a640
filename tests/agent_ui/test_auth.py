"""Logging in over HTTP: sessions, one-time tickets, locks, and nothing readable in the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import REGISTRY

from agent_ui.account_ports import Opening
from agent_ui.auth import COOKIE, handlers_of, routes
from agent_ui.passwords import Passwords
from agent_ui.staff import Staff, StaffRole
from channels.problem import problems
from hotline.errors import InvalidInput, NotFound, Overloaded, Unauthenticated
from hotline.store.accounts import AccountStore
from hotline.store.audit import AuditStore
from tests.agent_ui.stack import FAST, PASSWORD, Stack, fast_passwords

Client = TestClient[web.Request, web.Application]
GOOD = {"name": "zhang", "password": PASSWORD}


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[problems])
    app.add_routes(routes(handlers_of(stack.accounts, ws_port=8081)))
    async with AsyncExitStack() as exits:
        yield await exits.enter_async_context(TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)))


async def log_in(client: Client, **changes: Any) -> tuple[int, dict[str, Any]]:
    response = await client.post("/api/v1/login", json=GOOD | changes)
    return response.status, await response.json()


async def test_log_in_ticket_log_out(client: Client, stack: Stack) -> None:
    response = await client.post("/api/v1/login", json=GOOD)
    body = await response.json()
    assert response.status == 200
    assert (body["staff"]["name"], body["idle_seconds"]) == ("zhang", 900)
    cookie = response.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert cookie.value == body["token"]
    assert response.headers["Cache-Control"] == "no-store"
    assert (await (await client.get("/api/v1/session")).json())["display_name"] == "张三"
    ticket = await (await client.post("/api/v1/console-ticket")).json()
    assert (ticket["expires_in"], ticket["url"]) == (30, f"ws://{client.host}:8081/")
    assert (await stack.accounts.redeem(ticket["ticket"])).staff.name == "zhang"
    with pytest.raises(Unauthenticated):
        await stack.accounts.redeem(ticket["ticket"])
    assert (await client.post("/api/v1/logout")).status == 204
    bearer = {"Authorization": f"Bearer {body['token']}"}
    for headers in ({}, bearer):
        refused = await client.post("/api/v1/console-ticket", headers=headers)
        assert (refused.status, (await refused.json())["error_id"]) == (401, "unauthenticated")


async def test_what_was_typed_as_a_name_is_kept_only_if_it_is_one(stack: Stack) -> None:
    """A password that lands in the wrong field must not stand in a record for ever."""
    audit = AuditStore(stack.pool)
    app = web.Application(middlewares=[problems])
    app.add_routes(routes(handlers_of(stack.accounts, ws_port=8081, note=audit.note)))
    await stack.pool.execute("UPDATE staff SET active = false WHERE name = 'li'")
    async with TestClient(TestServer(app)) as client:
        for wrong in ({"name": PASSWORD}, {"password": "wrong"}, {"name": "li"}):
            assert (await log_in(client, **wrong))[0] == 401
    kept = [(one.act, one.actor, one.result) for one in await audit.page(limit=9)]
    assert kept == [("login", f"staff:{name}", "unauthenticated") for name in ("li", "zhang", "")]


async def test_a_program_uses_its_token(client: Client) -> None:
    _, body = await log_in(client)
    client.session.cookie_jar.clear()
    answer = await client.post("/api/v1/console-ticket", headers={"Authorization": f"Bearer {body['token']}"})
    assert answer.status == 200


async def test_every_refusal_looks_the_same(client: Client, stack: Stack) -> None:
    await stack.pool.execute("UPDATE staff SET active = false WHERE name = 'zhao'")
    answers = [await log_in(client, **wrong) for wrong in (
        {"password": "wrong"}, {"name": "nobody"}, {"name": "zhao"}, {"name": "zhang' OR 1=1 --"},
        {"password": "x" * 900},
    )]
    assert {(status, body["error_id"], body["detail"]) for status, body in answers} == {
        (401, "unauthenticated", answers[0][1]["detail"])
    }


@pytest.mark.parametrize(("data", "kind", "status"), [
    (b"", "application/json", 400), (b"[]", "application/json", 400), (b'{"name":"a"}', "application/json", 400),
    (b'{"name":"a","password":"b","x":1}', "application/json", 400), (b"name=a&password=b",
     "application/x-www-form-urlencoded", 415), (b'{"name":1,"password":"b"}', "application/json", 400),
])
async def test_malformed_log_ins_are_mistakes(client: Client, data: bytes, kind: str, status: int) -> None:
    response = await client.post("/api/v1/login", data=data, headers={"Content-Type": kind})
    assert response.status == status


async def test_five_failures_lock_for_thirty_minutes(client: Client, stack: Stack) -> None:
    for _ in range(5):
        assert (await log_in(client, password="wrong"))[0] == 401
    assert (await log_in(client))[0] == 401
    stack.clock.ahead = timedelta(minutes=29)
    assert (await log_in(client))[0] == 401
    stack.clock.ahead = timedelta(minutes=31)
    for _ in range(4):  # the count began anew
        await log_in(client, password="wrong")
    assert (await log_in(client))[0] == 200
    for _ in range(4):  # and a right password ends it
        await log_in(client, password="wrong")
    assert (await log_in(client))[0] == 200


async def test_log_ins_are_counted_by_what_became_of_them(client: Client) -> None:
    def counted(outcome: str) -> float:
        return REGISTRY.get_sample_value("hotline_log_ins_total", {"outcome": outcome}) or 0.0

    wrong, right = counted("unauthenticated"), counted("ok")
    await log_in(client, password="wrong")
    await log_in(client)
    assert (counted("unauthenticated"), counted("ok")) == (wrong + 1, right + 1)


async def test_many_guesses_at_once_lock_like_guesses_in_turn(client: Client, stack: Stack) -> None:
    await asyncio.gather(*(log_in(client, password=f"guess {n}") for n in range(20)))
    assert (await log_in(client))[0] == 401
    failures, locked = await stack.pool.fetchrow("SELECT failures, locked_until FROM staff WHERE name = 'zhang'")
    assert failures >= 5
    assert locked is not None


async def test_a_right_guess_after_the_lock_fell_does_not_count(stack: Stack) -> None:
    store, now = AccountStore(stack.pool), stack.clock()
    assert await store.account("zhang", now=now) is not None  # looked up before the lock
    for _ in range(5):
        await store.count_failure("zhang", now=now, policy=stack.accounts.policy)
    opening = Opening(name="zhang", token_hash=b"t", now=now, expires_at=now + timedelta(hours=1))
    assert not await store.open_session(opening)
    assert await stack.pool.fetchval("SELECT count(*) FROM sessions") == 0


async def test_many_log_ins_of_one_person_at_once_all_succeed(client: Client) -> None:
    assert {status for status, _ in await asyncio.gather(*(log_in(client) for _ in range(20)))} == {200}


async def test_sessions_idle_out_and_end(client: Client, stack: Stack) -> None:
    await log_in(client)
    for minutes in (14, 28, 42):
        stack.clock.ahead = timedelta(minutes=minutes)
        assert (await client.get("/api/v1/session")).status == 200
    stack.clock.ahead = timedelta(minutes=42 + 15)
    assert (await client.get("/api/v1/session")).status == 401
    await log_in(client)
    for step in range(1, 60):
        stack.clock.ahead = timedelta(minutes=57 + 14 * step)
        if (await client.get("/api/v1/session")).status == 401:
            break
    assert stack.clock.ahead >= timedelta(hours=12, minutes=57)


async def test_a_person_who_left_is_out_at_once(client: Client, stack: Stack) -> None:
    await log_in(client)
    await stack.pool.execute("UPDATE staff SET active = false WHERE name = 'zhang'")
    assert (await client.get("/api/v1/session")).status == 401


async def test_the_database_holds_no_secret(client: Client, stack: Stack) -> None:
    _, body = await log_in(client)
    ticket = await (await client.post("/api/v1/console-ticket")).json()
    kept = ""
    for table in ("staff", "sessions", "console_tickets"):
        kept += str([tuple(row) for row in await stack.pool.fetch(f"SELECT * FROM {table}")])
    for secret in (PASSWORD, body["token"], ticket["ticket"]):
        assert secret not in kept
    assert "$argon2id$" in kept


async def test_accounts_are_added_with_care(stack: Stack) -> None:
    def staff(**changes: Any) -> Staff:
        return Staff(**({"name": "new", "display_name": "新人", "role": StaffRole.AGENT} | changes))

    wrong = [
        (staff(name=""), PASSWORD), (staff(name=" new"), PASSWORD), (staff(name="x" * 65), PASSWORD),
        (staff(role=StaffRole.DEPARTMENT), PASSWORD), (staff(department="城管局"), PASSWORD), (staff(), "short"),
        (staff(), "x" * 201), (staff(name="zhang"), PASSWORD), (staff(), "12345678"), (staff(), "new passphrase new"),
    ]
    for one, password in wrong:
        with pytest.raises(InvalidInput):
            await stack.accounts.add_staff(one, password)
    await stack.accounts.add_staff(staff(), PASSWORD)
    assert (await stack.accounts.login("new", PASSWORD)).staff == staff()
    await stack.accounts.set_password("new", "another password")
    with pytest.raises(Unauthenticated):
        await stack.accounts.login("new", PASSWORD)
    assert (await stack.accounts.login("new", "another password")).staff == staff()
    with pytest.raises(NotFound):
        await stack.accounts.set_password("nobody", PASSWORD)


async def test_too_many_log_ins_wait_in_a_bounded_line() -> None:
    passwords = Passwords(hasher=FAST, threads=1, waiting=3)
    kept = passwords.hash(PASSWORD)
    results = await asyncio.gather(*(passwords.matches(kept, PASSWORD) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(result, Overloaded) for result in results) == 6
    assert [result for result in results if not isinstance(result, Overloaded)] == [True] * 4
    assert await passwords.matches(kept, "wrong") is False
    assert await passwords.matches(None, "nobody has this password") is False
    assert await fast_passwords().matches("not a hash", PASSWORD) is False
