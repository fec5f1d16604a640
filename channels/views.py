"""What channels are shown of the core's state: progress, public tickets, chat lines. Frozen values."""

from __future__ import annotations

from datetime import datetime

import msgspec

from hotline.appeal import Category
from hotline.ids import DepartmentCode, TicketNumber
from hotline.terms import State, Verdict


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, as the citizen may see it: no names, no internal notes."""

    at: datetime
    title: str
    text: str = ""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How a ticket stands, for who has its number and code. No personal data.

    Attributes:
        status: a `hotline.terms.State` value; `status_label` is its Chinese word.
        category: name of the second level, "" while a person decides; likewise `department`.
        steps: oldest first.
        public_reply: the answer to the citizen, "" until there is one.
    """

    number: TicketNumber
    status: State
    status_label: str
    verdict: Verdict
    category: str
    department: DepartmentCode
    expected_by: datetime | None
    steps: tuple[Step, ...] = ()
    public_reply: str = ""


class RequestFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which public tickets to list; empty fields do not narrow.

    Attributes:
        numbers: exactly these; the other fields but `limit` are then ignored.
        categories: pairs of first-level code and second-level name, as in `Category`.
        start, end: bounds of the time of receipt, start included, end excluded.
        closed: True closed ones only, False open ones only.
    """

    numbers: tuple[TicketNumber, ...] = ()
    categories: tuple[tuple[str, str], ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    closed: bool | None = None
    limit: int = 50
    offset: int = 0


class PublicTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as anybody may see it. No text, address, title or coordinates: they can name a person.

    Confidential tickets, 举报 and emergencies are never public. `closed` says whether the matter is finished.
    """

    number: TicketNumber
    status: State
    closed: bool
    category: Category | None
    department: DepartmentCode
    town: str
    requested_at: datetime
    updated_at: datetime
    expected_by: datetime | None = None
    public_reply: str = ""


class ChatLine(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered line of a chat. `seq` counts from 1 within the session, without gaps.

    `key` is the line's idempotency key within the session; `author` is `citizen` or `hotline`.
    """

    session: str
    seq: int
    key: str
    author: str
    text: str
    at: datetime
