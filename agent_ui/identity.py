"""Rules of identity (domain.md section 8, 等保三级): passwords, locks, second factors, sessions. Pure."""

from __future__ import annotations

import string
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from agent_ui.staff import Staff, StaffRole
from hotline.errors import InvalidInput

MIN_LENGTH, MAX_LENGTH = 8, 200
LONG_ENOUGH = 16
"""A passphrase of so many characters needs no mixture of kinds."""


class Proof(StrEnum):
    """How a session was opened."""

    PASSWORD = "password"  # noqa: S105 - a word, no secret
    CODE = "code"
    """Password and a second factor."""
    SSO = "sso"
    """The identity provider, with its factors."""


class Duty(StrEnum):
    """What somebody who has logged in must do before anything else; the values are error ids."""

    CHANGE_PASSWORD = "password_change_needed"  # noqa: S105 - an error id  # pragma: allowlist secret
    ENROL = "second_factor_needed"


class AccountPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the identity.

    Attributes:
        idle, life: a session ends after so long without use, and after so long at all.
        password_age: after it a password must be changed; zero: never. history: so many earlier ones do not come back.
        max_failures: lock an account for `locked_for`, each further time twice as long, up to `longest_lock`.
        second_factor: roles that must have one; everybody may.
    """

    idle: timedelta = timedelta(minutes=15)
    life: timedelta = timedelta(hours=12)
    password_age: timedelta = timedelta(days=90)
    history: int = 5
    max_failures: int = 5
    locked_for: timedelta = timedelta(minutes=30)
    longest_lock: timedelta = timedelta(hours=24)
    second_factor: frozenset[StaffRole] = frozenset()


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an account's password and second factor."""

    password_changed_at: datetime
    must_change: bool
    enrolled: bool


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is used: whose, which one, and what must be done first."""

    staff: Staff
    session: int
    proof: Proof
    duties: tuple[Duty, ...] = ()
    enrolled: bool = False


def duties_of(staff: Staff, standing: Standing, proof: Proof, policy: AccountPolicy, now: datetime) -> tuple[Duty, ...]:
    """Return what must be done first; who came by the identity provider keeps password and factors there."""
    if proof is Proof.SSO:
        return ()
    too_old = policy.password_age and now - standing.password_changed_at >= policy.password_age
    found = [Duty.CHANGE_PASSWORD] if standing.must_change or too_old else []
    if staff.role in policy.second_factor and not standing.enrolled:
        found.append(Duty.ENROL)
    return tuple(found)


def check_password(password: str, name: str) -> None:
    """Raise InvalidInput for a password that somebody must not choose.

    Three of four kinds of characters (capital and small letters, digits, others) or sixteen characters; not the name.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise InvalidInput(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters", error_id="password_weak")
    kinds = sum(any(match(character) for character in password) for match in (_SMALL, _CAPITAL, _DIGIT, _other))
    if len(password) < LONG_ENOUGH and kinds < 3:
        raise InvalidInput(
            f"mix three of: capital letters, small letters, digits, others – or take {LONG_ENOUGH} characters or more",
            error_id="password_weak",
        )
    if name.casefold() in password.casefold() or len(set(password)) < 5:
        raise InvalidInput("a password does not hold the log-in name, and has five different characters or more",
                           error_id="password_weak")


_SMALL, _CAPITAL, _DIGIT = frozenset(string.ascii_lowercase).__contains__, str.isupper, str.isdigit
_PLAIN = frozenset(string.ascii_letters + string.digits)


def _other(character: str) -> bool:
    return character not in _PLAIN
