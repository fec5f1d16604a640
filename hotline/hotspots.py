"""The sweep for hot spots: find them, and tell each once as an alarm on its first ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import structlog

from hotline import commands as c
from hotline.errors import RuleViolation
from hotline.events import SYSTEM
from hotline.handoff import Acts
from hotline.hotspot import HotSpot
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

    async def mark_alarmed(self, id_: int, now: datetime) -> None:
        """Note that a hot spot was told."""
        ...


class HotSpots:
    """Finds hot spots and raises their alarms. Any number of processes may do it at once."""

    def __init__(self, *, rows: HotSpotRows, service: Acts, clock: Clock) -> None:
        self._rows, self._act, self._clock = rows, service.act, clock

    async def sweep(self) -> None:
        """Find hot spots; raise an alarm for each that nobody was told of.

        Killed between the alarm and its note, the next sweep finds the alarm raised already: it is told once.
        """
        now = self._clock()
        await self._rows.find_hotspots(now)
        for id_, number, words in await self._rows.unalarmed():
            try:
                await self._act(number, c.RaiseAlarm(alarm=ALARM, detail=words), actor=SYSTEM)
            except RuleViolation as error:  # raised already
                log.info("hot_spot_without_alarm", number=number, reason=error.detail)
            await self._rows.mark_alarmed(id_, now)
