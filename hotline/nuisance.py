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

from channels.message import Inbound
from hotline import commands as c
from hotline.appeal import Attachment, Evidence, Triage
from hotline.terms import Priority, RejectReason, Verdict

HOUR = timedelta(hours=1)
LEAD = "nuisance_lead"
"""The alarm that stands until a supervisor has handed to the police what the citizen was told goes there."""


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


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is kept of a contact: marks, acts, contacts, tickets with all their events, files, and recordings
    of calls."""

    contact: str
    marks: tuple[Mark, ...]
    acts: tuple[Act, ...]
    contacts: tuple[Contacted, ...]
    tickets: dict[str, list[Any]]
    files: tuple[Attachment, ...] = ()
    recordings: tuple[Attachment, ...] = ()


def lead_of(command: c.Command) -> tuple[c.Command, ...]:
    """Return what a rejection as malicious nuisance leads to: a supervisor hands the lead to the police (公安)."""
    if isinstance(command, c.Reject) and command.reason is RejectReason.NUISANCE:
        return (c.RaiseAlarm(alarm=LEAD, detail="以恶意骚扰不予受理,请固定证据并将线索移交公安机关"),)
    return ()


def contact_of(inbound: Inbound) -> str:
    """Return what a message's sender is known by, "" for somebody unknown or who names a ticket by its code."""
    citizen = inbound.appeal.citizen
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
