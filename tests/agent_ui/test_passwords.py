"""Passwords: which are taken, when they are changed, and what one owes before anything else."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from agent_ui.identity import Duty, Proof, Standing, check_password, duties_of
from agent_ui.staff import Staff, StaffRole
from hotline.errors import InvalidInput
from tests.agent_ui.log_in import NEW, NOON, House, policy
from tests.agent_ui.stack import PASSWORD


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
