"""The pull API's pages: first the unit's open tickets as they stand, then what happens to them, by one cursor."""

from __future__ import annotations

import re

import asyncpg

from agent_ui.protocol import TakeSnapshot
from hotline.errors import InvalidInput
from hotline.feed import MAX_SEQ
from hotline.lifecycle import OPEN_STATES
from hotline.store.console import ConsoleStore
from hotline.store.database import statements
from hotline.store.tail import event_from_row
from routing.unit_codec import UnitEvent, UnitPage, is_told, part_of, shown, unit_event

_SQL = statements("unit_pages")
_CURSOR = re.compile(r"(?:s(?P<from>\d{1,16})\.(?P<page>\d{1,16}-\d{1,18}))|(?:e(?P<seq>\d{1,16}))")
SCANNED = 5000
"""Events of the whole log read for one page: what an old cursor costs is bounded, the caller goes on with `next`."""


class UnitPages:
    """Pages of a unit's tickets."""

    def __init__(self, pool: asyncpg.Pool, console: ConsoleStore) -> None:
        self._pool, self._console = pool, console

    async def page(self, unit: str, *, cursor: str = "", limit: int) -> UnitPage:
        """Return the page after `cursor`, "" for the beginning. Raises InvalidInput for a made-up cursor."""
        match = _CURSOR.fullmatch(cursor) if cursor else None
        if cursor and match is None:
            raise InvalidInput("the cursor is not one that a page gave as `next`")
        if match is None:
            return await self._standing(unit, "", None, limit)
        if match["seq"] is not None:
            return await self._events(unit, _seq(match["seq"]), limit)
        return await self._standing(unit, match["page"], _seq(match["from"]), limit)

    async def _standing(self, unit: str, page: str, begun: int | None, limit: int) -> UnitPage:
        asked = TakeSnapshot(topic=f"department:{unit}", states=tuple(sorted(OPEN_STATES)), limit=limit, cursor=page)
        found = await self._console.snapshot(asked)
        seq = found.seq if begun is None else begun  # events from the first page's moment on come afterwards
        rows = [shown(bytes(row)) for row in found.rows]
        items = tuple(UnitEvent(unit=unit, number=row.number, part=part_of(unit, row), seq=seq, summary=row)
                      for row in rows)
        return UnitPage(tickets=items, next=f"s{seq}.{found.next}" if found.next else f"e{seq}", more=bool(found.next))

    async def _events(self, unit: str, after: int, limit: int) -> UnitPage:
        found = await self._pool.fetch(_SQL["events_of"], after, SCANNED, f"department:{unit}")
        events = [event_from_row(row) for row in found if row["position"] is not None]
        through = found[0]["through"] or after
        more = found[0]["scanned"] == SCANNED
        if len(events) > limit:
            events, more = events[:limit], True
            through = events[-1].seq
        told = tuple(unit_event(event, unit) for event in events if is_told(event))
        return UnitPage(tickets=told, next=f"e{through}", more=more)


def _seq(digits: str) -> int:
    if int(digits) > MAX_SEQ:
        raise InvalidInput("the cursor is not one that a page gave as `next`")
    return int(digits)
