"""Figures as they are read, and the exclusions that supervisors make. Every question is one short statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import asyncpg
import structlog

from hotline.errors import NotFound, RuleViolation, Unavailable
from hotline.events import Actor
from hotline.metric_views import (
    TELEPHONE_BY,
    By,
    Exclusion,
    Figure,
    Live,
    Question,
    ReasonCount,
    Standing,
    figure_of,
    local_day,
    midnight,
    ordered,
)
from hotline.metrics import Metric, Reason
from hotline.store.calls import telephone
from hotline.store.database import LOST, statements
from hotline.terms import State, label

log = structlog.get_logger(__name__)
_SQL = statements("metrics")
_DAY = timedelta(days=1)


class MetricStore:
    """Reads figures on a pool. Fulfils `hotline.figure_ports.Figures`."""

    def __init__(self, pool: asyncpg.Pool, *, replica: asyncpg.Pool | None = None) -> None:
        """Read on `replica`; the primary is asked where there is none, or while it does not answer."""
        self._pool, self._replica = pool, replica

    async def _fetch(self, sql: str, *parameters: object) -> list[asyncpg.Record]:
        if self._replica is not None:
            try:
                return list(await self._replica.fetch(sql, *parameters))
            except (*LOST, asyncpg.SerializationError) as error:  # away, or it cancelled a read that held up its replay
                log.warning("replica_failed", error=repr(error))
        try:
            return list(await self._pool.fetch(sql, *parameters))
        except LOST as error:
            raise Unavailable("the database does not answer; please repeat in a moment") from error

    async def _telephone(
        self, start: datetime, end: datetime, *, now: datetime, by: By = By.TOTAL, agent: str = ""
    ) -> tuple[Figure, ...]:
        if self._replica is not None:
            try:
                return await telephone(self._replica, start, end, now=now, by=by, agent=agent)
            except (Unavailable, asyncpg.SerializationError) as error:
                log.warning("replica_failed", error=repr(error))
        return await telephone(self._pool, start, end, now=now, by=by, agent=agent)

    async def figures(self, asked: Question) -> tuple[Figure, ...]:
        """Return volumes and metrics from tickets. Raises InvalidInput for what cannot be split so."""
        q = asked.checked()
        found = await self._fetch(
            _SQL["figures"], q.grain, q.first, q.end, q.by, q.department, q.place, q.channel, q.kind, q.agent
        )
        return ordered([
            figure_of(row["part"], row["figure"], row["numerator"], row["denominator"], row["excluded"])
            for row in found
        ])

    async def live(self, now: datetime, *, department: str = "", town: str = "") -> Live:
        """Return the figures of this moment, of a department or a town only where named."""
        day = local_day(now)
        if department or town:
            today = await self.figures(Question(first=day, last=day, department=department, town=town))
        else:
            today = await self._whole_day(day)
        whole = not (department or town)
        [reader] = await self._fetch(_SQL["reader"])
        return Live(
            as_of=reader["as_of"], position=reader["position"], day=day, today=today,
            telephone=await self._telephone(now - _DAY, now, now=now) if whole else (),
            standing=tuple([
                Standing(state=row["state"], label=label(State(row["state"])), tickets=row["tickets"], late=row["late"])
                for row in await self._fetch(_SQL["standing"], department, town)
            ]),
        )

    async def _whole_day(self, day: date) -> tuple[Figure, ...]:
        """A day's total is the sum of its 24 hours: far fewer lines than by department and matter."""
        found = await self._fetch(
            _SQL["figures"], "hour", day, day + _DAY, By.TOTAL, "", None, "", "", ""
        )
        return ordered([
            figure_of("", row["figure"], row["numerator"], row["denominator"], row["excluded"]) for row in found
        ])

    async def telephone(self, asked: Question, now: datetime) -> tuple[Figure, ...]:
        """Return metrics from calls, none where calls cannot be split or narrowed so."""
        if asked.by not in TELEPHONE_BY or asked.department or asked.town or asked.channel or asked.kind:
            return ()
        start, end = midnight(asked.first), midnight(asked.end)
        return await self._telephone(start, end, by=asked.by, agent=asked.agent, now=now)

    # ── exclusions ───────────────────────────────────────────────────────────────────────────────
    async def exclude(
        self, number: str, metric: Metric, *, excluded: bool, reason: Reason | None, note: str, actor: Actor,
        now: datetime,
    ) -> int:
        """Leave a ticket out of a metric, or count it again; return the position of the record.

        Raises:
            NotFound: there is no such ticket.
            RuleViolation: it is so already.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_SQL["hold_ticket"], number) is None:
                raise NotFound(f"there is no ticket {number}")
            position = await connection.fetchval(
                _SQL["exclude"], number, metric, excluded, reason or "", note, f"{actor.role}:{actor.name}", now
            )
        if position is None:
            raise RuleViolation(f"ticket {number} is {'left out of' if excluded else 'counted in'} {metric} already")
        return int(position)

    async def exclusions(
        self, *, number: str = "", metric: str = "", before: int = 2**62, limit: int = 100
    ) -> tuple[Exclusion, ...]:
        """Return what was excluded or counted again, the newest first, below position `before`."""
        found = await self._fetch(_SQL["exclusions"], number, metric, before, limit)
        return tuple(
            Exclusion(
                position=row["position"], number=row["number"], metric=Metric(row["metric"]),
                excluded=row["excluded"], reason=row["reason"], note=row["note"], actor=row["actor"], at=row["at"],
            ) for row in found
        )

    async def exclusion_reasons(self, start: datetime, end: datetime) -> Sequence[ReasonCount]:
        """Count exclusions in force that were made in a time, by metric and reason."""
        return [
            ReasonCount(metric=Metric(row["metric"]), reason=Reason(row["reason"]), tickets=row["tickets"])
            for row in await self._fetch(_SQL["exclusion_reasons"], start, end)
        ]
