"""Recordings in use: fetched from the PBX once a call is over, hashed, linked with the call and its ticket."""

from __future__ import annotations

from collections.abc import Sequence
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
    """A recording that still lies at the PBX under a name; `kept`: it is here already, and only to be deleted there.
    `in_vain`: how often that was tried."""

    call: str
    name: str
    ended_at: datetime
    kept: bool = False
    in_vain: int = 0


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
        """Delete a recording at the PBX. Raises Withheld where it does not."""
        ...


class Kept(Protocol):
    """Where recordings are kept (`hotline.store.recordings.RecordingStore`)."""

    async def wanted(self, before: datetime) -> list[Wanted]:
        """Return recordings of calls that ended before a moment and are not here yet, the least tried first."""
        ...

    async def left(self, before: datetime) -> list[Wanted]:
        """Return recordings that are here, and perhaps still at the PBX, likewise."""
        ...

    async def keep(self, call: str, data: bytes, *, now: datetime) -> str:
        """Keep a recording; return its SHA-256."""
        ...

    async def dropped(self, call: str) -> None:
        """The PBX has it no more."""
        ...

    async def in_vain(self, calls: Sequence[str]) -> None:
        """Ask for these more rarely, and after others."""
        ...

    async def gone(self, call: str) -> None:
        """Ask for it no longer."""
        ...


class Collector:
    """Brings recordings here. Killed at any moment, the next look goes on: nothing is deleted at the PBX before it is
    safe here."""

    def __init__(self, tape: Tape, kept: Kept, *, clock: Clock) -> None:
        self._tape, self._kept, self._clock = tape, kept, clock

    async def collect(self) -> None:
        """Fetch what is there once; what cannot be had keeps no other waiting. Raises Unavailable."""
        now = self._clock()
        found = [*await self._kept.wanted(now - SETTLED), *await self._kept.left(now)]
        in_vain = await self._in_turn(sorted(found, key=lambda one: one.in_vain), now)
        if in_vain:
            await self._kept.in_vain(in_vain)

    async def _in_turn(self, found: Sequence[Wanted], now: datetime) -> list[str]:
        """Settle one after the other; return the calls for which it was in vain."""
        in_vain, withheld = list[str](), 0
        for wanted in found:
            try:
                if not await self._settle(wanted, now):
                    in_vain.append(wanted.call)
            except Withheld as error:
                in_vain.append(wanted.call)
                withheld += 1
                if withheld == 1:  # one line tells of all
                    log.warning("recordings_wait", call=wanted.call, error=error.detail)
            except Unavailable as error:  # the PBX or the database is away: the others would be asked for in vain
                log.warning("recordings_wait", call=wanted.call, error=error.detail)
                return [*in_vain, wanted.call]
        return in_vain

    async def _settle(self, wanted: Wanted, now: datetime) -> bool:
        """Have a recording here, and no longer at the PBX; False where it is not there yet."""
        if not wanted.kept:
            data = await self._had(wanted, now)
            if data is None:
                return await self._lost(wanted, now)
            sha256 = await self._kept.keep(wanted.call, data, now=now)
            log.info("recording_kept", call=wanted.call, sha256=sha256, bytes=len(data))
        await self._tape.drop_recording(wanted.name)
        await self._kept.dropped(wanted.call)  # noted afterwards: whatever comes between, it is deleted once more
        return True

    async def _lost(self, wanted: Wanted, now: datetime) -> bool:
        """Give up what has not come for a day; False where that is not so yet."""
        if not _is_late(wanted, now):
            return False
        log.error("recording_lost", call=wanted.call)
        await self._kept.gone(wanted.call)
        return True

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
