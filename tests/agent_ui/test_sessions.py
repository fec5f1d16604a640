"""Locks and sessions over HTTP and the real database, and where questions come from."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agent_ui import auth
from agent_ui.accounts import Accounts
from agent_ui.gate import gate
from agent_ui.limits import Limits
from agent_ui.passwords import Passwords
from channels.limits import RateLimit
from channels.problem import problems
from hotline.store.audit import AuditStore
from tests.agent_ui.log_in import House, opened, policy
from tests.agent_ui.stack import FAST, PASSWORD, Stack


# ── locks ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("before", "minutes"), [
    *enumerate([30, 60, 120, 240, 480, 960, 1440, 1440]), (10**9, 1440),
])
async def test_locks_grow_and_have_an_end(stack: Stack, before: int, minutes: int) -> None:
    now = stack.clock()
    await stack.pool.execute("UPDATE staff SET lockouts = $1, failures = 4 WHERE name = 'zhang'", before)
    await stack.accounts.store.count_failure("zhang", now=now, policy=policy())
    until = await stack.pool.fetchval("SELECT locked_until FROM staff WHERE name = 'zhang'")
    assert until - now == timedelta(minutes=minutes)


async def test_each_lock_is_twice_as_long_until_a_log_in(house: House) -> None:
    for lasting in (30, 60, 120):
        for _ in range(5):
            await house.log_in(password="wrong")
        house.pass_time(minutes=lasting - 1)
        assert (await house.log_in())[0] == 401
        house.pass_time(minutes=2)
        assert await house.accounts.store.account("zhang", now=house.stack.clock()) is not None
    assert (await house.log_in())[0] == 200
    for _ in range(5):
        await house.log_in(password="wrong")
    house.pass_time(minutes=31)
    assert (await house.log_in())[0] == 200


# ── sessions ─────────────────────────────────────────────────────────────────────────────────────
async def test_ones_sessions_are_told_and_ended(house: House) -> None:
    tokens = [(await house.log_in())[1]["token"] for _ in range(3)]
    await house.log_in("zhao")
    strangers = (await house.asked("GET", "account/sessions"))[1]
    await house.log_in()
    status, rows = await house.asked("GET", "account/sessions")
    assert status == 200
    assert [row["present"] for row in rows].count(True) == 1
    assert len(rows) == 4
    assert "token" not in repr(rows)
    assert rows[0]["device"]
    first = next(row for row in rows if not row["present"])
    assert (await house.asked("DELETE", f"account/sessions/{first['id']}"))[0] == 204
    assert (await house.asked("DELETE", f"account/sessions/{first['id']}"))[0] == 404
    assert (await house.asked("DELETE", f"account/sessions/{strangers[0]['id']}"))[0] == 404  # somebody else's
    assert (await house.asked("DELETE", "account/sessions/x"))[0] == 404
    assert await house.asked("DELETE", "account/sessions") == (200, {"ended": 2})
    over = [(await house.asked("GET", "session", Authorization=f"Bearer {token}"))[0] for token in tokens]
    assert over == [401, 401, 401]
    assert (await house.asked("GET", "session"))[0] == 200


async def test_a_console_ends_with_its_session_and_no_other(stack: Stack) -> None:
    async with stack.gateway(limits=Limits(housekeeping=0.05)):
        one, other = await stack.desk("zhang"), await stack.desk("zhang")
        await one.settle()
        first = await stack.pool.fetchval("SELECT min(id) FROM sessions WHERE staff = 'zhang'")
        assert await stack.accounts.store.end_sessions("zhang", id_=first) == 1
        async with asyncio.timeout(20):
            await one.closed.wait()
        assert one.socket.close_code == 4403
        await other.settle()
        assert not other.closed.is_set()
        await stack.accounts.store.end_sessions("zhang")
        async with asyncio.timeout(20):
            await other.closed.wait()


async def test_a_ticket_dies_with_its_session(house: House) -> None:
    await house.log_in()
    ticket = (await house.asked("POST", "console-ticket"))[1]["ticket"]
    await house.client.post("/api/v1/logout")
    assert await house.accounts.store.redeem_ticket(ticket.encode(), now=house.stack.clock()) is None


# ── where a question comes from ──────────────────────────────────────────────────────────────────
OWN = "http://{host}"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": OWN}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": OWN}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://ours.example"}, 200),
    ],
)
async def test_other_sites_pages_change_nothing(house: House, headers: dict[str, str], status: int) -> None:
    host = f"{house.client.host}:{house.client.port}"
    given_ = {name: value.format(host=host) for name, value in headers.items()}
    answer = await house.client.post("/api/v1/login", json={"name": "zhang", "password": PASSWORD}, headers=given_)
    assert answer.status == status
    token = (await house.log_in())[1]["token"]
    assert (await house.asked("POST", "console-ticket", **given_))[0] == status
    assert (await house.asked("GET", "session", **given_))[0] == 200  # reading: the browser hides the answer
    house.client.session.cookie_jar.clear()
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await house.asked("POST", "console-ticket", **given_, **bearer))[0] == 200  # no browser does that


async def test_the_password_of_a_proxy_is_no_proof_that_a_program_asks(house: House) -> None:
    """Where a proxy asks for a password, browsers send it with whatever another site's page makes them ask."""
    await house.log_in()
    basic = {"Authorization": "Basic eDp5"}
    assert (await house.asked("POST", "console-ticket", **basic))[0] == 200
    assert (await house.asked("POST", "console-ticket", **basic, **{"Sec-Fetch-Site": "same-site"}))[0] == 403


