"""The audit in PostgreSQL: records in the act's own transaction, one linker behind the horizon, and checks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec
import structlog

from hotline.audit import (
    NO_CHAIN,
    Fault,
    Kept,
    Link,
    Record,
    content_hash,
    detail_of,
    event_leaf,
    head_text,
    link_hash,
    record_leaf,
)
from hotline.store import sealing
from hotline.store.chain import anchored, chained, difference, is_own, kept, own_hashes
from hotline.store.database import statements

log = structlog.get_logger(__name__)
_SQL = statements("audit")
STRETCH = 1000
_LINKS = 50
Step = Callable[[int], object]
"""Told how many more rows were worked on."""


async def keep(connection: Any, record: Record) -> None:
    """Write a record on the connection, or pool, of the act: it is there exactly if the act is."""
    detail = detail_of(record)
    await connection.execute(
        _SQL["add"], record.at, record.actor, record.act, record.subject, record.result, detail,
        content_hash(record, detail),
    )


class AuditStore:
    """The audit of one database. `changed` is told how many records were changed before they were chained."""

    def __init__(self, pool: asyncpg.Pool, *, changed: Callable[[int], object] = lambda _: None) -> None:
        self._pool, self._changed = pool, changed
        self._seen: tuple[int, bytes] | None = None

    async def note(self, record: Record) -> None:
        """Write a record of its own."""
        await keep(self._pool, record)

    # ── the chain ────────────────────────────────────────────────────────────────────────────────
    async def link_all(self, now: datetime, *, busy: Callable[[], bool] = lambda: False) -> None:
        """Chain what both logs have grown by; one link only while this process is `busy`.

        Safe in several processes: one links, the others leave it to it.
        """
        while await self.link_once(now) >= STRETCH:
            if busy():
                return

    async def link_once(self, now: datetime, *, limit: int = STRETCH) -> int:
        """Add one link; return how many rows it has, 0 where there is nothing to chain or another process does it."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(_SQL["hold"]):
                return 0
            last = await connection.fetchrow(_SQL["last"])
            await self._look_for_cuts(connection, last)
            if last is None:
                return 0
            after = last["through"]
            through = await connection.fetchval(_SQL["edge"], after, limit)
            records = await connection.fetch(_SQL["records_of"], after, through)
            events = await connection.fetchval(_SQL["events_written"], after, through) or ()
            if not records and not events:
                return 0
            if wrong := [row["id"] for row in records if not is_own(row)]:
                log.error("audit_record_changed_before_it_was_chained", ids=wrong[:10], above=after)
                self._changed(len(wrong))
            leaves = [record_leaf(row) for row in records] + [sha256(content).digest() for content in events]
            link = Link(last["n"] + 1, after, through, len(records), len(events), b"".join(leaves), now,
                        sealing.ring().active)
            own = link_hash(link, last["hash"])
            await _add(connection, link, own)
        self._seen = link.n, own  # only once it is committed
        return len(leaves)

    async def _look_for_cuts(self, connection: asyncpg.Connection, last: asyncpg.Record | None) -> None:
        """Tell, once, of a link that was the newest when this process looked last and is gone, or another one, now.

        What is linked anew looks whole: only who has seen the link knows (`audit verify --anchor`).
        """
        if self._seen is not None:
            number, own = self._seen
            if await connection.fetchval(_SQL["hash_of"], number) != own:
                log.error("audit_chain_cut", had=head_text(number, own), has=last["n"] if last else "no link")
                self._changed(1)
        self._seen = (last["n"], last["hash"]) if last is not None else None

    async def head(self) -> tuple[int, bytes] | None:
        """Return number and hash of the newest link, to be kept elsewhere; None where somebody has deleted them all."""
        row = await self._pool.fetchrow(_SQL["last"])
        return (row["n"], row["hash"]) if row is not None else None

    async def size(self) -> tuple[int, int]:
        """Return how many links there are and how many rows they cover; of a long chain about how many."""
        row = await self._pool.fetchrow(_SQL["size"])
        return (row["links"], row["rows"]) if row is not None else (0, 0)

    async def waiting(self) -> tuple[int, datetime | None]:
        """Return how many rows are not chained yet, and the time of the first."""
        row = await self._pool.fetchrow(_SQL["waiting"])
        return row["rows"], row["since"]

    async def verify(self, step: Step, *, anchor: tuple[int, bytes] | None = None) -> Fault | None:
        """Check the whole chain against both logs; return the first fault.

        Args:
            anchor: number and hash of a link as they were kept elsewhere.
        """
        through: int | None = None
        previous, expected = b"", 0
        async for row in self._links():
            fault = chained(row, expected, previous, through) or anchored(row, anchor)
            fault = fault or await self._rows_fit(row)
            if fault is not None:
                return fault
            through, previous, expected = row["through"], row["hash"], expected + 1
            step(row["records"] + row["events"])
        if anchor is not None and anchor[0] >= expected:
            return Fault(link=expected, what=f"the chain ends before the anchor {anchor[0]}: links were cut off")
        return Fault(link=0, what=NO_CHAIN) if expected == 0 else None

    async def _links(self) -> AsyncIterator[asyncpg.Record]:
        n = 0
        while page := await self._pool.fetch(_SQL["links"], n, _LINKS):
            for row in page:
                yield row
            n = page[-1]["n"] + 1

    async def _rows_fit(self, row: asyncpg.Record) -> Fault | None:
        records = await self._pool.fetch(_SQL["records_of"], row["after"], row["through"]) if row["n"] else []
        events = await self._pool.fetch(_SQL["events_of"], row["after"], row["through"]) if row["n"] else []
        split = row["records"] * 32
        return (
            difference(row, "audit_records", row["leaves"][:split], records, [record_leaf(one) for one in records])
            or own_hashes(row, records)
            or difference(row, "ticket_events", row["leaves"][split:], events, [event_leaf(one) for one in events])
        )

    # ── reading ──────────────────────────────────────────────────────────────────────────────────
    async def page(
        self, *, actor: str = "", act: str = "", subject: str = "", result: str = "", since: datetime | None = None,
        before: tuple[datetime, int] | None = None, limit: int,
    ) -> list[Kept]:
        """Return records, the newest first, below `before` (time and id); "" does not narrow."""
        at, id_ = before or (datetime(9999, 1, 1, tzinfo=UTC), 0)
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            found = await connection.fetch(_SQL["page"], at, id_, actor, act, subject, result, since, limit)
        return [kept(row) for row in found]

    async def commands(self, *, before: int, number: str = "", limit: int) -> list[Kept]:
        """Return commands on tickets as records, the newest first, below position `before`."""
        found = await self._pool.fetch(_SQL["commands"], before, number, limit)
        return [_command(row, f"ticket.{row['type']}") for row in found]

    async def exported(self, step: Step, *, batch: int = 2000) -> AsyncIterator[Kept]:
        """Yield both logs in commit order, telling `step` the rows."""
        after = (0, 0)
        while found := await self._pool.fetch(_SQL["exported"], *after, batch):
            for row in found:
                yield kept(row) if row["id"] else _command(row, row["act"])
            after = (found[-1]["position"], found[-1]["id"])
            step(len(found))


async def _add(connection: asyncpg.Connection, link: Link, own: bytes) -> None:
    code = sealing.ring().code(own) or b""
    await connection.execute(_SQL["add_link"], *link, own, code)


class _Numbered(msgspec.Struct):
    number: str
    state: str = ""


_numbers = msgspec.json.Decoder(_Numbered)


def _command(row: asyncpg.Record, act: str) -> Kept:
    """Return an event as a record; its summary tells number and state."""
    summary = _numbers.decode(row["summary"] if "summary" in row.keys() else row["subject"])  # noqa: SIM118
    return Kept(position=row["position"], id=0, at=row["at"], actor=row["actor"], act=act, subject=summary.number,
                detail={"state": summary.state})
