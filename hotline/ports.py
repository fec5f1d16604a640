"""Ports: what the use cases ask of the world. Only where two implementations exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from channels.message import Inbound, Outbound, Receipt
from hotline.appeal import Attachment, Triage
from hotline.effects import Effects
from hotline.errors import KeyReused
from hotline.events import TicketEvent
from hotline.ids import TicketId, TicketNumber
from hotline.opening import Change
from hotline.terms import Channel
from hotline.ticket import Ticket

Clock = Callable[[], datetime]
"""Returns the present moment with a zone; tests move it."""


class TriageBatch(Protocol):
    """Triages texts: the shipped pipeline, or a stand-in in tests. Called in the main thread, under a time limit."""

    def __call__(self, texts: Sequence[str], /) -> Sequence[Triage]:
        """Return one `Triage` per text, in order."""
        ...


class Sender(Protocol):
    """Sends messages to citizens on one channel; raises `hotline.errors.Unavailable` to be tried again."""

    def send(self, message: Outbound) -> Awaitable[None]:
        """Deliver `message`; a repeat with the same key must not reach the citizen twice."""
        ...


class Contains(Protocol):
    """Contains what marked contacts send (`hotline.containment.Containment`)."""

    def concerns(self, inbound: Inbound) -> bool:
        """Tell whether a message comes from a marked contact."""
        ...

    async def contain(self, inbound: Inbound, triage: Triage) -> tuple[Inbound, Triage]:
        """Return a message as intake should take it. Raises RateLimited for one too many."""
        ...


class NewTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket ready to be written, with the delivery that caused it and what it sets going."""

    id: TicketId
    code: str
    inbound: Inbound
    change: Change
    receipt: Receipt
    effects: Effects


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as read: its id and query code beside it."""

    id: TicketId
    code: str
    ticket: Ticket


Continue = Callable[[Ticket, TicketNumber | None], tuple[Change, Receipt, Effects]]
"""Decides how a further message changes a ticket; called with the ticket under its lock, and the number of the merged
ticket whose citizen speaks, None where it is the ticket's own."""

Decide = Callable[[Ticket], tuple[Change, Effects]]
"""Decides a command; called with the ticket under its lock."""


DecidePerhaps = Callable[[Ticket], tuple[Change, Effects] | None]
"""Decides what is to become of a ticket, None for nothing; called with the ticket under its lock."""

DecideFamily = Callable[[Ticket, Ticket], tuple[tuple[Change, Effects], tuple[Change, Effects]]]
"""Decides on a merged ticket and its parent together; called with both under their locks."""


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """An act that must count once: who, their key, and 16 bytes that change when what they ask for does."""

    unit: str
    key: str
    content_hash: bytes


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """What an act led to. `repeat`: it had been carried out before, nothing has changed now."""

    number: TicketNumber
    version: int
    state: str
    repeat: bool = False


class Files(Protocol):
    """What was uploaded (`hotline.store.uploads.Uploads`)."""

    async def attachment(self, key: str, now: datetime) -> Attachment:
        """Return what was stored under `key`, for somebody about to claim it. Raises NotFound."""
        ...


class TicketIntake(Protocol):
    """Where intake writes: PostgreSQL, or a store that fails on purpose in tests."""

    async def reserve(self, channels: Sequence[Channel], now: datetime) -> list[tuple[TicketId, TicketNumber]]:
        """Return an id and a number for each channel named."""
        ...

    async def open_batch(self, batch: Sequence[NewTicket]) -> Sequence[Receipt | KeyReused]:
        """Write new tickets in one transaction; repeats get their first receipt."""
        ...

    async def converse(self, inbound: Inbound, opened: NewTicket, continued: Continue) -> Receipt | KeyReused:
        """Add a message to its conversation's open ticket, or open the one prepared."""
        ...

    async def continue_named(self, inbound: Inbound, number: TicketNumber, continued: Continue) -> Receipt | KeyReused:
        """Add a message to the ticket that the citizen names. Raises NotFound, IllegalTransition (it is finished)."""
        ...


class TicketChanges(Protocol):
    """Where tickets are read and changed one at a time."""

    async def read(self, number: str) -> Stored:
        """Return a ticket. Raises NotFound."""
        ...

    async def history(self, id_: TicketId) -> list[TicketEvent]:
        """Return all events of a ticket in order."""
        ...

    async def change(self, number: str, decide: Decide, *, expected_version: int | None = None) -> Ticket:
        """Change a ticket under its lock. Raises NotFound, VersionConflict, and what `decide` raises."""
        ...

    async def change_perhaps(self, number: str, decide: DecidePerhaps) -> Ticket:
        """Change a ticket under its lock, or leave it as it is. Raises NotFound, and what `decide` raises."""
        ...

    async def read_id(self, id_: TicketId) -> Stored:
        """Return a ticket by its id. Raises NotFound."""
        ...

    async def change_family(
        self, number: str, parent: TicketId | None, decide: DecideFamily, *, expected_version: int | None = None
    ) -> Ticket:
        """Change a ticket and its parent (None: the one it has) in one transaction; return the ticket after it."""
        ...

    async def change_once(
        self, number: str, decide: Decide, *, once: Once, expected_version: int | None = None
    ) -> Acted:
        """Change a ticket under its lock unless this act was carried out before. Raises KeyReused too."""
        ...


class PendingIncident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that the desk has not answered yet. `attempts` counts this one too."""

    number: str
    payload: Mapping[str, Any]
    attempts: int


class DeskAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The 110 desk's answer: `incident` is its own number; a refusal carries its reason."""

    accepted: bool
    incident: str = ""
    reason: str = ""


class Desk(Protocol):
    """The 110 desk. Raises Unavailable when there is no answer to rely on."""

    async def push(self, key: str, payload: Mapping[str, Any]) -> DeskAnswer:
        """Push an incident; the desk makes one of all pushes with the same key."""
        ...


class JobRows(Protocol):
    """The rows behind the jobs."""

    async def begin_push(self, key: str, now: datetime) -> PendingIncident | None:
        """Count an attempt and return the incident, None if there is nothing left to push."""
        ...

    async def settle_push(self, key: str, state: str, desk_number: str, now: datetime) -> bool:
        """Record the desk's answer; False if it was settled before."""
        ...

    async def fail_push(self, key: str, error: str) -> None:
        """Record why an attempt failed."""
        ...

    async def incident(self, key: str) -> tuple[str, str]:
        """Return the ticket's number and the state of an incident. Raises NotFound."""
        ...

    async def silent(self, before: datetime) -> list[tuple[str, str]]:
        """Return key and ticket number of incidents created before a moment, unanswered and not alarmed yet."""
        ...

    async def mark_alarmed(self, key: str, now: datetime) -> bool:
        """Mark an incident's alarm as raised."""
        ...

    async def begin_send(self, key: str) -> tuple[Outbound, int] | None:
        """Count an attempt and return the message with its attempts, None if it is sent or given up."""
        ...

    async def settle_send(self, key: str, state: str, error: str, now: datetime) -> None:
        """Record that a message was sent, or given up and why."""
        ...

    async def fail_send(self, key: str, error: str) -> None:
        """Record why an attempt failed."""
        ...

    async def spare_send(self, key: str, error: str) -> None:
        """Give an attempt back that was only told to wait, and record why."""
        ...
