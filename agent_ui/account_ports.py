"""What log-in and accounts ask of the database: of secrets it keeps hashes, and seals those of second factors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from agent_ui.identity import AccountPolicy, Proof, Standing
from agent_ui.staff import Staff


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the log-in needs it. `secret`: b"" where no second factor is enrolled, `enrolled_at` None."""

    staff: Staff
    password_hash: str
    secret: bytes = b""
    enrolled_at: datetime | None = None
    last_step: int = 0


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is to be opened.

    Attributes:
        step: of the code that was shown, 0 for none; recovery: digest of the recovery code that was, b"" for none.
        password_hash, enrolled_at: what the proof was held against; "" where the identity provider vouches.
        address, device: where from, as its owner recognises it.
    """

    name: str
    token_hash: bytes
    now: datetime
    expires_at: datetime
    proof: Proof = Proof.PASSWORD
    step: int = 0
    recovery: bytes = b""
    password_hash: str = ""
    enrolled_at: datetime | None = None
    address: str = ""
    device: str = ""


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """A session that holds."""

    staff: Staff
    session: int
    proof: Proof
    standing: Standing


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its owner, or a security administrator, sees it."""

    id: int
    created_at: datetime
    last_seen: datetime
    expires_at: datetime
    address: str
    device: str
    proof: Proof
    present: bool = False


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A log-in sent to the identity provider."""

    nonce: str
    verifier: str
    expires_at: datetime


class AccountStore(Protocol):
    """Accounts, sessions and console tickets (`hotline.store.accounts.AccountStore`)."""

    async def account(self, name: str, *, now: datetime) -> Login | None:
        """Return an account that may log in; None if there is none, or it is locked or inactive."""
        ...

    async def is_known(self, name: str) -> bool:
        """Tell whether there is such an account, active or not."""
        ...

    async def active(self, name: str) -> Staff | None:
        """Return an account that the identity provider vouches for; None if there is none, or it is inactive."""
        ...

    async def count_failure(self, name: str, *, now: datetime, policy: AccountPolicy) -> None:
        """Password or code was wrong; the last allowed failure locks the account."""
        ...

    async def open_session(self, opening: Opening) -> bool:
        """Forget the failures, use the code up and keep the session.

        False if meanwhile the account was locked, the code used, or password or second factor became another.
        """
        ...

    async def session(self, token_hash: bytes, *, now: datetime, idle: timedelta) -> Used | None:
        """Return whose session it is and note its use; None when unknown, over, or idle for longer."""
        ...

    async def end_session(self, token_hash: bytes) -> None:
        """Log out."""
        ...

    async def sessions(self, name: str, *, now: datetime, idle: timedelta) -> list[SessionRow]:
        """Return somebody's sessions, the one used last first."""
        ...

    async def end_sessions(self, name: str, *, id_: int = 0, keep: int = 0) -> int:
        """End one of somebody's sessions, or all but `keep`; return how many."""
        ...

    async def issue_ticket(self, ticket_hash: bytes, staff: str, *, session: int, expires_at: datetime) -> None:
        """Keep a one-time ticket."""
        ...

    async def redeem_ticket(self, ticket_hash: bytes, *, now: datetime) -> tuple[Staff, int] | None:
        """Use a one-time ticket up: whose, and of which session; None when it is unknown, used or late."""
        ...

    async def add_staff(
        self, staff: Staff, password_hash: str, *, now: datetime, must_change: bool = False, active: bool = True,
        wanted: str = "",
    ) -> None:
        """Add an account. Raises InvalidInput when the name is taken."""
        ...

    async def set_password(
        self, name: str, password_hash: str, *, now: datetime, must_change: bool = False, history: int = 5
    ) -> None:
        """Give an account another password and unlock it. Raises NotFound."""
        ...

    async def change_password(
        self, name: str, password_hash: str, *, before: str, keep: int, now: datetime, history: int
    ) -> int | None:
        """Put a password in the place of the one `before` and end all sessions but `keep`; return how many ended.

        None if the password is another by now.
        """
        ...

    async def old_passwords(self, name: str, most: int) -> Sequence[str]:
        """Return the hashes of the present password and of `most` before it."""
        ...

    async def propose_secret(self, name: str, secret: bytes) -> bool:
        """Keep a secret that no code has proved yet; False where one is enrolled."""
        ...

    async def proposed_secret(self, name: str) -> bytes | None:
        """Return it."""
        ...

    async def confirm_secret(
        self, name: str, secret: bytes, *, step: int, recovery: Sequence[bytes], session: int, now: datetime
    ) -> bool:
        """A code has proved it: enrol it, with fresh recovery codes; False if it was replaced meanwhile."""
        ...

    async def renew_recovery(self, name: str, recovery: Sequence[bytes]) -> None:
        """Put fresh recovery codes in the place of the old ones."""
        ...

    async def drop_secret(self, name: str) -> None:
        """Take the second factor away. Raises NotFound."""
        ...

    async def keep_attempt(self, state_hash: bytes, attempt: Attempt, *, now: datetime) -> None:
        """Keep a log-in that was sent to the identity provider."""
        ...

    async def take_attempt(self, state_hash: bytes) -> Attempt | None:
        """Use it up; None when it is unknown or used."""
        ...
