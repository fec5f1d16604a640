"""People and roles, as administrators handle them: whom one sets up, another lets in (三员分立).

The system administrator proposes an account and its role; it can do nothing. The security administrator grants the
role, which lets it in, resets passwords and factors, locks, and ends sessions. Nobody changes their own account so, and
the last security administrator cannot be locked out. Every act is audited in its own transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from agent_ui.account_ports import AccountStore, SessionRow
from agent_ui.accounts import Accounts, check_staff
from agent_ui.identity import Seat
from agent_ui.staff import Staff, StaffRole
from hotline.audit import Record
from hotline.errors import Forbidden, InvalidInput
from hotline.privacy import starred
from routing.queue_file import AgentPhone

PAGE = 200
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # pragma: allowlist secret
"""Without letters that are taken for digits: a given password is read out or copied by hand, once."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """An account as administrators see it.

    Attributes:
        active: may log in; wanted: the role that was proposed and is not granted yet.
        locked_until: after failures; endpoint, skills: the telephone, "" for none.
    """

    name: str
    display_name: str
    role: StaffRole
    department: str
    active: bool
    wanted: str
    created_at: datetime
    last_login_at: datetime | None
    password_changed_at: datetime
    must_change: bool
    enrolled: bool
    locked_until: datetime | None
    sessions: int
    endpoint: str = ""
    skills: dict[str, int] = {}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a person; what is None stays.

    Attributes:
        grant: role and department; end: end all sessions; password_hash: given by somebody else.
        lock: True locks, False unlocks. factor: take the second factor away. phone: where they are rung.
    """

    display_name: str | None = None
    grant: tuple[StaffRole, str] | None = None
    lock: bool | None = None
    password_hash: str | None = None
    phone: AgentPhone | None = None
    factor: bool = False
    end: bool = False


class PeopleStore(Protocol):
    """People in the database (`hotline.store.people`)."""

    async def people(
        self, *, now: datetime, idle_since: datetime, name: str = "", role: str = "", text: str = "", offset: int = 0,
        limit: int = PAGE,
    ) -> list[Person]:
        """Return people by their names."""
        ...

    async def change(self, name: str, change: Change, record: Record) -> int:
        """Carry a change out with its record; return how many sessions ended.

        Raises:
            NotFound; RuleViolation where nobody of a role that is needed would be left.
        """
        ...


class NewPerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to set up, and as what; a security administrator grants the role."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    display_name: Annotated[str, Meta(min_length=1, max_length=64)]
    role: StaffRole
    department: Annotated[str, Meta(max_length=64)] = ""


class People:
    """What administrators do with people."""

    def __init__(self, store: PeopleStore, accounts: Accounts, *, units: Callable[[], Collection[str]]) -> None:
        """`units`: departments there are, by the directory in force."""
        self._store, self._accounts, self._units = store, accounts, units

    @property
    def _book(self) -> AccountStore:
        return self._accounts.store

    async def people(self, *, role: str = "", text: str = "", offset: int = 0, name: str = "") -> list[Person]:
        """Return people by their names, at most `PAGE`."""
        now = self._accounts.clock()
        idle = now - self._accounts.policy.idle
        return await self._store.people(now=now, idle_since=idle, name=name, role=role, text=text, offset=offset)

    async def propose(self, seat: Seat, new: NewPerson) -> Person:
        """Set an account up that cannot log in yet. Raises InvalidInput."""
        staff = Staff(name=new.name, display_name=new.display_name, role=new.role, department=new.department)
        self._check(staff)
        unknown = await self._accounts.passwords.hashed(secrets.token_urlsafe(32))
        await self._book.add_staff(
            staff, unknown, now=self._accounts.clock(), must_change=True, active=False, wanted=new.role
        )
        await self._store.change(new.name, Change(), self._record(seat, "person.propose", new.name, role=new.role))
        return (await self.people(name=new.name))[0]

    async def rename(self, seat: Seat, name: str, display_name: str) -> None:
        """Change what colleagues see. Raises NotFound."""
        await self._store.change(
            name, Change(display_name=display_name), self._record(seat, "person.rename", name)
        )

    async def give_phone(self, seat: Seat, name: str, phone: AgentPhone) -> None:
        """Say where an agent is rung, and what they know. Raises NotFound."""
        await self._store.change(
            name, Change(phone=phone), self._record(seat, "person.phone", name, endpoint=phone.endpoint)
        )

    async def grant(self, seat: Seat, name: str, role: StaffRole, department: str) -> int:
        """Let somebody in with a role; their sessions end. Raises NotFound, InvalidInput, Forbidden, RuleViolation."""
        _not_oneself(seat, name)
        self._check(Staff(name=name, display_name=name, role=role, department=department))
        return await self._store.change(
            name, Change(grant=(role, department), end=True),
            self._record(seat, "person.grant", name, role=role, department=department),
        )

    async def lock(self, seat: Seat, name: str, *, reason: str, locked: bool) -> int:
        """Lock somebody out at once, or let them in again. Raises NotFound, Forbidden, RuleViolation."""
        _not_oneself(seat, name)
        act = "person.lock" if locked else "person.unlock"
        return await self._store.change(
            name, Change(lock=locked, end=locked), self._record(seat, act, name, reason=starred(reason))
        )

    async def reset_password(self, seat: Seat, name: str) -> str:
        """Return a new password, which must be changed at the first log-in; sessions end. Raises as `lock`."""
        _not_oneself(seat, name)
        given = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
        hashed = await self._accounts.passwords.hashed(given)
        await self._store.change(
            name, Change(password_hash=hashed, end=True), self._record(seat, "person.reset_password", name)
        )
        return given

    async def reset_factor(self, seat: Seat, name: str) -> None:
        """Take a lost second factor away; sessions end. Raises as `lock`."""
        _not_oneself(seat, name)
        await self._store.change(
            name, Change(factor=True, end=True), self._record(seat, "person.reset_second_factor", name)
        )

    async def sessions(self, name: str) -> list[SessionRow]:
        """Return somebody's sessions."""
        return await self._book.sessions(name, now=self._accounts.clock(), idle=self._accounts.policy.idle)

    async def end_sessions(self, seat: Seat, name: str) -> int:
        """End all of somebody's sessions; their consoles are disconnected. Returns how many. Raises NotFound."""
        return await self._store.change(name, Change(end=True), self._record(seat, "person.end_sessions", name))

    def _check(self, staff: Staff) -> None:
        check_staff(staff)
        if staff.department and staff.department not in self._units():
            raise InvalidInput(f"{staff.department} is no unit of the dispatch directory")

    def _record(self, seat: Seat, act: str, subject: str, **detail: str) -> Record:
        actor = f"{seat.staff.role}:{seat.staff.name}"
        return Record(at=self._accounts.clock(), actor=actor, act=act, subject=subject, detail=detail)


def _not_oneself(seat: Seat, name: str) -> None:
    if name == seat.staff.name:
        raise Forbidden("nobody changes their own rights or locks; another security administrator does it")
