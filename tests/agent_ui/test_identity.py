"""Identity over HTTP and the real database: second factor, passwords, locks, sessions, where questions come from."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from agent_ui import account_api, auth
from agent_ui.accounts import Accounts
from agent_ui.gate import gate
from agent_ui.identity import AccountPolicy, Duty, Proof, Standing, check_password, duties_of, lock_time
from agent_ui.limits import Limits
from agent_ui.second_factor import STEP, code_at, plain_code, recovery_code, step_of
from agent_ui.staff import Staff, StaffRole
from channels.limits import RateLimit
from channels.problem import problems
from hotline.errors import InvalidInput
from hotline.store.accounts import AccountStore
from tests.agent_ui.stack import PASSWORD, Stack, fast_passwords

Client = TestClient[web.Request, web.Application]
NEW = "Another-Password-9"
SECRET = b"12345678901234567890"
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


class House:
    """Log-in and account behind the gate."""

    def __init__(self, stack: Stack, client: Client, accounts: Accounts) -> None:
        self.stack, self.client, self.accounts = stack, client, accounts

    async def log_in(self, name: str = "zhang", password: str = PASSWORD, **more: str) -> tuple[int, dict[str, Any]]:
        response = await self.client.post("/api/v1/login", json={"name": name, "password": password, **more})
        return response.status, await response.json()

    async def asked(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        response = await self.client.request(method, f"/api/v1/{path}", json=body, headers=headers)
        return response.status, await response.json(content_type=None) if response.status != 204 else None

    async def enrol(self) -> tuple[bytes, list[str]]:
        """Enrol a second factor; return its secret and the recovery codes."""
        status, begun = await self.asked("POST", "account/second-factor")
        assert status == 200
        secret = secret_of(begun["uri"])
        status, done = await self.asked("PUT", "account/second-factor", {"code": self.code(secret)})
        assert status == 200, done
        return secret, done["recovery_codes"]

    def code(self, secret: bytes, *, ahead: int = 0) -> str:
        return code_at(secret, self.stack.clock() + timedelta(seconds=ahead))

    def pass_time(self, **more: float) -> None:
        self.stack.clock.ahead += timedelta(**more)


def secret_of(uri: str) -> bytes:
    import base64

    text = parse_qs(urlsplit(uri).query)["secret"][0]
    return base64.b32decode(text + "=" * (-len(text) % 8))


def policy(**changes: Any) -> AccountPolicy:
    return AccountPolicy(**changes)


async def opened(stack: Stack, exits: AsyncExitStack, chosen: AccountPolicy, **limits: Any) -> House:
    accounts = Accounts(store=AccountStore(stack.pool), passwords=fast_passwords(), clock=stack.clock, policy=chosen)
    app = web.Application(middlewares=[problems, gate(accounts, origins={"https://ours.example"})])
    app.add_routes(
        [
            *auth.routes(auth.handlers_of(accounts, ws_port=8081, limit=RateLimit(10_000, 600), **limits)),
            *account_api.routes(accounts, issuer="东莞12345"),
        ]
    )
    client = await exits.enter_async_context(TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)))
    return House(stack, client, accounts)


@pytest.fixture
async def house(stack: Stack) -> AsyncIterator[House]:
    async with AsyncExitStack() as exits:
        yield await opened(stack, exits, policy())


# ── second factor ────────────────────────────────────────────────────────────────────────────────
def test_codes_are_those_of_rfc_6238() -> None:
    """Appendix B, its eight digits cut to six."""
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        moment = datetime.fromtimestamp(seconds, UTC)
        assert code_at(SECRET, moment) == code
        assert step_of(SECRET, code, moment, after=0) == seconds // STEP


@given(st.integers(0, 10**9), st.integers(-4, 4), st.integers(-4, 4))
def test_a_code_holds_one_step_either_way_and_never_twice(seconds: int, off: int, used: int) -> None:
    moment = datetime.fromtimestamp(seconds + 1000, UTC)
    step = int(moment.timestamp()) // STEP
    found = step_of(SECRET, code_at(SECRET, moment + timedelta(seconds=off * STEP)), moment, after=step + used)
    assert found == (step + off if abs(off) <= 1 and off > used else None)


@given(st.text(max_size=30))
def test_odd_codes_are_wrong_and_no_error(text: str) -> None:
    right = {code_at(SECRET, NOON + timedelta(seconds=step * STEP)) for step in (-1, 0, 1)}
    assert (step_of(SECRET, text, NOON, after=0) is not None) == (text in right)


@given(st.binary(min_size=10, max_size=10))
def test_recovery_codes_are_read_however_they_are_typed(random: bytes) -> None:
    code = recovery_code(random)
    assert plain_code(f" {code.upper()} ") == plain_code(code) == code.replace("-", "")
    assert len(plain_code(code)) == 16, "never taken for the six digits of an app"


async def test_a_second_factor_is_asked_for_once_enrolled(house: House) -> None:
    await house.log_in()
    secret, codes = await house.enrol()
    assert len(set(codes)) == 10
    status, body = await house.log_in()
    assert (status, body["error_id"]) == (401, "code_needed")
    house.pass_time(seconds=STEP)
    right = house.code(secret)
    assert (await house.log_in(code=right))[0] == 200
    assert (await house.asked("GET", "session"))[1]["proof"] == "code"
    assert (await house.log_in(code=right))[1]["error_id"] == "code_wrong"  # a code counts once
    house.pass_time(seconds=STEP)
    assert (await house.log_in(code=f" {house.code(secret)[:3]} {house.code(secret)[3:]}"))[0] == 200


async def test_one_code_in_many_log_ins_at_once_opens_one(house: House) -> None:
    await house.log_in()
    secret, codes = await house.enrol()
    house.pass_time(seconds=STEP)
    many = await asyncio.gather(*(house.log_in(code=house.code(secret)) for _ in range(4)))
    assert sorted(status for status, _ in many) == [200, 401, 401, 401]
    house.pass_time(seconds=STEP)
    assert (await house.log_in(code=house.code(secret)))[0] == 200  # the wrong ones above count no more
    many = await asyncio.gather(*(house.log_in(code=codes[0]) for _ in range(4)))
    assert sorted(status for status, _ in many) == [200, 401, 401, 401]


async def test_recovery_codes_count_once_and_are_renewed(house: House) -> None:
    await house.log_in()
    _, codes = await house.enrol()
    assert (await house.log_in(code=codes[3].upper()))[0] == 200
    assert (await house.log_in(code=codes[3]))[1]["error_id"] == "code_wrong"
    status, fresh = await house.asked("POST", "account/recovery-codes", {"password": PASSWORD})
    assert status == 200
    assert (await house.log_in(code=codes[4]))[1]["error_id"] == "code_wrong"
    assert (await house.log_in(code=fresh["recovery_codes"][4]))[0] == 200
    assert (await house.asked("POST", "account/recovery-codes", {"password": "wrong"}))[1][
        "error_id"
    ] == "password_wrong"


async def test_wrong_codes_lock_like_wrong_passwords(house: House) -> None:
    await house.log_in()
    secret, _ = await house.enrol()
    house.pass_time(seconds=STEP)
    for code in ("000000", "mfrg-gzdf-mztw-q2lk", "1", "999999", "nonsense"):
        assert (await house.log_in(code=code))[0] == 401
    assert (await house.log_in(code=house.code(secret)))[1]["error_id"] == "unauthenticated"  # locked
    house.pass_time(minutes=31)
    assert (await house.log_in(code=house.code(secret)))[0] == 200


async def test_a_wrong_recovery_code_does_not_forget_failures(house: House) -> None:
    await house.log_in()
    await house.enrol()
    for _ in range(3):
        await house.log_in(code="mfrg-gzdf-mztw-q2lk")
    assert await house.stack.pool.fetchval("SELECT failures FROM staff WHERE name = 'zhang'") == 3


async def test_enrolling_needs_a_right_first_code(house: House) -> None:
    await house.log_in()
    assert (await house.asked("PUT", "account/second-factor", {"code": "123456"}))[0] == 404  # nothing begun
    _, begun = await house.asked("POST", "account/second-factor")
    old = secret_of(begun["uri"])
    wrong = house.code(old, ahead=3600)
    assert (await house.asked("PUT", "account/second-factor", {"code": wrong}))[1]["error_id"] == "code_mismatch"
    assert (await house.log_in())[0] == 200  # not asked for before it is proved
    await house.asked("POST", "account/second-factor")  # begun anew: the old secret is over
    assert (await house.asked("PUT", "account/second-factor", {"code": house.code(old)}))[0] == 400
    await house.enrol()
    assert (await house.asked("POST", "account/second-factor"))[1]["error_id"] == "rule_violation"


async def test_the_database_holds_no_secret_of_a_second_factor(house: House) -> None:
    await house.log_in()
    secret, codes = await house.enrol()
    rows = [
        tuple(row)
        for table in ("staff", "recovery_codes")
        for row in await house.stack.pool.fetch(f"SELECT * FROM {table}")
    ]
    kept = b"".join(value for row in rows for value in row if isinstance(value, bytes)) + repr(rows).encode()
    assert secret not in kept
    assert all(plain_code(code).encode() not in kept for code in codes)


async def test_roles_that_need_a_second_factor_do_nothing_before(stack: Stack) -> None:
    async with AsyncExitStack() as exits:
        house = await opened(stack, exits, policy(second_factor=frozenset({StaffRole.AGENT})))
        status, body = await house.log_in()
        assert (status, body["duties"]) == (200, ["second_factor_needed"])
        assert (await house.asked("POST", "console-ticket"))[1]["error_id"] == "second_factor_needed"
        assert (await house.asked("GET", "session"))[0] == 200
        await house.enrol()
        assert (await house.asked("GET", "session"))[1]["duties"] == []
        assert (await house.asked("POST", "console-ticket"))[0] == 200
        removal = await house.asked("POST", "account/second-factor/removal", {"password": PASSWORD})
        assert removal[1]["error_id"] == "forbidden"


async def test_a_second_factor_can_be_taken_away_where_none_is_needed(house: House) -> None:
    await house.log_in()
    await house.enrol()
    assert (await house.asked("POST", "account/second-factor/removal", {"password": "wrong"}))[0] == 400
    assert (await house.asked("POST", "account/second-factor/removal", {"password": PASSWORD}))[0] == 204
    assert (await house.log_in())[0] == 200


# ── passwords ────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "password",
    [
        "",
        "short1A",
        "alllowercase",
        "ALLCAPITALS",
        "lower and1",
        "zhang-12345-A",
        "Aa1Aa1Aa1",
        "x" * 201,
        "1234567890",
        "Zhang Passphrase long enough",
    ],
)
def test_weak_passwords(password: str) -> None:
    if password == "lower and1":  # three kinds: small letters, digits, others
        check_password(password, "zhang")
    else:
        with pytest.raises(InvalidInput):
            check_password(password, "zhang")


@pytest.mark.parametrize(
    "password", [NEW, "correct horse battery", "密码要足够长并且不要太简单才行啊好的", "Aa1#密码xyz"]
)
def test_strong_passwords(password: str) -> None:
    check_password(password, "zhang")


async def test_changing_the_password_ends_other_sessions_and_refuses_old_ones(house: House) -> None:
    other = (await house.log_in())[1]["token"]
    await house.log_in()
    assert (await house.asked("POST", "account/password", {"old": "wrong", "new": NEW}))[1][
        "error_id"
    ] == "password_wrong"
    assert (await house.asked("POST", "account/password", {"old": PASSWORD, "new": "weak"}))[1][
        "error_id"
    ] == "password_weak"
    assert (await house.asked("POST", "account/password", {"old": PASSWORD, "new": PASSWORD}))[1][
        "error_id"
    ] == "password_used"
    assert await house.asked("POST", "account/password", {"old": PASSWORD, "new": NEW}) == (200, {"ended": 1})
    assert (await house.asked("GET", "session"))[0] == 200  # the one that changed it goes on
    assert (await house.asked("GET", "session", Authorization=f"Bearer {other}"))[0] == 401
    assert (await house.log_in())[0] == 401
    assert (await house.log_in(password=NEW))[0] == 200


async def test_earlier_passwords_come_back_after_the_history_only(house: House) -> None:
    await house.log_in()
    words, present = (f"{NEW}-{n}" for n in itertools.count()), PASSWORD
    for _ in range(5):
        new = next(words)
        assert (await house.asked("POST", "account/password", {"old": present, "new": new}))[0] == 200
        present = new
        assert (await house.asked("POST", "account/password", {"old": present, "new": PASSWORD}))[1]["error_id"] == (
            "password_used"
        )
    new = next(words)
    await house.asked("POST", "account/password", {"old": present, "new": new})
    assert (await house.asked("POST", "account/password", {"old": new, "new": PASSWORD}))[0] == 200
    assert await house.stack.pool.fetchval("SELECT count(*) FROM password_history") <= 6


async def test_a_password_that_is_too_old_or_given_by_others_is_changed_first(house: House) -> None:
    house.pass_time(days=89)
    assert (await house.log_in())[1]["duties"] == []
    house.pass_time(days=2)
    status, body = await house.log_in()
    assert (status, body["duties"]) == (200, ["password_change_needed"])
    assert (await house.asked("POST", "console-ticket"))[1]["error_id"] == "password_change_needed"
    assert (await house.asked("POST", "account/password", {"old": PASSWORD, "new": NEW}))[0] == 200
    assert (await house.asked("POST", "console-ticket"))[0] == 200


@pytest.mark.parametrize("proof", Proof)
@pytest.mark.parametrize("must_change", [False, True])
@pytest.mark.parametrize("enrolled", [False, True])
@pytest.mark.parametrize("age", [0, 89, 90, 400])
@pytest.mark.parametrize("needs", [False, True])
def test_duties_as_a_whole_grid(proof: Proof, must_change: bool, enrolled: bool, age: int, needs: bool) -> None:
    person = Staff(name="a", display_name="a", role=StaffRole.SUPERVISOR)
    standing = Standing(password_changed_at=NOON - timedelta(days=age), must_change=must_change, enrolled=enrolled)
    chosen = policy(second_factor=frozenset({StaffRole.SUPERVISOR} if needs else ()))
    expected = set()
    if proof is not Proof.SSO and (must_change or age >= 90):
        expected.add(Duty.CHANGE_PASSWORD)
    if proof is not Proof.SSO and needs and not enrolled:
        expected.add(Duty.ENROL)
    assert set(duties_of(person, standing, proof, chosen, NOON)) == expected


# ── locks ────────────────────────────────────────────────────────────────────────────────────────
def test_locks_grow_and_have_an_end() -> None:
    minutes = [lock_time(policy(), n).total_seconds() / 60 for n in range(8)]
    assert minutes == [30, 60, 120, 240, 480, 960, 1440, 1440]
    assert lock_time(policy(), 10**9) == timedelta(hours=24)


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
