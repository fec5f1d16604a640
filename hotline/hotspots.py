"""The sweep for hot spots: find them, and tell each once as an alarm on its first ticket."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from hotline import commands as c
from hotline.errors import RuleViolation
from hotline.events import SYSTEM
from hotline.handoff import Acts
from hotline.hotspot import HotSpot
from hotline.in_turn import each_apart
from hotline.ports import Clock

log = structlog.get_logger(__name__)
ALARM = "hot_spot"


class HotSpotRows(Protocol):
    """Hot spots in the database (`hotline.store.likeness.LikenessStore`)."""

    async def find_hotspots(self, now: datetime) -> list[HotSpot]:
        """Look for hot spots and keep them."""
        ...

    async def unalarmed(self) -> list[tuple[int, str, str]]:
        """Return hot spots nobody was told of: id, ticket number, what to say."""
        ...

    async def mark_alarmed(self, id_: int, number: str, now: datetime) -> None:
        """Note that a hot spot was told, and on which ticket."""
        ...

    async def still_alarmed(self) -> list[tuple[int, str]]:
        """Return hot spots that are over with their alarm left: id, and the ticket on which it stands, "" for none."""
        ...

    async def mark_cleared(self, id_: int) -> None:
        """Note that the alarm of a hot spot that is over is cleared."""
        ...


class HotSpots:
    """Finds hot spots and raises their alarms. Any number of processes may do it at once."""

    def __init__(self, *, rows: HotSpotRows, service: Acts, clock: Clock) -> None:
        self._rows, self._act, self._clock = rows, service.act, clock

    async def sweep(self) -> None:
        """Find hot spots; clear the alarms of those that are over, raise one for each that nobody was told of.

        The same place may flare up again with the same first ticket: an alarm left there would swallow the new one.
        Killed between the alarm and its note, the next sweep finds the alarm raised already: it is told once.
        A ticket that cannot be read or changed keeps no other's alarm back.
        """
        now = self._clock()
        await self._rows.find_hotspots(now)
        over, new = await self._rows.still_alarmed(), await self._rows.unalarmed()
        await each_apart([
            *((f"over {id_}", partial(self._cleared, id_, number)) for id_, number in over),
            *((f"new {id_}", partial(self._told, id_, number, words, now)) for id_, number, words in new),
        ])

    async def _cleared(self, id_: int, number: str) -> None:
        if number:
            await self._act(number, c.ClearAlarm(alarm=ALARM), actor=SYSTEM)
        await self._rows.mark_cleared(id_)

    async def _told(self, id_: int, number: str, words: str, now: datetime) -> None:
        try:
            await self._act(number, c.RaiseAlarm(alarm=ALARM, detail=words), actor=SYSTEM)
        except RuleViolation as error:  # raised already
            log.info("hot_spot_without_alarm", number=number, reason=error.detail)
        await self._rows.mark_alarmed(id_, number, now)
