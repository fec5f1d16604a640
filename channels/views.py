"""What channels are shown of the core's state: progress, public tickets, chat lines. Frozen values."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from hotline.appeal import Category
from hotline.ids import DepartmentCode, TicketNumber
from hotline.terms import Rating, Service, State, Verdict


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, as the citizen may see it: no names, no internal notes.

    `kind` is the event's type (`dispatch`), for who words the title in another language.
    """

    at: datetime
    title: str
    text: str = ""
    kind: str = ""


class CitizenAct(StrEnum):
    """What a citizen may do with a ticket by number and code."""

    SUPPLEMENT = "supplement"
    URGE = "urge"
    WITHDRAW = "withdraw"
    RATE = "rate"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How a ticket stands, for who has its number and code. No personal data.

    Attributes:
        status: a `hotline.terms.State` value; `status_label` is its Chinese word.
        category: name of the second level, "" while a person decides; likewise `department`.
        steps: oldest first.
        public_reply: the answer to the citizen, "" until there is one.
        may: what the citizen may do now; `rating` is what they have said of the answer.
        urge_from: when a matter that was urged lately may be urged again, None where it may at once, or is over.
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
    may: tuple[CitizenAct, ...] = ()
    rating: Rating | None = None
    urge_from: datetime | None = None


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

    Confidential tickets, 举报 and emergencies are never public. `closed` says whether the matter is finished: a merged
    ticket stands as the one in which its matter is handled.
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


class ChatPhase(StrEnum):
    """How a chat stands with the people who answer it."""

    WAITING = "waiting"
    WITH_AGENT = "with_agent"
    HANDLED = "handled"
    OVER = "over"


class ChatStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How a chat stands; `ahead` counts the chats that wait before it (0 unless it waits, 1000 and more as 1000)."""

    session: str
    phase: ChatPhase
    ahead: int = 0


class SimilarReport(msgspec.Struct, frozen=True, kw_only=True):
    """An open public report that may be about the same thing. No word of its citizens.

    Attributes:
        town, spot, matter: as recognised from the city's own lists of places and matters, "" where not told.
        category: name of the second level, "" while a person decides; likewise `department`.
        people: how many citizens have told it, at least 1.
        reasons: why it may be the same; only words that the asking citizen used too.
    """

    number: TicketNumber
    town: str
    spot: str
    matter: str
    category: str
    department: DepartmentCode
    status: State
    status_label: str
    requested_at: datetime
    people: int
    reasons: tuple[str, ...] = ()


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What can be told of an appeal before it is sent.

    Attributes:
        danger: services to call at once where the words tell of danger, else empty.
        towns: towns that the words name; `category` is the likeliest second level, "" where unsure.
        reports: similar open reports, the likeliest first.
    """

    danger: tuple[Service, ...] = ()
    towns: tuple[str, ...] = ()
    category: str = ""
    reports: tuple[SimilarReport, ...] = ()
