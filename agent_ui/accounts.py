"""Logging in: password and code → session token → one-time console ticket. Only hashes of tokens are kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

import msgspec

from agent_ui.account_ports import AccountStore, Login, Opening, Used
from agent_ui.identity import AccountPolicy, Duty, Proof, Seat, check_password, duties_of
from agent_ui.passwords import Passwords
from agent_ui.second_factor import plain_code, step_of
from agent_ui.staff import Staff, StaffRole
from hotline.errors import Forbidden, InvalidInput, Unauthenticated
from hotline.ports import Clock

TICKET_LIFE = timedelta(seconds=30)
_POLICY = AccountPolicy()
_REFUSED = ("name or password is wrong, or the account is locked: after 5 failures for 30 minutes, and longer each "
            "time; a security administrator can unlock it")
_DUTIES = {
    Duty.CHANGE_PASSWORD: "choose a new password first: POST /api/v1/account/password",  # pragma: allowlist secret
    Duty.ENROL: "enrol a second factor first: POST /api/v1/account/second-factor",
}


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A log-in: who it is, the token that proves it, and what must be done first."""

    staff: Staff
    token: str
    duties: tuple[Duty, ...] = ()


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Where a log-in comes from, as its owner will recognise it."""

    address: str = ""
    device: str = ""


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """Who sits at a console, and in which session."""

    staff: Staff
    session: int


def token_hash(token: str) -> bytes:
    """Return what is kept of a token. Tokens are random, so a plain digest is enough.

    Headers may hold any bytes, which aiohttp hands on as lone surrogates: such a token is nobody's, and no failure.
    """
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


class Accounts:
    """Log-ins over an account store."""

    def __init__(
        self, *, store: AccountStore, passwords: Passwords, clock: Clock, policy: AccountPolicy = _POLICY
    ) -> None:
        self.store, self.passwords, self.clock, self.policy = store, passwords, clock, policy

    async def login(self, name: str, password: str, *, code: str = "", visitor: Visitor = Visitor()) -> Grant:
        """Return a new session.

        An unknown name, a wrong password and a locked account look the same and take as long.

        Raises:
            Unauthenticated: also with `code_needed`, where the password is right and a second factor is enrolled, and
                with `code_wrong`; a wrong code counts as a failure like a wrong password.
            Overloaded.
        """
        account = await self.store.account(name, now=self.clock())
        if not await self.passwords.matches(account.password_hash if account else None, password) or account is None:
            await self.store.count_failure(name, now=self.clock(), policy=self.policy)
            raise Unauthenticated(_REFUSED)
        step, recovery = 0, b""
        if account.secret:
            step, recovery = await self._second(name, account.secret, code, account.last_step)
        return await self._opened(
            account.staff, Proof.CODE if account.secret else Proof.PASSWORD, visitor, step=step, recovery=recovery,
            against=account,
        )

    async def _second(self, name: str, secret: bytes, code: str, last_step: int) -> tuple[int, bytes]:
        """Return the code's step, or the digest of a recovery code (which the store looks up as it uses it up)."""
        given = plain_code(code)
        if not given:
            raise Unauthenticated("the password is right; send the code of the authenticator app as well",
                                  error_id="code_needed")
        if not given.isdigit():
            return 0, token_hash(given)
        step = step_of(secret, given, self.clock(), after=last_step)
        if step is None:
            await self.store.count_failure(name, now=self.clock(), policy=self.policy)
            raise Unauthenticated("the code is wrong, over, or was used before; wait for the next one",
                                  error_id="code_wrong")
        return step, b""

    async def _opened(
        self, staff: Staff, proof: Proof, visitor: Visitor, *, step: int = 0, recovery: bytes = b"",
        against: Login | None = None,
    ) -> Grant:
        token, now = secrets.token_urlsafe(32), self.clock()
        opened = await self.store.open_session(Opening(
            name=staff.name, token_hash=token_hash(token), now=now, expires_at=now + self.policy.life, proof=proof,
            step=step, recovery=recovery, address=visitor.address[:64], device=visitor.device[:200],
            password_hash=against.password_hash if against else "",
            enrolled_at=against.enrolled_at if against else None,
        ))
        if not opened:
            if not recovery:
                raise Unauthenticated(_REFUSED)
            await self.store.count_failure(staff.name, now=now, policy=self.policy)
            raise Unauthenticated("the recovery code is wrong or was used before", error_id="code_wrong")
        return Grant(staff=staff, token=token, duties=(await self.seat(token)).duties)

    async def vouched(self, name: str, visitor: Visitor = Visitor()) -> Grant:
        """Return a new session of somebody for whom the identity provider vouches. Raises Unauthenticated."""
        staff = await self.store.active(name)
        if staff is None:
            raise Unauthenticated(f"there is no active account {name[:64]!r} for this identity; ask an administrator")
        return await self._opened(staff, Proof.SSO, visitor)

    async def seat(self, token: str) -> Seat:
        """Return whose session it is, whatever must be done first; each use keeps it from idling out.

        Raises:
            Unauthenticated.
        """
        now = self.clock()
        used: Used | None = await self.store.session(token_hash(token), now=now, idle=self.policy.idle)
        if used is None:
            raise Unauthenticated("the session is unknown or over: log in again")
        duties = duties_of(used.staff, used.standing, used.proof, self.policy, now)
        return Seat(
            staff=used.staff, session=used.session, proof=used.proof, duties=duties, enrolled=used.standing.enrolled
        )

    async def session(self, token: str) -> Staff:
        """Return whose session it is; each use keeps it from idling out.

        Raises:
            Unauthenticated.
            Forbidden: with the error id of a duty: the password must be changed, or a second factor enrolled, first.
        """
        return ready(await self.seat(token))

    async def logout(self, token: str) -> None:
        """End a session; an unknown one is no mistake."""
        await self.store.end_session(token_hash(token))

    async def console_ticket(self, token: str) -> str:
        """Return a ticket that opens one console within 30 seconds. Raises Unauthenticated, Forbidden."""
        seat, ticket = await self.seat(token), secrets.token_urlsafe(24)
        await self.store.issue_ticket(
            token_hash(ticket), ready(seat).name, session=seat.session, expires_at=self.clock() + TICKET_LIFE
        )
        return ticket

    async def redeem(self, ticket: str) -> Admitted:
        """Use a console ticket up. Raises Unauthenticated."""
        found = await self.store.redeem_ticket(token_hash(ticket), now=self.clock())
        if found is None:
            raise Unauthenticated("the console ticket is unknown, used or older than 30 seconds: fetch another")
        return Admitted(staff=found[0], session=found[1])

    async def add_staff(self, staff: Staff, password: str, *, must_change: bool = False) -> None:
        """Add an account. Raises InvalidInput when something is missing, the password weak or the name taken.

        Args:
            must_change: somebody else gave the password.
        """
        check_staff(staff)
        check_password(password, staff.name)
        await self.store.add_staff(staff, self.passwords.hash(password), now=self.clock(), must_change=must_change)

    async def set_password(self, name: str, password: str) -> None:
        """Give an account another password and unlock it. Raises NotFound, InvalidInput."""
        hashed = self.passwords.hash(password)
        await self.store.set_password(name, hashed, now=self.clock(), history=self.policy.history)


def ready(seat: Seat) -> Staff:
    """Return who it is; raises Forbidden with the first duty that is not done."""
    for duty in seat.duties:
        raise Forbidden(_DUTIES[duty], error_id=duty)
    return seat.staff


def check_staff(staff: Staff) -> None:
    """Raise InvalidInput where name or department is missing or too much."""
    name = staff.name.strip()
    if not name or name != staff.name or len(name) > 64:
        raise InvalidInput("a name has 1 to 64 characters and no spaces around it")
    if (staff.role is StaffRole.DEPARTMENT) != bool(staff.department):
        raise InvalidInput("the role department needs the name of its department; other roles have none")
