"""Parcels to neighbours as jobs deliver them: under a key that survives retries, given up visibly after a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import structlog

from channels.neighbour_codec import decode_taken
from hotline import commands as c
from hotline.errors import HotlineError, IllegalTransition, NotFound, RuleViolation, Unavailable
from hotline.events import SYSTEM
from hotline.handoff import Acts, Later
from hotline.neighbours import HAND_OVERS, Neighbour, Neighbours
from hotline.ports import Clock

log = structlog.get_logger(__name__)
_DELAYS = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0)
_SOON, _LATE = timedelta(seconds=1), timedelta(minutes=1)
_GIVE_UP = timedelta(hours=24)
SILENT_AFTER = timedelta(minutes=10)
"""A ticket that its neighbour has not taken for so long is shown to a supervisor."""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel on its way; `attempts` counts this one too. `blocked`: an earlier one of the ticket leaves first."""

    neighbour: str
    hand_over: str
    path: str
    payload: str
    attempts: int
    created_at: datetime
    number: str
    blocked: bool


class ParcelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel as a list shows it."""

    key: str
    neighbour: str
    number: str
    path: str
    state: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    last_error: str


class ParcelRows(Protocol):
    """The rows behind parcels (`hotline.store.neighbours.NeighbourStore`)."""

    async def begin_parcel(self, key: str) -> Begun | None:
        """Count an attempt and return the parcel, None if it is sent or given up."""
        ...

    async def settle_parcel(self, key: str, state: str, error: str, now: datetime) -> None:
        """Record the end of a parcel."""
        ...

    async def fail_parcel(self, key: str, error: str) -> None:
        """Record why an attempt failed."""
        ...

    async def arrived(self, hand_over: str, theirs: str, now: datetime) -> None:
        """Record the neighbour's number of a ticket."""
        ...


class Post(Protocol):
    """Reaches neighbours (`routing.neighbour_post.NeighbourPost`)."""

    async def post(self, neighbour: Neighbour, path: str, key: str, body: bytes) -> bytes:
        """Post a signed body and return the answer. Raises Unavailable, or another HotlineError when it is refused."""
        ...


class Courier:
    """Delivers parcels."""

    def __init__(self, *, rows: ParcelRows, post: Post, service: Acts, neighbours: Neighbours, clock: Clock) -> None:
        self._rows, self._post, self._service = rows, post, service
        self._neighbours, self._clock = neighbours, clock

    async def deliver(self, key: str) -> None:
        """Deliver one parcel. Raises Later to try again; what is refused, or a day late, is given up with an alarm."""
        parcel = await self._rows.begin_parcel(key)
        if parcel is None:
            return
        if parcel.blocked:
            raise Later(self._behind(parcel), "an earlier parcel of the ticket has not left yet")
        try:
            answer = await self._posted(key, parcel)
        except Unavailable as error:
            await self._try_again(key, parcel, error)
        except HotlineError as error:
            await self._give_up(key, parcel, error)
        else:
            if parcel.path == HAND_OVERS:
                await self._rows.arrived(parcel.hand_over, decode_taken(answer).number, self._clock())
            await self._rows.settle_parcel(key, "sent", "", self._clock())

    def _behind(self, parcel: Begun) -> timedelta:
        """Return after how long to look again whether the earlier one has left: the longer it waits, the later."""
        return max(_SOON, min((self._clock() - parcel.created_at) / 10, _LATE))

    async def _posted(self, key: str, parcel: Begun) -> bytes:
        neighbour = self._neighbours.get(parcel.neighbour)
        if neighbour is None or not neighbour.url:
            raise Unavailable(f"{parcel.neighbour} is not in the setting neighbours any more, or has no address")
        answer = await self._post.post(neighbour, parcel.path, key, parcel.payload.encode())
        if parcel.path == HAND_OVERS:
            decode_taken(answer)
        return answer

    async def _try_again(self, key: str, parcel: Begun, error: HotlineError) -> None:
        waited = self._clock() - parcel.created_at
        if waited > _GIVE_UP:
            await self._give_up(key, parcel, error)
            return
        await self._rows.fail_parcel(key, error.detail)
        log.warning("parcel_failed", key=key, attempts=parcel.attempts, error=error.detail)
        if parcel.path == HAND_OVERS and waited > SILENT_AFTER:
            await self._alarm(parcel, "neighbour_silent", error.detail)
        delay = _DELAYS[min(parcel.attempts, len(_DELAYS)) - 1]
        raise Later(timedelta(seconds=delay), error.detail) from error

    async def _give_up(self, key: str, parcel: Begun, error: HotlineError) -> None:
        log.error("parcel_undeliverable", key=key, number=parcel.number, error=error.detail)
        await self._alarm(parcel, "neighbour_unreachable", error.detail)
        await self._rows.settle_parcel(key, "dead", error.detail, self._clock())

    async def _alarm(self, parcel: Begun, alarm: str, detail: str) -> None:
        try:
            raised = c.RaiseAlarm(alarm=alarm, detail=f"{parcel.neighbour}: {detail}")
            await self._service.act(parcel.number, raised, actor=SYSTEM)
        except (RuleViolation, IllegalTransition, NotFound) as error:
            log.info("already_so", number=parcel.number, command="raise_alarm", detail=error.detail)
