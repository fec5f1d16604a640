"""What a return teaches the dispatch directory (国办函〔2025〕66号): category × place → another department. Pure.

A return that the centre approved, or a ruling that named another department than the one that had returned the ticket,
is an example. Examples of the same change gather in one proposal to the directory's owner
(`hotline.store.proposals.propose`), who accepts it in a new version of the directory or dismisses it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from hotline import commands as c
from hotline.events import TicketEvent
from hotline.ids import TicketNumber
from hotline.ticket import Ticket


class Basis(StrEnum):
    """How it was found that another department is responsible."""

    RETURNED = "returned"
    RULED = "ruled"


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """One example: the ticket `number` of this category, kind and town belongs to `to_unit`, not to `from_unit`.

    `version` is the event's, so that the same event is never counted twice; `directory_version` is the one by which the
    ticket was dispatched, "" where a person chose. `town` is "" where the place was not known.
    """

    l1: str
    l2: str
    kind: str
    town: str
    from_unit: str
    to_unit: str
    directory_version: str
    number: TicketNumber
    version: int
    basis: Basis
    legal_basis: str
    at: datetime


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets of a category and kind at `town` ("" where unknown) belong to `to_unit`, not to `from_unit`.

    Attributes:
        state: open, accepted or dismissed; `decided_by` and `note` are of the directory's owner.
        count: how many tickets said so; `returned` of them by an approved return, `ruled` by arbitration.
        examples: their numbers, the newest first, at most 20. legal_basis: the last one given.
    """

    id: int
    l1: str
    l2: str
    kind: str
    town: str
    from_unit: str
    to_unit: str
    directory_version: str
    state: str
    first_at: datetime
    last_at: datetime
    count: int
    returned: int
    ruled: int
    examples: tuple[str, ...]
    legal_basis: str = ""
    decided_at: datetime | None = None
    decided_by: str = ""
    note: str = ""


def lessons_of(ticket: Ticket, event: TicketEvent) -> tuple[Lesson, ...]:
    """Return what an event teaches; `ticket` is the ticket after it. Without a category there is nothing to learn."""
    match event.fact:
        case c.ApproveReturn():
            to_unit, basis = ticket.suggested, Basis.RETURNED
        case c.Rule(lead=lead):
            to_unit, basis = lead, Basis.RULED
        case _:
            return ()
    if ticket.category is None or to_unit in ("", ticket.returned_by) or not ticket.returned_by:
        return ()
    return (Lesson(
        l1=ticket.category.l1, l2=ticket.category.l2, kind=ticket.kind, town=ticket.town, from_unit=ticket.returned_by,
        to_unit=to_unit, directory_version=ticket.directory_version, number=ticket.number, version=event.version,
        basis=basis, legal_basis=ticket.return_basis, at=event.at,
    ),)
