"""Telephone figures, read from calls and from the presence of agents."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from hotline.deadlines import ZONE
from hotline.errors import Unavailable
from hotline.metric_views import By, Figure, figure_of, ordered
from hotline.store.database import LOST, statements

_SQL = statements("calls")
QUICK = 15.0
"""Seconds within which a call should be answered (GB/T 33358-2016)."""


async def telephone(
    pool: asyncpg.Pool, start: datetime, end: datetime, *, now: datetime, by: By = By.TOTAL, agent: str = ""
) -> tuple[Figure, ...]:
    """Return the metrics of calls that asked for an agent from `start` to before `end`.

    Args:
        by: one of `hotline.metric_views.TELEPHONE_BY`.
        agent: whose calls only; then without occupancy.
    """
    try:
        found = list(await pool.fetch(_SQL["telephone"], start, end, by, ZONE.key, agent, QUICK))
        if by in (By.TOTAL, By.AGENT) and not agent:
            found += await pool.fetch(_SQL["occupancy"], start, end, now, by)
    except LOST as error:
        raise Unavailable("the database does not answer; please repeat in a moment") from error
    return ordered([figure_of(row["part"], row["metric"], row["numerator"], row["denominator"]) for row in found])
