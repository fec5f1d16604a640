"""The audit in PostgreSQL: records in the act's own transaction, one linker behind the horizon, and checks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec
import structlog

from hotline.audit import (
    Fault,
    Kept,
    Link,
    Record,
    content_hash,
    detail_of,
    event_leaf,
    first_difference,
    link_hash,
    record_leaf,
)
from hotline.errors import InvalidInput
from hotline.store import sealing
from hotline.store.database import statements

log = structlog.get_logger(__name__)
_SQL = statements("audit")
STRETCH = 1000
_LINKS = 50
_details = msgspec.json.Decoder(dict[str, str])
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
            after = last["through"]
            through = await connection.fetchval(_SQL["edge"], after, limit)
            records = await connection.fetch(_SQL["records_of"], after, through)
            events = await connection.fetchval(_SQL["events_written"], after, through) or ()
            if not records and not events:
                return 0
            if wrong := [row["id"] for row in records if not _is_own(row)]:
                log.error("audit_record_changed_before_it_was_chained", ids=wrong[:10], above=after)
                self._changed(len(wrong))
            leaves = [record_leaf(row) for row in records] + [sha256(content).digest() for content in events]
            link = Link(last["n"] + 1, after, through, len(records), len(events), b"".join(leaves), now,
                        sealing.ring().active)
            await _add(connection, link, link_hash(link, last["hash"]))
            return len(leaves)

    async def head(self) -> tuple[int, bytes]:
        """Return number and hash of the newest link, to be kept elsewhere."""
        row = await self._pool.fetchrow(_SQL["last"])
        return row["n"], row["hash"]

    async def size(self) -> tuple[int, int]:
        """Return how many links there are and how many rows they cover; of a long chain about how many."""
        row = await self._pool.fetchrow(_SQL["size"])
        return row["links"], row["rows"]

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
            fault = _chained(row, expected, previous, through) or _anchored(row, anchor)
            fault = fault or await self._rows_fit(row)
            if fault is not None:
                return fault
            through, previous, expected = row["through"], row["hash"], expected + 1
            step(row["records"] + row["events"])
        if anchor is not None and anchor[0] >= expected:
            return Fault(link=expected, what=f"the chain ends before the anchor {anchor[0]}: links were cut off")
        return Fault(link=0, what="there is no chain") if expected == 0 else None

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
            _difference(row, "audit_records", row["leaves"][:split], records, [record_leaf(one) for one in records])
            or _own_hashes(row, records)
            or _difference(row, "ticket_events", row["leaves"][split:], events, [event_leaf(one) for one in events])
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
        return [_kept(row) for row in found]

    async def commands(self, *, before: int, number: str = "", limit: int) -> list[Kept]:
        """Return commands on tickets as records, the newest first, below position `before`."""
        found = await self._pool.fetch(_SQL["commands"], before, number, limit)
        return [_command(row, f"ticket.{row['type']}") for row in found]

    async def exported(self, step: Step, *, batch: int = 2000) -> AsyncIterator[Kept]:
        """Yield both logs in commit order, telling `step` the rows."""
        after = (0, 0)
        while found := await self._pool.fetch(_SQL["exported"], *after, batch):
            for row in found:
                yield _kept(row) if row["id"] else _command(row, row["act"])
            after = (found[-1]["position"], found[-1]["id"])
            step(len(found))


async def _add(connection: asyncpg.Connection, link: Link, own: bytes) -> None:
    code = sealing.ring().code(own) or b""
    await connection.execute(_SQL["add_link"], *link, own, code)


def _chained(row: asyncpg.Record, expected: int, previous: bytes, through: int | None) -> Fault | None:
    """Return what is wrong with a link itself."""
    n = row["n"]
    if n != expected:
        return Fault(link=expected, what=f"link {expected} is missing")
    if n == 0:
        return None
    link = Link(n, row["after"], row["through"], row["records"], row["events"], row["leaves"], row["linked_at"],
                row["key"])
    if row["after"] != through or link_hash(link, previous) != row["hash"]:
        return Fault(link=n, what="the link was changed, or what comes before it")
    if len(row["leaves"]) != 32 * (row["records"] + row["events"]):
        return Fault(link=n, what="the link does not have a leaf for each of its rows")
    code = sealing.ring().code(row["hash"], key=row["key"])
    if code is None:
        raise InvalidInput(f"link {n} was signed with key {row['key']}, which the key file does not have")
    if code != row["mac"]:
        return Fault(link=n, what="the link was not signed by this house: the chain was made anew by somebody else")
    return None


def _anchored(row: asyncpg.Record, anchor: tuple[int, bytes] | None) -> Fault | None:
    if anchor is not None and row["n"] == anchor[0] and row["hash"] != anchor[1]:
        return Fault(link=row["n"], what="the chain is another one than the anchor was taken from")
    return None


def _difference(
    link: asyncpg.Record, name: str, leaves: bytes, rows: Sequence[asyncpg.Record], found: Sequence[bytes]
) -> Fault | None:
    difference = first_difference(leaves, found)
    if difference is None:
        return None
    index, how = difference
    if index < len(rows):
        row = rows[index]
        own = row["id"] if name == "audit_records" else row["ticket_id"]
        where = "before this row" if how == "deleted" else "this row"
        return Fault(link=link["n"], what=f"{how}: {where}", log=name, position=row["position"], number=own)
    return Fault(link=link["n"], what=f"{how}: the end of the stretch", log=name, position=link["through"])


def _own_hashes(link: asyncpg.Record, records: Sequence[asyncpg.Record]) -> Fault | None:
    for row in records:
        if not _is_own(row):
            return Fault(link=link["n"], what="changed: before it was chained", log="audit_records",
                         position=row["position"], number=row["id"])
    return None


def _is_own(row: asyncpg.Record) -> bool:
    """Tell whether a record's own hash fits its content."""
    return bool(content_hash(_kept(row), row["detail"]) == row["hash"])


def _kept(row: asyncpg.Record) -> Kept:
    return Kept(
        position=row["position"], id=row["id"], at=row["at"], actor=row["actor"], act=row["act"],
        subject=row["subject"], result=row["result"], detail=_details.decode(row["detail"]),
    )


class _Numbered(msgspec.Struct):
    number: str
    state: str = ""


_numbers = msgspec.json.Decoder(_Numbered)


def _command(row: asyncpg.Record, act: str) -> Kept:
    """Return an event as a record; its summary tells number and state."""
    summary = _numbers.decode(row["summary"] if "summary" in row.keys() else row["subject"])  # noqa: SIM118
    return Kept(position=row["position"], id=0, at=row["at"], actor=row["actor"], act=act, subject=summary.number,
                detail={"state": summary.state})
