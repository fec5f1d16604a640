"""A citizen's data in PostgreSQL: handed out, held, erased, and swept in its time; each act with its record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from hotline.audit import Record
from hotline.errors import NotFound
from hotline.persons import Erased, Hold, Keeps, KeptTicket, PersonCall, PersonFile, PersonTicket, Standing, why_kept
from hotline.store.aging import STEP, Aged, age, empty_marks, entry_of, erase_callbacks
from hotline.store.audit import keep
from hotline.store.database import statements
from hotline.store.erasing import erase_tickets
from hotline.store.rows import event_from
from hotline.store.sealing import blind, words_of

_SQL = statements("persons")
_AGAIN = timedelta(days=1)


class PersonStore:
    """Persons on a pool. Fulfils `agent_ui.person_api.Persons`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    # ── handing out ──────────────────────────────────────────────────────────────────────────────
    async def export(self, phone: str, *, by: str, reason: str, now: datetime) -> PersonFile:
        """Return everything that is kept under a phone (E.164), and keep who asked."""
        index = blind(phone)
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_SQL["tickets"], index, now)
            tickets = await _tickets(connection, rows)
            calls = await _calls(connection, index)
            callbacks = [entry_of(row) for row in await connection.fetch(_SQL["all_callbacks"], index)]
            marks = await connection.fetch(_SQL["marks"], index)
            looked = await connection.fetch(_SQL["looked_up"], index)
            await keep(connection, Record(
                at=now, actor=by, act="person.export", subject=index,
                detail={"reason": reason, "tickets": str(len(tickets)), "calls": str(len(calls))},
            ))
        return PersonFile(
            phone=phone, made_at=now, tickets=tickets, marks=tuple(dict(row) for row in marks),
            calls=calls, looked_up={row["actor"]: row["times"] for row in looked},
            callbacks=tuple(msgspec.to_builtins(entry) for entry in callbacks),
        )

    # ── erasing ──────────────────────────────────────────────────────────────────────────────────
    async def erase(self, phone: str, *, by: str, reason: str, now: datetime) -> Erased:
        """Erase the identity wherever it may go; what must stay is told with the reason."""
        index = blind(phone)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["erasing"])
            rows = await connection.fetch(_SQL["tickets"], index, now)
            kept = {row["id"]: why for row in rows if (why := why_kept(_standing(row))) is not None}
            gone = [row for row in rows if row["id"] not in kept]
            await erase_tickets(connection, [row["id"] for row in gone], now)
            calls = await self._calls(connection, index, [*kept], kept.values(), now)
            callbacks = await connection.fetch(_SQL["callbacks"], index)
            await erase_callbacks(connection, callbacks)
            await empty_marks(connection, ended=now, contact=index)
            done = Erased(
                erased=tuple(row["number"] for row in gone), calls=calls,
                callbacks=len(callbacks),
                kept=tuple(KeptTicket(number=row["number"], why=kept[row["id"]]) for row in rows if row["id"] in kept),
            )
            await keep(connection, Record(
                at=now, actor=by, act="person.erase", subject=index, detail={
                    "reason": reason, "erased": str(len(done.erased)), "kept": str(len(done.kept)),
                    "calls": str(calls), "callbacks": str(len(callbacks)),
                },
            ))
        return done

    async def _calls(
        self, connection: asyncpg.Connection, index: str, tickets: Sequence[int], why: Any, now: datetime
    ) -> int:
        if Keeps.HOLD in why or Keeps.NUISANCE in why:
            return 0
        done = await connection.execute(_SQL["erase_calls"], index, tickets, now)
        return int(done.split()[-1])

    # ── retention ────────────────────────────────────────────────────────────────────────────────
    async def sweep(self, now: datetime, *, years: int) -> int:
        """Erase the identity of the next finished tickets, calls and callbacks older than so many years.

        Return of which kind most were looked at, and how many: STEP and more, and there is more to do.
        """
        before = _years_before(now, years)
        async with self._pool.acquire() as connection, connection.transaction():
            cursor = await connection.fetchrow(_SQL["hold_sweep"])
            if cursor is None:
                return 0  # another process sweeps
            await connection.execute(_SQL["erasing"])
            rows = await connection.fetch(_SQL["old"], cursor["at"], cursor["position"], before, STEP)
            if rows:
                await connection.execute(_SQL["move_sweep"], rows[-1]["created_at"], rows[-1]["id"])
            rows += await connection.fetch(_SQL["left"], now - _AGAIN, STEP)
            left = await _leave_some(connection, rows, now)
            aged = await age(connection, now, before=before)
            await _keep_sweep(connection, [row["id"] for row in rows if row["id"] not in left], left, aged, now)
        return max(len(rows), *aged)

    # ── legal hold ───────────────────────────────────────────────────────────────────────────────
    async def hold(self, *, number: str = "", phone: str = "", by: str, reason: str, now: datetime) -> int:
        """Hold a ticket, or all of a citizen; return the hold's id. What is just being erased is waited for.

        Raises NotFound.
        """
        index = blind(phone)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["holding"])
            ticket = await connection.fetchval(_SQL["ticket_id"], number) if number else None
            if number and ticket is None:
                raise NotFound(f"there is no ticket {number}")
            id_: int = await connection.fetchval(_SQL["hold"], ticket, index, reason, by, now)
            await connection.execute(_SQL["follow_holds"], ticket, index)
            await keep(connection, Record(
                at=now, actor=by, act="hold.put", subject=number or index, detail={"reason": reason, "hold": str(id_)}
            ))
        return id_

    async def release(self, id_: int, *, by: str, reason: str, now: datetime) -> None:
        """Lift a hold. Raises NotFound."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_SQL["release"], id_, by, now, reason)
            if row is None:
                raise NotFound(f"no hold {id_} is in force")
            await connection.execute(_SQL["follow_holds"], row["ticket_id"], row["citizen"])
            await keep(connection, Record(
                at=now, actor=by, act="hold.lift", subject=str(id_), detail={"reason": reason}
            ))

    async def holds(self) -> list[Hold]:
        """Return holds, the newest first."""
        return [Hold(**row) for row in await self._pool.fetch(_SQL["holds"])]


def _years_before(now: datetime, years: int) -> datetime:
    try:
        return now.replace(year=now.year - years)
    except ValueError:  # 29 February
        return now.replace(year=now.year - years, day=28)


def _standing(row: asyncpg.Record) -> Standing:
    return Standing(state=row["matter"], held=row["held"], marked=row["marked"], incident=row["incident"])


async def _leave_some(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record], now: datetime) -> frozenset[int]:
    """Erase the identity of tickets where it may go; return those that were left, to be looked at again."""
    left = frozenset(row["id"] for row in rows if why_kept(_standing(row)) is not None)
    gone = [row["id"] for row in rows if row["id"] not in left]
    if rows:
        await connection.execute(_SQL["leave"], list(left), now)
        await connection.execute(_SQL["not_left"], gone)
        await erase_tickets(connection, gone, now)
    return left


async def _keep_sweep(
    connection: asyncpg.Connection, gone: Sequence[int], left: frozenset[int], aged: Aged, now: datetime
) -> None:
    if not gone and not aged.calls and not aged.callbacks:
        return
    range_ = {"first": str(min(gone)), "last": str(max(gone))} if gone else {}
    await keep(connection, Record(at=now, actor="system:", act="retention.erase", detail={
        "tickets": str(len(gone)), "left": str(len(left)), "calls": str(aged.calls), "callbacks": str(aged.callbacks),
    } | range_))


async def _tickets(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> tuple[PersonTicket, ...]:
    histories: dict[int, list[dict[str, Any]]] = {row["id"]: [] for row in rows}
    for row in await connection.fetch(_SQL["histories"], list(histories)):
        event = event_from(row["doc"], row["sealed"])
        histories[row["ticket_id"]].append(msgspec.to_builtins(event))
    return tuple(
        PersonTicket(
            number=row["number"], state=row["state"], created_at=row["created_at"], events=tuple(histories[row["id"]])
        )
        for row in rows
    )


async def _calls(connection: asyncpg.Connection, index: str) -> tuple[PersonCall, ...]:
    rows = await connection.fetch(_SQL["calls"], index)
    heard: dict[str, list[str]] = {row["id"]: [] for row in rows}
    for row in await connection.fetch(_SQL["words"], list(heard)):
        heard[row["call"]].append(f"{row['side']}: {words_of(row)}")
    return tuple(
        PersonCall(
            started_at=row["started_at"], ended_at=row["ended_at"], recorded=row["recorded"],
            words=tuple(heard[row["id"]]),
        )
        for row in rows
    )
