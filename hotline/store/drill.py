"""The tickets behind a number: walked day by day, each looked at as the figures look at it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

import asyncpg
import msgspec

from hotline.drill import BY_DUE, Drill, Place, place_of
from hotline.drill_views import Behind, CallPage, CallRow, CallSide, Cell, DrillPage, RowPage
from hotline.errors import InvalidInput, Unavailable
from hotline.events import Receive
from hotline.metric_views import By, midnight
from hotline.particulars import names_of
from hotline.store.calls import QUICK
from hotline.store.console import cursor_of, position_of
from hotline.store.database import LOST, statements
from hotline.store.metrics import MetricStore
from hotline.store.rows import event_from
from hotline.store.sealing import caller_of
from hotline.store.tally import Cut, History, read_histories
from hotline.tally import Tally
from hotline.terms import State

_SQL = statements("drill")
_DAY = timedelta(days=1)
_TOP = 2**62
BEFORE_DUE = 60
"""Days before the first one in which a dispatch is looked for whose clock runs out later; pauses make it long."""
CHUNK, MOST = 100, 3000
"""Tickets replayed at once, and in one request: a page may come back short, with a cursor to go on."""


class _Seen(NamedTuple):
    id: int
    row: str
    times: int


class DrillStore:
    """Lists what stands behind numbers. Raises Unavailable."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def tickets(self, drill: Drill, *, cursor: str = "", limit: int = 50) -> DrillPage:
        """Return a page of the tickets behind a figure; `times` of all pages add up to it. Raises InvalidInput."""
        drill.checked()
        place = place_of(cursor)
        snapshot = {"isolation": "repeatable_read", "readonly": True}  # the figure and its tickets are of one moment
        try:
            async with self._pool.acquire() as connection, connection.transaction(**snapshot):
                await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
                total = drill.total(await MetricStore(connection).figures(drill.asked))
                row = await connection.fetchrow(_SQL["reader"])
                cut = Cut(row["generation"], row["position"], row["as_of"])
                return await _Walk(connection, drill, cut, total, limit, place).page()
        except LOST as error:
            raise _lost() from error

    async def standing(
        self, state: State, *, late: bool | None, now: datetime, department: str = "", town: str = "",
        cursor: str = "", limit: int = 50,
    ) -> RowPage:
        """Return tickets that stand in a state, only the late or only the others where `late` says so."""
        at, id_ = position_of(cursor)
        found = await self._fetch("standing", state, at, id_, limit + 1, late, now, department, town)
        last = cursor_of(found[limit - 1]["created_at"], found[limit - 1]["id"]) if len(found) > limit else ""
        return RowPage(rows=tuple(_raw(row["summary"]) for row in found[:limit]), next=last)

    async def calls(
        self, start: datetime, end: datetime, side: CallSide, *, agent: str = "", cursor: str = "", limit: int = 50
    ) -> CallPage:
        """Return calls that asked for an agent from `start` to before `end`, callers in full."""
        try:
            before = datetime.fromisoformat(cursor) if cursor else end
        except ValueError as error:
            raise InvalidInput("the cursor is not one that a page gave as `next`") from error
        found = await self._fetch("calls", start, end, before, limit + 1, side, QUICK, agent)
        rows = tuple(_call(row) for row in found[:limit])
        return CallPage(calls=rows, next=rows[-1].asked_at.isoformat() if len(found) > limit else "")

    async def heat(self, first: date, end: date, *, l1: str = "", channel: str = "", kind: str = "") -> list[Cell]:
        """Return appeals by town and category for the days from `first` to before `end`."""
        found = await self._fetch("heat", first, end, l1, channel, kind)
        return [Cell(row["town"], row["category"], row["appeals"]) for row in found]

    async def texts(self, numbers: Sequence[str]) -> list[tuple[str, Receive, tuple[str, ...], msgspec.Raw]]:
        """Return number, first event, the citizen's names and row of tickets; those that do not exist are left out."""
        told = []
        for _, rows in groupby(await self._fetch("texts", list(numbers)), key=lambda row: row["place"]):
            of_one = list(rows)
            events = [event_from(row["doc"], row["sealed"]) for row in of_one]
            if isinstance(fact := events[0].fact, Receive):
                told.append((of_one[0]["number"], fact, names_of(events), _raw(of_one[0]["summary"])))
        return told

    async def _fetch(self, name: str, *parameters: object) -> list[asyncpg.Record]:
        try:
            return list(await self._pool.fetch(_SQL[name], *parameters))
        except LOST as error:
            raise _lost() from error


