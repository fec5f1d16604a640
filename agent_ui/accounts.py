"""Logging in: password → session token → one-time console ticket. Only hashes of tokens are kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

import msgspec

from agent_ui.passwords import Passwords
from agent_ui.ports import AccountStore
from agent_ui.staff import Staff, StaffRole
from hotline.errors import InvalidInput, Unauthenticated
from hotline.ports import Clock

SESSION_LIFE = timedelta(hours=12)
IDLE = timedelta(minutes=15)
TICKET_LIFE = timedelta(seconds=30)
_REFUSED = ("name or password is wrong, or the account is locked: after 5 failures it is locked for 30 minutes, "
            "a security administrator can unlock it")


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A log-in: who it is, and the token that proves it."""

    staff: Staff
    token: str


def token_hash(token: str) -> bytes:
    """Return what is kept of a token. Tokens are random, so a plain digest is enough."""
    return hashlib.sha256(token.encode()).digest()


class Accounts:
    """Log-ins over an account store."""

    def __init__(self, *, store: AccountStore, passwords: Passwords, clock: Clock) -> None:
        self._store, self._passwords, self._clock = store, passwords, clock

    async def login(self, name: str, password: str) -> Grant:
        """Return a new session.

        An unknown name, a wrong password and a locked account look the same and take as long.

        Raises:
            Unauthenticated, Overloaded.
        """
        account = await self._store.account(name, now=self._clock())
        right = await self._passwords.matches(account.password_hash if account else None, password)
        token, now = secrets.token_urlsafe(32), self._clock()
        if not right:
            await self._store.count_failure(name, now=now)
        if account is None or not right or not await self._store.open_session(
            account.staff.name, token_hash(token), now=now, expires_at=now + SESSION_LIFE
        ):
            raise Unauthenticated(_REFUSED)
        return Grant(staff=account.staff, token=token)

    async def session(self, token: str) -> Staff:
        """Return whose session it is; each use keeps it from idling out. Raises Unauthenticated."""
        staff = await self._store.session(token_hash(token), now=self._clock(), idle=IDLE.total_seconds())
        if staff is None:
            raise Unauthenticated("the session is unknown or over: log in again")
        return staff

    async def logout(self, token: str) -> None:
        """End a session; an unknown one is no mistake."""
        await self._store.end_session(token_hash(token))

    async def console_ticket(self, token: str) -> str:
        """Return a ticket that opens one console within 30 seconds. Raises Unauthenticated."""
        staff, ticket = await self.session(token), secrets.token_urlsafe(24)
        await self._store.issue_ticket(token_hash(ticket), staff.name, expires_at=self._clock() + TICKET_LIFE)
        return ticket

    async def redeem(self, ticket: str) -> Staff:
        """Use a console ticket up. Raises Unauthenticated."""
        staff = await self._store.redeem_ticket(token_hash(ticket), now=self._clock())
        if staff is None:
            raise Unauthenticated("the console ticket is unknown, used or older than 30 seconds: fetch another")
        return staff

    async def add_staff(self, staff: Staff, password: str) -> None:
        """Add an account. Raises InvalidInput when something is missing or the name is taken."""
        name = staff.name.strip()
        if not name or name != staff.name or len(name) > 64:
            raise InvalidInput("a name has 1 to 64 characters and no spaces around it")
        if (staff.role is StaffRole.DEPARTMENT) != bool(staff.department):
            raise InvalidInput("the role department needs the name of its department; other roles have none")
        await self._store.add_staff(staff, self._passwords.hash(password), now=self._clock())

    async def set_password(self, name: str, password: str) -> None:
        """Give an account another password and unlock it. Raises NotFound, InvalidInput."""
        await self._store.set_password(name, self._passwords.hash(password))
