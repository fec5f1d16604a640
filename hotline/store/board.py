"""The supervisor's board, read from the database: a handful of short statements."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import asyncpg

from hotline.board import (
    INCIDENT_GOAL,
    AgentCount,
    AlarmCount,
    Board,
    ChannelCount,
    HourCount,
    owed,
    queue_of,
)
from hotline.errors import Unavailable
from hotline.metric_views import local_day
from hotline.store.calls import telephone
from hotline.store.database import LOST, statements
from hotline.store.metrics import MetricStore
from hotline.terms import Channel, label

_SQL = statements("board")
_DAY, _RECENT, _WEEK = timedelta(days=1), timedelta(minutes=30), timedelta(days=7)


class BoardStore:
    """Reads the board on a pool. Raises Unavailable."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool, self._figures = pool, MetricStore(pool)

    async def board(self, now: datetime) -> Board:
        """Return the figures of this moment."""
        live, day = await self._figures.live(now), local_day(now)
        recent = await telephone(self._pool, now - _RECENT, now, now=now)
        try:
            async with self._pool.acquire() as connection:
                return await _Reading(connection, now).board(live.as_of, day=day, rest={
                    "telephone": live.telephone, "recent": recent, "today": live.today, "standing": live.standing,
                })
        except LOST as error:
            raise Unavailable("the database does not answer; please repeat in a moment") from error

    async def watching(self, token_hash: bytes, now: datetime) -> bool:
        """Tell whether a session goes on; unlike other uses this one does not keep it from idling out."""
        try:
            return bool(await self._pool.fetchval(_SQL["watching"], token_hash, now))
        except LOST as error:
            raise Unavailable("the database does not answer; please repeat in a moment") from error


class _Reading:
    def __init__(self, connection: asyncpg.Connection, now: datetime) -> None:
        self._connection, self._now = connection, now

    async def board(self, as_of: datetime, *, day: date, rest: dict[str, object]) -> Board:
        one, many, now = self._connection.fetchrow, self._connection.fetch, self._now
        incidents, callbacks = await one(_SQL["incidents"], now), await one(_SQL["callbacks"], now)
        return Board(
            now=now, as_of=as_of, day=day, queue=queue_of(**await one(_SQL["calls"], now)),
            agents=tuple([AgentCount(**row) for row in await many(_SQL["agents"])]),
            channels=tuple([
                ChannelCount(channel=row["channel"], label=label(Channel(row["channel"])), appeals=row["appeals"])
                for row in await many(_SQL["channels"], day)
            ]),
            hours=tuple([HourCount(**row) for row in await many(_SQL["hours"], day, local_day(now - _WEEK))]),
            due_soon=await self._connection.fetchval(_SQL["due_soon"], now),
            incidents=owed(**incidents, goal=INCIDENT_GOAL), callbacks=owed(**callbacks),
            alarms=tuple([
                AlarmCount(alarm=row["name"], tickets=row["tickets"], unseen=row["unseen"])
                for row in await many(_SQL["alarms"])
            ]),
            hot_spots=await self._connection.fetchval(_SQL["hot_spots"]), **rest,  # type: ignore[arg-type]
        )
