"""Pages of the event log for the city's data platform."""

from __future__ import annotations

import asyncpg
import msgspec

from hotline.audit import Record
from hotline.export import ExportRow, row_of
from hotline.ports import Clock
from hotline.store.audit import keep
from hotline.store.database import statements
from hotline.store.rows import event_from
from hotline.summary import Summary

_SQL = statements("export")
_summaries = msgspec.json.Decoder(Summary)


class ExportStore:
    """Fulfils `channels.data_export.ExportRows`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def page(self, after: int, limit: int) -> tuple[list[ExportRow], int]:
        """Return the next rows after a cursor, and the cursor to ask with next; nothing can still appear before it."""
        one_view = {"isolation": "repeatable_read", "readonly": True}
        async with self._pool.acquire() as connection, connection.transaction(**one_view):
            horizon: int = await connection.fetchval(_SQL["horizon"])
            found = await connection.fetch(_SQL["page"], after, limit)
        rows = [_row(row) for row in found]
        return rows, rows[-1].cursor if len(rows) == limit else max(after, horizon - 1)


class AuditedExport(ExportStore):
    """Pages whose handing out is kept in the audit; an empty one hands out nothing."""

    def __init__(self, pool: asyncpg.Pool, *, clock: Clock) -> None:
        super().__init__(pool)
        self._clock = clock

    async def page(self, after: int, limit: int) -> tuple[list[ExportRow], int]:
        """Return the next rows, as `ExportStore.page`."""
        rows, following = await super().page(after, limit)
        if rows:
            detail = {"rows": str(len(rows)), "after": str(after), "through": str(rows[-1].cursor)}
            record = Record(at=self._clock(), actor="neighbour:data", act="export.tickets", detail=detail)
            await keep(self._pool, record)
        return rows, following


def _row(row: asyncpg.Record) -> ExportRow:
    receipt = event_from(row["doc"]) if row["doc"] is not None else None
    return row_of(row["position"], row["at"], row["type"], row["actor"], _summaries.decode(row["summary"]), receipt)