class _Walk:
    """One page's way back through the days."""

    def __init__(
        self, connection: asyncpg.Connection, drill: Drill, cut: Cut, total: int, limit: int, place: Place | None
    ) -> None:
        self._connection, self._drill, self._cut, self._total, self._limit = connection, drill, cut, total, limit
        self._day, self._below = (place.day, place.ticket) if place else (drill.asked.last, _TOP)
        self._listed = place.listed if place else 0
        back = BEFORE_DUE if drill.figure in BY_DUE else 0
        self._floor = drill.asked.first - timedelta(days=back)
        self._found: list[Behind] = []
        self._left = MOST

    async def page(self) -> DrillPage:
        """Walk until the page is full, everything is listed, or the days are over."""
        while self._day >= self._floor and self._listed < self._total:
            ids = await self._candidates()
            taken = await self._take(ids)
            if not taken:
                break
            if len(ids) < CHUNK:
                self._day, self._below = self._day - _DAY, _TOP
        more = self._day >= self._floor and self._listed < self._total
        return DrillPage(
            total=self._total, listed=self._listed, tickets=tuple(self._found),
            next=str(Place(self._day, self._below, self._listed)) if more else "",
        )

    async def _candidates(self) -> list[asyncpg.Record]:
        q, part, start = self._drill.asked, self._drill.part, midnight(self._day)
        at = {q.by: part}
        l1, _, l2 = part.partition("/") if q.by is By.CATEGORY else (at.get(By.L1), "", None)
        return list(await self._connection.fetch(
            _SQL["candidates"], start, start + _DAY, self._drill.types, self._cut.position, self._below, CHUNK,
            q.department or at.get(By.DEPARTMENT) or None, at.get(By.TOWN) if q.place is None else q.place,
            q.channel or at.get(By.CHANNEL), q.kind or at.get(By.KIND), l1, l2, midnight(q.end),
        ))

    async def _take(self, rows: Sequence[asyncpg.Record]) -> bool:
        """Take the rows that count into the page; False once it is full or enough was looked at."""
        histories = await read_histories(self._connection, [row["id"] for row in rows], self._cut.position)
        seen = await asyncio.to_thread(_counted, rows, histories, self._drill, self._cut)
        for one in seen:
            self._below, self._left = one.id, self._left - 1
            if one.times:
                self._found.append(Behind(row=_raw(one.row), times=one.times))
                self._listed += one.times
            if len(self._found) >= self._limit or self._left <= 0:
                return False
        return True


def _counted(
    rows: Sequence[asyncpg.Record], histories: dict[int, History], drill: Drill, cut: Cut
) -> list[_Seen]:
    """Return how often each ticket is counted. Pure."""
    found = []
    for row in rows:
        history, tally = histories[row["id"]], Tally()
        for _, doc in history.events:
            tally.apply(event_from(doc))
        share = tally.share(cut.as_of, history.excluded(cut.position))
        found.append(_Seen(row["id"], row["summary"], drill.times(share.counts)))
    return found


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def _lost() -> Unavailable:
    return Unavailable("the database does not answer; please repeat in a moment")


def _call(row: asyncpg.Record) -> CallRow:
    values = dict(row) | {"number": row["number"] or "", "caller": caller_of(row)}
    del values["caller_sealed"]
    return CallRow(**values)
