"""What gateway and log-in ask of the world. Edges never import each other: the store fulfils this, wiring joins.

Times are the caller's, except leases: those are counted by the database's clock, which all gateways share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from agent_ui.presence import NotReadyReason, Presence, PresenceState
from agent_ui.protocol import Search, TakeSnapshot
from agent_ui.staff import Staff
from channels.message import Inbound, Receipt
from hotline import commands as c
from hotline.events import Actor, TicketEvent
from hotline.feed import FeedEvent
from hotline.hotspot import HotSpot
from hotline.ids import TicketId
from hotline.summary import Summary
from hotline.ticket import Ticket
from routing.call_orders import CallOrder


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a list as JSON, newest first. They contain every event up to `seq`; `next` asks for the page after."""

    seq: int
    rows: tuple[msgspec.Raw, ...]
    next: str = ""


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """Events of the log, in order; nothing else up to `through` concerns the topics asked for."""

    events: tuple[FeedEvent, ...]
    through: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket with its row and its events after some version."""

    id: TicketId
    ticket: Ticket
    summary: Summary
    events: tuple[TicketEvent, ...]


class Relatives(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets that belong to one: its parent's number, rows of what is merged into it, rows of the same citizen's."""

    parent: str = ""
    children: tuple[msgspec.Raw, ...] = ()
    related: tuple[msgspec.Raw, ...] = ()


class FindRelatives(Protocol):
    """Finds the tickets that belong to one (`hotline.store.relatives.RelativesStore`)."""

    async def __call__(self, id_: TicketId, *, department: str = "") -> Relatives:
        """Return them; for a department of the related ones only its own, and none that would tell whose it is."""
        ...


class SimilarRow(Protocol):
    """A ticket that may be about the same thing (`hotline.store.likeness.Similar`)."""

    @property
    def number(self) -> str:
        """Return its number."""
        ...

    @property
    def summary(self) -> msgspec.Raw:
        """Return its row."""
        ...

    @property
    def score(self) -> float:
        """Return the log odds that both are about one thing."""
        ...

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why, for people."""
        ...


class LikenessStore(Protocol):
    """Proposals to merge and hot spots (`hotline.store.likeness.LikenessStore`)."""

    async def similar(self, number: str) -> Sequence[SimilarRow]:
        """Return open tickets that may be about the same thing, likeliest first."""
        ...

    async def dismiss(self, number: str, other: str, *, by: str, now: datetime) -> bool:
        """Note that two tickets are about two things; False if that was not proposed."""
        ...

    async def hotspots(self, now: datetime, *, limit: int = 100) -> list[HotSpot]:
        """Return the active hot spots and those that ended within a day."""
        ...


class EventFeed(Protocol):
    """The event log as it grows (`hotline.store.tail.Tail`)."""

    async def next(self) -> Sequence[FeedEvent]:
        """Return the next events in order, at least one, as soon as there are any."""
        ...

    def skip_to(self, position: int) -> None:
        """Go on after `position`, also while `next` waits."""
        ...

    async def rest(self, until: asyncio.Event) -> None:
        """Read nothing until the event is set."""
        ...


class ConsoleStore(Protocol):
    """What consoles read, and presence (`hotline.store.console.ConsoleStore`). Raises Unavailable."""

    async def horizon(self) -> int:
        """Return the end of the readable log."""
        ...

    async def count_after(self, seq: int, *, limit: int) -> int:
        """Return how many ticket events come after `seq`, at most `limit`."""
        ...

    async def replay(self, after: int, topics: Collection[str], *, limit: int) -> Missed:
        """Return the next events of these topics after `after`, at most `limit`."""
        ...

    async def snapshot(self, asked: TakeSnapshot) -> Page:
        """Return a page of a topic's list. Raises InvalidInput for a made-up cursor."""
        ...

    async def find(self, number: str, *, since_version: int = 0) -> Found:
        """Return a ticket. Raises NotFound."""
        ...

    async def follow_ups(self, staff: str, *, now: datetime, limit: int) -> list[tuple[str, int, bool]]:
        """Return number, version and whether they have it, of tickets whose follow-up is due: theirs first."""
        ...

    async def search(self, asked: Search, *, department: str = "") -> Page:
        """Return what a search finds, of one department only where given. Raises InvalidInput."""
        ...

    async def set_presence(
        self, staff: str, state: PresenceState, reason: NotReadyReason | None, *, now: datetime, lease: float
    ) -> Presence:
        """Change somebody's presence and tell it. Raises InvalidInput, IllegalTransition."""
        ...

    async def force_presence(
        self, staff: str, state: PresenceState, reason: NotReadyReason | None, *, by: str, now: datetime
    ) -> Presence:
        """Change the presence of somebody else, who is not offline. Raises InvalidInput, IllegalTransition."""
        ...

    async def keep_leases(self, seconds: Mapping[str, float], *, lease: float) -> None:
        """Lengthen leases to at least so many seconds from now; set offline, and tell it, whose lease ran out.

        That is judged only by who has seen for a whole `lease` that others could renew (`agent_ui.presence.may_judge`).
        """
        ...

    async def watch(
        self, sessions: Collection[int], active: Collection[int], *, now: datetime, idle: float
    ) -> frozenset[int]:
        """Note which sessions were used; return those that have ended or idled out, or whose account has."""
        ...


class Act(Protocol):
    """Carries out a command (`hotline.service.Service.act`)."""

    async def __call__(
        self, number: str, command: c.Command, *, actor: Actor, expected_version: int | None = None
    ) -> Ticket:
        """Return the ticket after it. Raises the errors of `hotline.errors`."""
        ...


class Admission(Protocol):
    """Who sits at a console, and in which session (`agent_ui.accounts.Admitted`)."""

    @property
    def staff(self) -> Staff:
        """Return who."""
        ...

    @property
    def session(self) -> int:
        """Return the session's id."""
        ...


Submit = Callable[[Inbound], Awaitable[Receipt]]
"""Takes an appeal in (`hotline.intake.Intake.submit`)."""

Redeem = Callable[[str], Awaitable[Admission]]
"""Turns a one-time ticket into who it was given to (`agent_ui.accounts.Accounts.redeem`); raises Unauthenticated."""


class AskOfCalls(Protocol):
    """Asks something of a call and waits for it (`hotline.store.telephone.TelephoneStore.ask`)."""

    async def __call__(self, staff: str, order: CallOrder, *, now: datetime) -> None:
        """Raises why it was refused; Unavailable where nobody steers the PBX."""
        ...