@pytest.mark.parametrize("header", [b"Authorization: Bearer \xff", b"Cookie: hotline_session=\xff"])
async def test_bytes_that_are_no_text_are_nobodys_token(house: House, header: bytes) -> None:
    """Anybody can send them: they are a refusal, and no failure to be logged."""
    assert await asked_raw(house, b"GET /api/v1/session HTTP/1.1", header) == b"HTTP/1.1 401 Unauthorized"


async def test_a_browser_whose_name_is_no_text_logs_in(house: House) -> None:
    body = b'{"name":"zhang","password":"%s"}' % PASSWORD.encode()
    asked = b"POST /api/v1/login HTTP/1.1", b"User-Agent: caf\xe9", b"Content-Length: %d" % len(body)
    assert await asked_raw(house, *asked, body=body) == b"HTTP/1.1 200 OK"
    assert await house.stack.pool.fetchval("SELECT device FROM sessions") == "caf"


async def asked_raw(house: House, *lines: bytes, body: bytes = b"") -> bytes:
    """Send a request as it is; return the first line of the answer."""
    reader, writer = await asyncio.open_connection(house.client.host, house.client.port)
    writer.write(b"\r\n".join([*lines, b"Host: x", b"Connection: close", b"", body]))
    line = (await reader.read()).split(b"\r\n")[0]
    writer.close()
    return line


async def test_the_cookie_is_secure_behind_tls(stack: Stack) -> None:
    async with AsyncExitStack() as exits:
        house = await opened(stack, exits, policy(), secure=True, ws_url="wss://12345.example/console")
        answer = await house.client.post("/api/v1/login", json={"name": "zhang", "password": PASSWORD})
        assert answer.cookies[auth.COOKIE]["secure"]
        bearer = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        assert (await house.asked("POST", "console-ticket", **bearer))[1]["url"] == "wss://12345.example/console"


async def test_wrong_log_ins_from_one_address_are_slowed_down(stack: Stack) -> None:
    accounts = stack.accounts
    app = web.Application(middlewares=[problems, gate(accounts)])
    app.add_routes(auth.routes(auth.handlers_of(accounts, ws_port=1, limit=RateLimit(3, 600))))
    async with TestClient(TestServer(app)) as client:
        answers = [
            await client.post("/api/v1/login", json={"name": f"guess{n}", "password": "wrong"}) for n in range(4)
        ]
        assert [answer.status for answer in answers] == [401, 401, 401, 429]
        assert int(answers[-1].headers["Retry-After"]) > 0


async def test_a_token_is_counted_however_its_header_is_written(stack: Stack) -> None:
    app = web.Application(middlewares=[problems, gate(stack.accounts, limit=RateLimit(3, 600))])
    app.add_routes(auth.routes(auth.handlers_of(stack.accounts, ws_port=1, limit=RateLimit(9, 600))))
    async with TestClient(TestServer(app)) as client:
        answers = [
            await client.get("/api/v1/session", headers={"Authorization": f"{scheme}t0ken"})
            for scheme in ("Bearer ", "bearer ", "Bearer  ", "BEARER   ")
        ]
    assert [answer.status for answer in answers] == [401, 401, 401, 429]


class Together(Passwords):
    """Checks no password before `many` are there to be checked."""

    def __init__(self, many: int) -> None:
        super().__init__(hasher=FAST)
        self._all = asyncio.Barrier(many)

    async def matches(self, kept: str | None, password: str) -> bool:
        await self._all.wait()
        return await super().matches(kept, password)


async def test_wrong_log_ins_that_come_at_once_are_all_refused_and_kept(stack: Stack) -> None:
    """Those beyond the limit were tried like the others: what was tried is in the audit, and is waited for."""
    audit = AuditStore(stack.pool)
    accounts = Accounts(store=stack.accounts.store, passwords=Together(5), clock=stack.clock)
    app = web.Application(middlewares=[problems])
    app.add_routes(auth.routes(auth.handlers_of(accounts, ws_port=1, limit=RateLimit(3, 600), note=audit.note)))
    async with TestClient(TestServer(app)) as client:
        async def wrong() -> int:
            return (await client.post("/api/v1/login", json={"name": "zhang", "password": "wrong"})).status

        assert await asyncio.gather(*(wrong() for _ in range(5))) == [401] * 5
        assert await wrong() == 429
    assert [(one.actor, one.result) for one in await audit.page(limit=9)] == [("staff:zhang", "unauthenticated")] * 5
