"""Malicious nuisance (恶意骚扰): how a marked contact is contained, and what is kept of it as evidence. Pure.

Nothing vanishes. What such a contact tells is triaged like anything else, and what might be danger passes untouched.
The rest waits at the lowest priority for a person; beyond a rate it joins the contact's open ticket, and beyond that
it is refused with words and kept as evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from agent_ui.masking import mask_key, masked
from channels.message import Inbound
from hotline import commands as c
from hotline.appeal import Attachment, Evidence, Triage
from hotline.events import Receive, TicketEvent
from hotline.particulars import who
from hotline.terms import Channel, Priority, RejectReason, Verdict

HOUR = timedelta(hours=1)
MOST_SHOWN = 200
"""[P] Contacts, calls and tickets of a case that a page shows; the bundle has them all."""
LEAD = "nuisance_lead"
"""The alarm that stands until a supervisor has handed to the police what the citizen was told goes there."""
_NAMES_THEM = frozenset({Channel.CALL, Channel.WECHAT})
"""Channels that say by themselves who sends; the telephone that is told there may be anybody's."""


class Outcome(StrEnum):
    """What was done with a message of a marked contact."""

    PASSED = "passed"
    CONTAINED = "contained"
    FOLDED = "folded"
    REFUSED = "refused"


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """[P] Messages of a marked contact in an hour: tickets of their own, then joined to one, then refused."""

    tickets: int = 2
    messages: int = 10


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A contact that a supervisor has marked; in force until `until` or until it is lifted."""

    id: int
    contact: str
    reason: str
    marked_by: str
    marked_at: datetime
    until: datetime
    lifted_by: str = ""
    lifted_at: datetime | None = None
    lift_reason: str = ""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Who marked, lifted or bundled what, for the audit."""

    at: datetime
    actor: str
    act: str
    contact: str
    detail: str


class Recent(msgspec.Struct, frozen=True, kw_only=True):
    """A contact's last hour: messages taken, and the ticket that the last of them is in, "" for none that is open.

    `before` is what was done with this very delivery when it came the first time, None if it is new.
    """

    messages: int
    number: str = ""
    before: Outcome | None = None


class Contacted(msgspec.Struct, frozen=True, kw_only=True):
    """One contact as evidence: when, how, what was said, what was done, in which ticket."""

    at: datetime
    channel: str
    outcome: str
    number: str
    text: str


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """A call of the contact that an agent took, and whether its recording is still there."""

    id: str
    at: datetime
    recorded: bool


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is kept of a contact: marks, acts, contacts, tickets with all their events, files, and recordings
    of calls; `names` by which they called themselves, to be hidden where the case is only looked at."""

    contact: str
    marks: tuple[Mark, ...]
    acts: tuple[Act, ...]
    contacts: tuple[Contacted, ...]
    tickets: dict[str, list[Any]]
    files: tuple[Attachment, ...] = ()
    recordings: tuple[Attachment, ...] = ()
    calls: tuple[Called, ...] = ()
    names: tuple[str, ...] = ()


class CaseShown(msgspec.Struct, frozen=True, kw_only=True):
    """A case to look at, masked: the newest of its `total` contacts and of its calls, and how often lately of at least
    how often a mark needs."""

    contact: str
    total: int
    lately: int
    least: int
    marks: tuple[Mark, ...]
    acts: tuple[Act, ...]
    contacts: tuple[Contacted, ...]
    calls: tuple[Called, ...]
    tickets: tuple[str, ...]
    files: int


def lead_of(command: c.Command) -> tuple[c.Command, ...]:
    """Return what a rejection as malicious nuisance leads to: a supervisor hands the lead to the police (公安)."""
    if isinstance(command, c.Reject) and command.reason is RejectReason.NUISANCE:
        return (c.RaiseAlarm(alarm=LEAD, detail="以恶意骚扰不予受理,请固定证据并将线索移交公安机关"),)
    return ()


def contact_of(inbound: Inbound) -> str:
    """Return what a message's sender is known by, "" for somebody unknown or who names a ticket by its code."""
    citizen = inbound.appeal.citizen
    return citizen.phone or citizen.key


def sender_of(events: Sequence[TicketEvent]) -> str:
    """Return what the sender of a ticket goes on to be known by, "" for somebody unknown or erased.

    Of a call that is the number it came from, whatever number was told in it or put right after it.
    """
    receipt = events[0].fact
    if isinstance(receipt, Receive) and receipt.channel in _NAMES_THEM and receipt.appeal.citizen.key:
        return receipt.appeal.citizen.key
    citizen = who(events)
    return citizen.phone or citizen.key


def judge(triage: Triage, recent: Recent, rates: Rates) -> Outcome:
    """Return what to do with a message of a marked contact: danger first, and a repeat gets what it got."""
    if triage.verdict is not Verdict.NON_EMERGENCY:
        return Outcome.PASSED
    if recent.before is not None:
        return recent.before
    if recent.messages < rates.tickets:
        return Outcome.CONTAINED
    if recent.messages < rates.messages:
        return Outcome.FOLDED if recent.number else Outcome.CONTAINED
    return Outcome.REFUSED


def contained(triage: Triage) -> Triage:
    """Return the triage of a contained message: last in line, for a person, and saying why."""
    why = Evidence(rule="nuisance", text="该联系人已被标记为恶意骚扰")
    return msgspec.structs.replace(
        triage, priority=Priority.P3, needs_person=True, sure=False, evidence=(*triage.evidence, why)
    )


def in_force(marks: Sequence[Mark], contact: str, now: datetime) -> Mark | None:
    """Return the mark of a contact that holds now."""
    return next(
        (mark for mark in marks if mark.contact == contact and mark.lifted_at is None and now < mark.until), None
    )


def mark_shown(mark: Mark) -> Mark:
    """Return a mark as a list shows it: masked."""
    return msgspec.structs.replace(masked(mark), contact=mask_key(mark.contact))


def case_shown(case: Case, *, lately: int, least: int) -> CaseShown:
    """Return a case as a page shows it: masked, the newest first."""
    contact = mask_key(case.contact)
    newest = sorted(case.contacts, key=lambda one: one.at, reverse=True)
    return CaseShown(
        contact=contact, total=len(newest), lately=lately, least=least,
        marks=tuple(mark_shown(mark) for mark in reversed(case.marks)),
        acts=tuple(msgspec.structs.replace(masked(act), contact=contact) for act in reversed(case.acts)),
        contacts=tuple(masked(one, *case.names) for one in newest[:MOST_SHOWN]),
        calls=case.calls[::-1][:MOST_SHOWN], tickets=tuple(case.tickets)[::-1][:MOST_SHOWN], files=len(case.files),
    )
