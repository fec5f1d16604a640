"""The second factor: codes and recovery codes, over HTTP and the real database."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent_ui.second_factor import STEP, code_at, plain_code, recovery_code, step_of
from agent_ui.staff import StaffRole
from tests.agent_ui.log_in import NOON, House, opened, policy, secret_of
from tests.agent_ui.stack import PASSWORD, Stack

SECRET = b"12345678901234567890"


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
