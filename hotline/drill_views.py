"""What stands behind a number, as it is handed out: pages of tickets and calls, the heat map, what citizens wrote."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

SummaryJson = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/Summary"})]


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket behind a figure: its row, and how often it is counted."""

    row: SummaryJson
    times: int


class DrillPage(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets behind a figure, the newest first.

    Attributes:
        total: the figure itself; the `times` of all pages add up to it.
        listed: how much this page and those before it add up to.
        next: cursor of the page after, "" on the last.
    """

    total: int
    listed: int
    tickets: tuple[Behind, ...]
    next: str = ""


class RowPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of tickets, the newest first; `next` asks for the page after, "" on the last."""

    rows: tuple[SummaryJson, ...]
    next: str = ""


class CallSide(StrEnum):
    """Which calls: of those that asked for an agent all, or the ones that had this end."""

    ASKED = "asked"
    ANSWERED = "answered"
    QUICK = "quick"
    SLOW = "slow"
    ABANDONED = "abandoned"
    MISSED = "missed"
    CALLED_BACK = "called_back"
    OWED = "owed"


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """A call; `caller` is masked. `wait` in seconds, `callback` the state of what is owed, `number` its ticket's."""

    id: str
    caller: str
    agent: str
    skill: str
    asked_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    abandoned: bool
    wait: float | None
    callback: str = ""
    number: str = ""


class CallPage(msgspec.Struct, frozen=True, kw_only=True):
    """Calls, the newest first; `next` is the moment to ask for the page after, "" on the last."""

    calls: tuple[CallRow, ...]
    next: str = ""


class Cell(msgspec.Struct, frozen=True):
    """Appeals of a town about a category; "" where it was not told."""

    town: str
    category: str
    appeals: int


class Named(msgspec.Struct, frozen=True):
    """A category's code and what people call it."""

    code: str
    name: str


class Heat(msgspec.Struct, frozen=True, kw_only=True):
    """Towns × categories of a time. `categories` are the first levels, or the second ones of `l1`, in their order."""

    first: date
    last: date
    l1: str
    categories: tuple[Named, ...]
    towns: tuple[str, ...]
    cells: tuple[Cell, ...]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a citizen wrote, personal data masked, with the ticket's row."""

    number: str
    text: str
    row: SummaryJson


class ToldList(msgspec.Struct, frozen=True, kw_only=True):
    """What citizens wrote."""

    texts: tuple[Told, ...]
