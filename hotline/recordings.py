"""Recordings in use: fetched from the PBX once a call is over, hashed, linked with the call and its ticket."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import structlog

from hotline.errors import Unavailable
from hotline.ports import Clock

log = structlog.get_logger(__name__)
SETTLED = timedelta(seconds=1)
"""The PBX closes a file a moment after the call."""
GIVEN_UP = timedelta(hours=24)
"""After so long without its file a recording counts as lost."""


class Withheld(Unavailable):
    """The PBX answers, but does not give this recording."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A recording that still lies at the PBX under a name."""

    call: str
    name: str
    ended_at: datetime


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A recording that is kept. On legal hold it outlives `keep_until`."""

    call: str
    sha256: str
    bytes: int
    kept_at: datetime
    keep_until: datetime
    legal_hold: bool = False


class CallOfTicket(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call that a ticket came of, or that was made about it; `caller` masked."""

    call: str
    direction: str
    agent: str = ""
    caller: str = ""
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    recorded: bool = False
    sha256: str = ""
    keep_until: datetime | None = None
    legal_hold: bool = False


class Tape(Protocol):
    """Where recordings are made (`channels.ari.Ari`). Raises Unavailable."""

    async def recording(self, name: str) -> bytes | None:
        """Return a recording, None where there is none. Raises Withheld where it is this one that cannot be had."""
        ...

    async def drop_recording(self, name: str) -> None:
        """Delete a recording at the PBX."""
        ...


class Kept(Protocol):
    """Where recordings are kept (`hotline.store.recordings.RecordingStore`)."""

    async def wanted(self, before: datetime) -> list[Wanted]:
        """Return recordings of calls that ended before a moment and are not here yet."""
        ...

    async def keep(self, call: str, data: bytes, *, now: datetime) -> str:
        """Keep a recording; return its SHA-256."""
        ...

    async def gone(self, call: str) -> None:
        """Ask for it no longer."""
        ...


class Collector:
    """Brings recordings here. Killed at any moment, the next look goes on: nothing is deleted at the PBX before it is
    safe here."""

    def __init__(self, tape: Tape, kept: Kept, *, clock: Clock) -> None:
        self._tape, self._kept, self._clock = tape, kept, clock
        self._in_vain: Counter[str] = Counter()

    async def collect(self) -> None:
        """Fetch what is there once; one that the PBX withholds keeps no other one waiting. Raises Unavailable."""
        now, withheld = self._clock(), 0
        for wanted in await self._in_turn(now - SETTLED):
            try:
                await self._fetch(wanted, now)
            except Withheld as error:
                withheld += 1
                if withheld == 1:  # one line tells of all: the next look follows in a second
                    log.warning("recordings_wait", call=wanted.call, error=error.detail)
            except Unavailable as error:  # the PBX or the database is away: the others would be asked for in vain
                log.warning("recordings_wait", call=wanted.call, error=error.detail)
                self._in_vain[wanted.call] += 1
                return

    async def _in_turn(self, before: datetime) -> list[Wanted]:
        """Return what is wanted; what was asked for in vain comes last and ends no look at its start."""
        found = await self._kept.wanted(before)
        self._in_vain = Counter({one.call: self._in_vain[one.call] for one in found})
        return sorted(found, key=lambda one: self._in_vain[one.call])

    async def _fetch(self, wanted: Wanted, now: datetime) -> None:
        data = await self._had(wanted, now)
        if data is not None:
            sha256 = await self._kept.keep(wanted.call, data, now=now)
            log.info("recording_kept", call=wanted.call, sha256=sha256, bytes=len(data))
            await self._tape.drop_recording(wanted.name)
        elif _is_late(wanted, now):
            log.error("recording_lost", call=wanted.call)
            await self._kept.gone(wanted.call)

    async def _had(self, wanted: Wanted, now: datetime) -> bytes | None:
        """Return a recording; None where there is none, or none that the PBX would ever give."""
        try:
            return await self._tape.recording(wanted.name)
        except Withheld as error:
            if not _is_late(wanted, now):
                raise
            log.warning("recording_withheld", call=wanted.call, error=error.detail)
            return None


def _is_late(wanted: Wanted, now: datetime) -> bool:
    return now - wanted.ended_at > GIVEN_UP
