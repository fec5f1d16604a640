"""Ports of the departments' own systems: registration, webhooks out. Fulfilled by `hotline.store` and `routing`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class UnitSystem(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's own system as its administrator sees it; secrets are told once, when they are made.

    Attributes:
        url: where webhooks go, "" where the unit only pulls.
        failures: attempts in a row that failed; the system rests until `resting_until` before the next one.
        pending, dead: webhooks that wait, and that were given up.
    """

    unit: str
    url: str
    active: bool
    updated_at: datetime
    updated_by: str
    failures: int = 0
    resting_until: datetime | None = None
    pending: int = 0
    dead: int = 0


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook and how it stands."""

    id: str
    unit: str
    number: str
    event: str
    state: str
    attempts: int
    created_at: datetime
    last_attempt_at: datetime | None = None
    sent_at: datetime | None = None
    last_status: int = 0
    last_error: str = ""

    @property
    def cursor(self) -> str:
        """Where the page after this webhook begins."""
        return f"{self.created_at.isoformat()}~{self.id}"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook to be tried now. `attempts` counts this one; trying began at `started_at`."""

    url: str
    secret: str
    unit: str
    payload: str
    attempts: int
    started_at: datetime


class Rest(msgspec.Struct, frozen=True):
    """The unit's system does not answer, and is left alone until then."""

    until: datetime


class DeliveryRows(Protocol):
    """The rows behind webhooks (`hotline.store.units.UnitStore`)."""

    async def begin_delivery(self, id_: str, now: datetime, *, last_from: datetime) -> Attempt | Rest | None:
        """Count an attempt; None where nothing is left to do. What began before `last_from` is tried in any case."""
        ...

    async def settle_delivery(self, id_: str, *, status: int, now: datetime) -> None:
        """The unit has it; its system answers again."""
        ...

    async def fail_delivery(
        self, id_: str, *, status: int, error: str, dead: bool, now: datetime, rest: bool
    ) -> None:
        """An attempt failed; `dead` gives the webhook up, `rest` leaves the system alone for 2 s, 4 s … 5 minutes."""
        ...


class Post(Protocol):
    """Posts a webhook (`routing.webhooks.Webhooks`)."""

    async def post(self, url: str, body: bytes, headers: Sequence[tuple[str, str]]) -> int:
        """Return the HTTP status.

        Raises:
            Unavailable: there was no answer.
            Forbidden: the address leads where webhooks must not go.
        """
        ...
