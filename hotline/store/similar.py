"""Open public tickets that may be about the same thing as what a citizen is about to send."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import asyncpg

from channels.views import SimilarReport
from hotline.errors import NotFound
from hotline.ids import DepartmentCode, TicketId, TicketNumber
from hotline.lifecycle import OPEN_STATES
from hotline.store.database import statements
from hotline.store.likeness import EACH_KEY, PROPOSED, WITHIN, Tell, receipt_text
from hotline.terms import State, label
from triage.likeness import likeness
from triage.telling import Telling
from triage.traits import reasons, traits_of

_SQL = statements("similar")
SHOWN = 5
CANDIDATES = 12
NEARBY_WITHIN = timedelta(days=7)
_OPEN = sorted(OPEN_STATES - {State.HANDED_OFF})


class SimilarStore:
    """Fulfils `hotline.similar.SimilarRows`. `tell` computes, so it is called in a thread."""

    def __init__(self, pool: asyncpg.Pool, tell: Tell) -> None:
        self._pool, self._tell = pool, tell

    async def alike(self, text: str, now: datetime) -> list[SimilarReport]:
        """Return the likeliest public open tickets; without any, the newest at the place that the text names."""
        [asked] = await asyncio.to_thread(self._tell, [text], [now])
        traits = traits_of(asked)
        rows = await self._pool.fetch(
            _SQL["alike"], list(traits.keys), now - WITHIN, now + timedelta(days=1), EACH_KEY, CANDIDATES, _OPEN
        )
        found = await self._weighed(asked, rows)
        if found or not traits.town or traits.matter:
            return found
        near = await self._pool.fetch(
            _SQL["nearby"], traits.town, traits.spot, now - NEARBY_WITHIN, SHOWN, _OPEN
        )
        return [_report(row) for row in near]

    async def _weighed(self, asked: Telling, rows: list[asyncpg.Record]) -> list[SimilarReport]:
        if not rows:
            return []
        texts, times = [receipt_text(row) for row in rows], [row["created_at"] for row in rows]
        others = await asyncio.to_thread(self._tell, texts, times)
        weighed = [(likeness(asked, other), row, other) for row, other in zip(rows, others, strict=True)]
        likely = sorted((one for one in weighed if one[0] > PROPOSED), key=lambda one: -one[0])
        told = ((row, reasons(asked, other)) for _, row, other in likely)
        return [_report(row, why) for row, why in told if why][:SHOWN]

    async def joinable(self, number: TicketNumber) -> tuple[TicketId, bool]:
        """Return the id of the ticket in which a public matter is handled, and whether it is open. Raises NotFound."""
        row = await self._pool.fetchrow(_SQL["joinable"], number)
        if row is None:
            raise NotFound("there is no public report with this number")
        return TicketId(row["id"]), row["state"] in _OPEN


def _report(row: asyncpg.Record, why: tuple[str, ...] = ()) -> SimilarReport:
    state = State(row["state"])
    return SimilarReport(
        number=TicketNumber(row["number"]), town=row["town"], spot=row["spot"], matter=row["matter"],
        category=row["l2"], department=DepartmentCode(row["lead"]), status=state, status_label=label(state),
        requested_at=row["created_at"], people=row["people"], reasons=why,
    )
