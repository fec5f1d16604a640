"""What changes while a password is being checked: checks take tens of milliseconds each, and wait in a line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from agent_ui.accounts import Accounts
from agent_ui.identity import Seat
from agent_ui.own_account import OwnAccount
from agent_ui.passwords import Passwords
from agent_ui.people import Change
from agent_ui.second_factor import code_at
from hotline.audit import Record
from hotline.errors import InvalidInput, Unauthenticated
from hotline.store.accounts import AccountStore
from hotline.store.people import PeopleStore
from tests.agent_ui.stack import FAST, PASSWORD, Stack

NEW = "Another-Password-9"
Act = Callable[[], Awaitable[object]]


class Meanwhile(Passwords):
    """Checks passwords; after the first check something happens."""

    def __init__(self, act: Act) -> None:
        super().__init__(hasher=FAST)
        self._acts = [act]

    async def matches(self, kept: str | None, password: str) -> bool:
        found = await super().matches(kept, password)
        while self._acts:
            await self._acts.pop()()
        return found


def accounts_with(stack: Stack, act: Act) -> Accounts:
    return Accounts(store=AccountStore(stack.pool), passwords=Meanwhile(act), clock=stack.clock)


def reset(stack: Stack, **change: object) -> Act:
    """Return what a security administrator does with zhang's account: all sessions end with it."""

    async def act() -> None:
        record = Record(at=stack.clock(), actor="security_admin:sun", act="person.reset_password", subject="zhang")
        await PeopleStore(stack.pool).change("zhang", Change(end=True, **change), record)  # type: ignore[arg-type]

    return act


async def sessions(stack: Stack) -> int:
    return int(await stack.pool.fetchval("SELECT count(*) FROM sessions WHERE staff = 'zhang'"))


async def enrolled(stack: Stack) -> bytes:
    """Enrol a second factor of zhang's; return its secret."""
    secret, store = b"s" * 20, AccountStore(stack.pool)
    await store.propose_secret("zhang", secret)
    await store.confirm_secret("zhang", secret, step=1, recovery=[], session=0, now=stack.clock())
    return secret


async def test_a_log_in_with_a_password_that_was_reset_meanwhile_opens_nothing(stack: Stack) -> None:
    accounts = accounts_with(stack, reset(stack, password_hash=stack.accounts.passwords.hash(NEW)))
    with pytest.raises(Unauthenticated):
        await accounts.login("zhang", PASSWORD)
    assert await sessions(stack) == 0
    assert (await accounts.login("zhang", NEW)).staff.name == "zhang"


async def test_a_log_in_without_the_factor_that_was_enrolled_meanwhile_opens_nothing(stack: Stack) -> None:
    with pytest.raises(Unauthenticated):
        await accounts_with(stack, lambda: enrolled(stack)).login("zhang", PASSWORD)
    assert await sessions(stack) == 0


async def test_a_log_in_with_a_factor_that_was_taken_away_meanwhile_opens_nothing(stack: Stack) -> None:
    secret = await enrolled(stack)
    accounts = accounts_with(stack, reset(stack, factor=True))
    with pytest.raises(Unauthenticated):
        await accounts.login("zhang", PASSWORD, code=code_at(secret, stack.clock()))
    assert await sessions(stack) == 0


async def seat_of(stack: Stack) -> Seat:
    return await stack.accounts.seat((await stack.accounts.login("zhang", PASSWORD)).token)


async def test_a_reset_is_not_undone_by_a_change_that_began_before(stack: Stack) -> None:
    given, seat = stack.accounts.passwords.hash(NEW), await seat_of(stack)
    own = OwnAccount(accounts_with(stack, reset(stack, password_hash=given)), issuer="东莞12345")
    with pytest.raises(InvalidInput) as refused:
        await own.change_password(seat, PASSWORD, "Of-The-Thief-77")
    assert refused.value.error_id == "password_wrong"
    kept = await stack.pool.fetchrow("SELECT password_hash, must_change FROM staff WHERE name = 'zhang'")
    assert tuple(kept) == (given, True)


async def test_a_new_password_and_the_end_of_the_other_sessions_are_one_step(stack: Stack) -> None:
    """A process that died between them would leave whoever else has logged in where they are."""
    await seat_of(stack)
    own, seat = OwnAccount(stack.accounts, issuer="东莞12345"), await seat_of(stack)
    await stack.pool.execute("""
        CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'cut'; END $$;
        CREATE TRIGGER cut BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION cut();
    """)
    with pytest.raises(asyncpg.RaiseError):
        await own.change_password(seat, PASSWORD, NEW)
    await stack.pool.execute("DROP TRIGGER cut ON sessions")
    assert await own.change_password(seat, PASSWORD, NEW) == 1  # the old one is still right
    assert await sessions(stack) == 1
