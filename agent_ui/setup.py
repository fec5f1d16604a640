"""What administrators see of how the house is set up: words, figures in force, days off, models, who may do what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from agent_ui.staff import StaffRole
from hotline.audit import Kept, Record
from routing.queue_file import AgentPhone
from routing.queue_plan import Centre


class CategoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A second-level category, with the units that lead it in the directory in force."""

    code: str
    l1: str
    l1_name: str
    l2: str
    leads: tuple[str, ...]


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """A figure in force: in which group, what it is called, its value for people, and where it is set."""

    group: str
    name: str
    value: str
    source: str


class DayOff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day that is not what its weekday says: a holiday (`off`) or a make-up working day."""

    day: date
    off: bool
    name: Annotated[str, Meta(max_length=40)] = ""


class Days(msgspec.Struct, frozen=True, kw_only=True):
    """A year: days that differ from their weekday, which of them were set here, and whether the year is announced."""

    year: int
    announced: bool
    days: tuple[DayOff, ...]
    own: tuple[DayOff, ...]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model's version and its card (Markdown)."""

    place: str
    version: str
    encoder: str
    card: str


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """The shadow beside the present model over the same texts (`triage.shadow.Comparison`)."""

    texts: int
    same_category: int
    same_verdict: int
    dispatched: tuple[int, int]
    alarms: tuple[int, int]
    judged: tuple[int, int, int]
    pairs: tuple[tuple[str, str, int], ...]


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """All models that are here; `compared` where a shadow judges beside the present one."""

    models: tuple[Model, ...]
    compared: Compared | None = None


class QueuesInForce(msgspec.Struct, frozen=True, kw_only=True):
    """How the telephone serves and who knows what; `version` is 0 where nothing was set up."""

    version: int
    centre: Centre
    agents: dict[str, AgentPhone]


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """Who may use a route, or ask something at a console."""

    what: str
    door: str
    roles: tuple[StaffRole, ...]


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Records, the newest first; `next` is `before` of the page after, "" on the last."""

    records: list[Kept]
    next: str = ""


class AuditState(msgspec.Struct, frozen=True, kw_only=True):
    """The chain: how long it is, its head, what waits to be chained, and the first fault found."""

    links: int
    rows: int
    head: str
    waiting: int
    fault: str = ""


class Calendars(Protocol):
    """Days set here (`hotline.store.calendars.CalendarStore`)."""

    async def days(self) -> list[DayOff]:
        """Return all of them."""
        ...

    async def put(self, days: list[DayOff], *, year: int, record: Record, now: datetime) -> None:
        """Put these in the place of all of a year."""
        ...
