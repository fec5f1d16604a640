"""What people do with their own account: change the password, enrol a second factor, look after their sessions."""

from __future__ import annotations

import secrets

import msgspec

from agent_ui.account_ports import SessionRow
from agent_ui.accounts import Accounts, token_hash
from agent_ui.identity import Seat, check_password
from agent_ui.second_factor import (
    RECOVERY_CODES,
    SECRET_BYTES,
    otpauth,
    plain_code,
    readable,
    recovery_code,
    step_of,
)
from hotline.errors import Forbidden, InvalidInput, NotFound, RuleViolation


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """A new secret: as a QR code's address, and to be typed. A first code must prove it."""

    uri: str
    secret: str


class OwnAccount:
    """Over the accounts."""

    def __init__(self, accounts: Accounts, *, issuer: str) -> None:
        """`issuer`: what the authenticator app shows."""
        self._accounts, self._issuer = accounts, issuer

    async def change_password(self, seat: Seat, old: str, new: str) -> int:
        """Change it; other sessions end. Returns how many did.

        Raises:
            InvalidInput: the old one is wrong (`password_wrong`), which counts as a failure; the new one is weak
                (`password_weak`) or was used before (`password_used`).
            Overloaded.
        """
        accounts, name = self._accounts, seat.staff.name
        account = await accounts.store.account(name, now=accounts.clock())
        if account is None or not await accounts.passwords.matches(account.password_hash, old):
            await accounts.store.count_failure(name, now=accounts.clock(), policy=accounts.policy)
            raise InvalidInput("the old password is wrong", error_id="password_wrong")
        check_password(new, name)
        for kept in await accounts.store.old_passwords(name, accounts.policy.history):
            if await accounts.passwords.matches(kept, new):
                raise InvalidInput(f"choose a password unlike the last {accounts.policy.history + 1}",
                                   error_id="password_used")
        ended = await accounts.store.change_password(
            name, await accounts.passwords.hashed(new), before=account.password_hash, keep=seat.session,
            now=accounts.clock(), history=accounts.policy.history,
        )
        if ended is None:  # reset meanwhile: the one who was given the new password decides
            raise InvalidInput("the password was changed meanwhile; log in with the new one", error_id="password_wrong")
        return ended

    async def begin_enrolment(self, seat: Seat) -> Enrolment:
        """Return a new secret, in the place of one that no code has proved. Raises RuleViolation where one is."""
        secret, name = secrets.token_bytes(SECRET_BYTES), seat.staff.name
        if not await self._accounts.store.propose_secret(name, secret):
            raise RuleViolation("a second factor is enrolled; take it away first")
        return Enrolment(uri=otpauth(secret, name=name, issuer=self._issuer), secret=readable(secret))

    async def finish_enrolment(self, seat: Seat, code: str) -> tuple[str, ...]:
        """Prove the secret by a code; return recovery codes, which are shown this once.

        Raises:
            NotFound: no enrolment has begun. InvalidInput: the code is wrong (`code_mismatch`).
        """
        accounts, name = self._accounts, seat.staff.name
        secret = await accounts.store.proposed_secret(name)
        if secret is None:
            raise NotFound("no second factor is being enrolled")
        step = step_of(secret, plain_code(code), accounts.clock(), after=0)
        if step is None:
            raise InvalidInput("the code is wrong: is the telephone's clock right?", error_id="code_mismatch")
        codes = _recovery_codes()
        if not await accounts.store.confirm_secret(
            name, secret, step=step, recovery=_digests(codes), session=seat.session, now=accounts.clock()
        ):
            raise NotFound("the enrolment was begun anew meanwhile; use the newer secret")
        return codes

    async def renew_recovery(self, seat: Seat, password: str) -> tuple[str, ...]:
        """Return fresh recovery codes; the old ones end. Raises InvalidInput, NotFound."""
        await self._prove(seat, password)
        codes = _recovery_codes()
        await self._accounts.store.renew_recovery(seat.staff.name, _digests(codes))
        return codes

    async def drop_second_factor(self, seat: Seat, password: str) -> None:
        """Take it away, to enrol another. Raises InvalidInput; Forbidden where the role needs one."""
        await self._prove(seat, password)
        if seat.staff.role in self._accounts.policy.second_factor:
            raise Forbidden("this role needs a second factor; a security administrator can reset it")
        await self._accounts.store.drop_secret(seat.staff.name)

    async def sessions(self, seat: Seat) -> list[SessionRow]:
        """Return one's sessions; `present` marks the one that asks."""
        rows = await self._accounts.store.sessions(
            seat.staff.name, now=self._accounts.clock(), idle=self._accounts.policy.idle
        )
        return [msgspec.structs.replace(row, present=row.id == seat.session) for row in rows]

    async def end_session(self, seat: Seat, id_: int) -> None:
        """End one of one's sessions. Raises NotFound."""
        if not id_ or not await self._accounts.store.end_sessions(seat.staff.name, id_=id_):
            raise NotFound("there is no such session; it may have ended")

    async def end_others(self, seat: Seat) -> int:
        """End all of one's sessions but the one that asks; return how many."""
        return await self._accounts.store.end_sessions(seat.staff.name, keep=seat.session)

    async def _prove(self, seat: Seat, password: str) -> None:
        accounts, name = self._accounts, seat.staff.name
        account = await accounts.store.account(name, now=accounts.clock())
        if account is None or not await accounts.passwords.matches(account.password_hash, password):
            await accounts.store.count_failure(name, now=accounts.clock(), policy=accounts.policy)
            raise InvalidInput("the password is wrong", error_id="password_wrong")
        if not account.secret:
            raise NotFound("no second factor is enrolled")


def _recovery_codes() -> tuple[str, ...]:
    return tuple(recovery_code(secrets.token_bytes(10)) for _ in range(RECOVERY_CODES))


def _digests(codes: tuple[str, ...]) -> list[bytes]:
    return [token_hash(plain_code(code)) for code in codes]
