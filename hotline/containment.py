"""Marked contacts: contained at intake, marked and lifted by supervisors, bundled as evidence for the police."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import structlog

from agent_ui.staff import Staff, StaffRole
from channels.message import Inbound
from channels.phone_number import normalize_phone
from hotline.appeal import Triage
from hotline.errors import Forbidden, InvalidInput, NotFound, RateLimited, RuleViolation
from hotline.ids import TicketNumber
from hotline.nuisance import (
    HOUR,
    Act,
    Case,
    CaseShown,
    Mark,
    Outcome,
    Rates,
    Recent,
    case_shown,
    contact_of,
    contained,
    judge,
    mark_shown,
)
from hotline.ports import Clock

log = structlog.get_logger(__name__)
LEAST_CONTACTS = 3
"""[P] Contacts within `LOOK_BACK` before somebody can be marked: one call is no nuisance."""
LOOK_BACK = timedelta(days=30)
MAX_DAYS = 90
KEPT = timedelta(days=730)
"""[P] How far back a bundle reaches: as long as recordings are kept."""
_TOLD = "您近期来访过于频繁,本条已记录在案。如遇危险请立即拨打110、119、120;其他诉求请稍后再试。"


class NuisanceRows(Protocol):
    """Where marks, contacts and acts are kept (`hotline.store.nuisance.NuisanceStore`)."""

    async def in_force(self, now: datetime) -> list[Mark]:
        """Return the marks that hold now."""
        ...

    async def marks(self) -> list[Mark]:
        """Return all marks, the newest first."""
        ...

    async def recent(self, contact: str, since: datetime, inbound: Inbound) -> Recent:
        """Return what the contact did since a moment."""
        ...

    async def note(self, contact: str, inbound: Inbound, outcome: Outcome, now: datetime) -> None:
        """Keep a contact as evidence."""
        ...

    async def count(self, contact: str, since: datetime) -> int:
        """Return how many tickets, messages and calls of a contact there were since a moment."""
        ...

    async def mark(self, contact: str, reason: str, *, actor: str, now: datetime, until: datetime) -> Mark:
        """Mark a contact. Raises RuleViolation where it is marked."""
        ...

    async def lift(self, mark: str | int, reason: str, *, actor: str, now: datetime) -> Mark | None:
        """Lift a mark, named by its contact or its id; None where there is none."""
        ...

    async def case(self, contact: str, since: datetime) -> Case:
        """Return everything that is kept of a contact."""
        ...

    async def contact_of(self, *, number: str = "", id_: int | None = None) -> str:
        """Return whom a ticket or a mark is about, "" where that is not known."""
        ...

    async def act(self, act: Act) -> None:
        """Keep an act for the audit."""
        ...


class Containment:
    """What intake asks of marked contacts. The marks are kept in memory; `reload` when they change."""

    def __init__(self, rows: NuisanceRows, *, clock: Clock, rates: Rates = Rates()) -> None:
        self._rows, self._clock, self._rates = rows, clock, rates
        self._marks: dict[str, Mark] = {}

    async def reload(self) -> None:
        """Read the marks in force anew."""
        self._marks = {mark.contact: mark for mark in await self._rows.in_force(self._clock())}

    def mark_of(self, contact: str) -> Mark | None:
        """Return the mark of a contact (a phone in E.164 form) that holds now; queues of calls ask too."""
        mark = self._marks.get(contact)
        return mark if mark is not None and self._clock() < mark.until else None

    def concerns(self, inbound: Inbound) -> bool:
        """Tell whether a message comes from a marked contact."""
        return bool(self._marks) and self.mark_of(contact_of(inbound)) is not None

    async def contain(self, inbound: Inbound, triage: Triage) -> tuple[Inbound, Triage]:
        """Return a marked contact's message as intake should take it. Raises RateLimited for one too many.

        If the evidence cannot be kept the message passes: a nuisance is better than a lost appeal.
        """
        contact, now = contact_of(inbound), self._clock()
        try:
            recent = await self._rows.recent(contact, now - HOUR, inbound)
            outcome = judge(triage, recent, self._rates)
            if recent.before is None:
                await self._rows.note(contact, inbound, outcome, now)
        except Exception:  # see above: whatever fails here lets the message pass
            log.exception("containment_failed", channel=inbound.channel)
            return inbound, triage
        match outcome:
            case Outcome.PASSED:
                return inbound, triage
            case Outcome.REFUSED:
                raise RateLimited(_TOLD, retry_after=int(HOUR.total_seconds()))
            case Outcome.FOLDED if recent.number:
                return msgspec.structs.replace(inbound, continues=TicketNumber(recent.number)), contained(triage)
            case _:
                return msgspec.structs.replace(inbound, category=None), contained(triage)  # a person decides on it


class NuisanceDesk:
    """What supervisors ask. Marks come back masked: who is meant in full stands in the bundle, kept with a reason."""

    def __init__(
        self, rows: NuisanceRows, containment: Containment, *, clock: Clock, bundle: Callable[[Case, Act], bytes]
    ) -> None:
        """`bundle` packs a case; it reads files, so call `evidence` off the hot path."""
        self._rows, self._containment, self._clock, self._bundle = rows, containment, clock, bundle

    async def marks(self, staff: Staff) -> list[Mark]:
        """Return all marks, the newest first."""
        _check(staff)
        return [mark_shown(mark) for mark in await self._rows.marks()]

    async def case(self, staff: Staff, *, id_: int | None = None, number: str = "") -> CaseShown:
        """Return what is kept of whom a mark or a ticket is about, to look at. Raises Forbidden, NotFound."""
        _check(staff)
        contact, now = await self._named(id_=id_, number=number), self._clock()
        lately = await self._rows.count(contact, now - LOOK_BACK)
        return case_shown(await self._rows.case(contact, now - KEPT), lately=lately, least=LEAST_CONTACTS)

    async def mark(self, staff: Staff, contact: str, reason: str, *, days: int = 30, number: str = "") -> Mark:
        """Mark a contact, or whom a ticket is about, for some days.

        Raises:
            Forbidden: not a supervisor. InvalidInput: no reason, or no such time. NotFound: no such ticket.
            RuleViolation: it is marked already, or has not been in touch often enough.
        """
        _check(staff)
        contact, now = await self._named(contact, number=number), self._clock()
        if not reason.strip() or not 1 <= days <= MAX_DAYS:
            raise InvalidInput(f"a mark has a reason, and holds for 1 to {MAX_DAYS} days")
        if (found := await self._rows.count(contact, now - LOOK_BACK)) < LEAST_CONTACTS:
            raise RuleViolation(
                f"{found} contacts in {LOOK_BACK.days} days are no repeated nuisance: at least {LEAST_CONTACTS}"
            )
        mark = await self._rows.mark(
            contact, reason.strip(), actor=staff.name, now=now, until=now + timedelta(days=days)
        )
        await self._containment.reload()
        return mark_shown(mark)

    async def lift(self, staff: Staff, contact: str, reason: str, *, id_: int | None = None) -> Mark:
        """Lift a mark, named by its contact or its id.

        Raises:
            Forbidden, InvalidInput (no reason; both or neither of contact and id), NotFound.
        """
        _check(staff)
        if not reason.strip():
            raise InvalidInput("lifting a mark needs a reason")
        if (id_ is None) == (not contact):
            raise InvalidInput("name the mark by its contact or by its id, one of the two")
        named = as_contact(contact) if id_ is None else id_
        mark = await self._rows.lift(named, reason.strip(), actor=staff.name, now=self._clock())
        if mark is None:
            raise NotFound("this contact is not marked")
        await self._containment.reload()
        return mark_shown(mark)

    async def evidence(
        self, staff: Staff, contact: str, reason: str, *, id_: int | None = None, number: str = ""
    ) -> tuple[Case, Act]:
        """Return what is kept of a contact, or of whom a mark or a ticket is about, for `pack`.

        Who asked and why is kept.

        Raises:
            Forbidden, InvalidInput (no reason), NotFound (nothing is kept).
        """
        _check(staff)
        contact, now = await self._named(contact, id_=id_, number=number), self._clock()
        if not reason.strip():
            raise InvalidInput("a bundle of evidence needs a reason")
        case = await self._rows.case(contact, now - KEPT)
        if not case.contacts and not case.marks:
            raise NotFound("nothing is kept of this contact")
        act = Act(at=now, actor=staff.name, act="bundled", contact=contact, detail=reason.strip())
        await self._rows.act(act)
        return case, act

    def pack(self, case: Case, act: Act) -> bytes:
        """Return the bundle as a zip; reads files, so call it in a thread."""
        return self._bundle(case, act)

    async def _named(self, contact: str = "", *, id_: int | None = None, number: str = "") -> str:
        if bool(contact) + bool(number) + (id_ is not None) != 1:
            raise InvalidInput("name somebody in one way: by the contact, a ticket's number, or the mark's id")
        found = as_contact(contact) if contact else await self._rows.contact_of(number=number, id_=id_)
        if not found:
            raise NotFound("there is no such mark or ticket, or nothing is left of whom it is about")
        return found


def as_contact(text: str) -> str:
    """Return a contact as it is kept: a phone in E.164 form, any other key as it is. Raises InvalidInput."""
    text = text.strip()
    if not 1 <= len(text) <= 200:
        raise InvalidInput("name the contact: a phone, or the key by which a channel knows the citizen")
    try:
        return normalize_phone(text) or text
    except InvalidInput:
        return text


def _check(staff: Staff) -> None:
    if staff.role is not StaffRole.SUPERVISOR:
        raise Forbidden("contacts are marked, lifted and bundled by supervisors")
