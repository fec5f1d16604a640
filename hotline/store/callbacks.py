"""The ledger of callbacks in PostgreSQL: each change under the entry's lock, told to the consoles in the same order.

An entry that cannot be read stands in no other's way: it is passed over, logged (`callback_unreadable`), and where it
would come up again at once, put off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import structlog

from agent_ui.masking import masked
from agent_ui.ports import Page
from hotline.callbacks import Change, Letter
from hotline.errors import NotFound
from hotline.keyring import Damaged
from hotline.store.answering import answering
from hotline.store.database import statements
from hotline.store.jobs import Job, enqueue
from hotline.store.rows import to_json
from hotline.store.sealing import blind, open_document, seal_document, sealed_message
from routing.callbacks import Callback

log = structlog.get_logger(__name__)
PUT_OFF = timedelta(hours=1)
_SQL = statements("callbacks")
_entries = msgspec.json.Decoder(Callback)
_FIRST = (datetime(1970, 1, 1, tzinfo=UTC), 0)


class CallbackStore:
    """Fulfils `hotline.callbacks.Ledger` over a pool. Everything raises Unavailable without a database."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[asyncpg.Connection]:
        with answering():
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection

    async def owe(self, entry: Callback, *, actor: str, now: datetime) -> Callback:
        """Keep a new entry; one of the same call is returned as it is."""
        async with self._transaction() as connection:
            id_ = await connection.fetchval(
                _SQL["owe"], entry.call, blind(entry.phone), entry.missed_at, entry.state, entry.next_at, entry.due_at,
                _sealed(entry),
            )
            if id_ is None:
                return _entry(await connection.fetchrow(_SQL["by_call"], entry.call))
            kept = msgspec.structs.replace(entry, id=id_)
            await _tell(connection, [kept], actor, now)
            return kept

    async def change(self, id_: int, change: Change, *, actor: str, now: datetime, letter: Letter) -> Callback:
        """Change an entry under its lock and tell it. Raises NotFound, and what `change` raises."""
        async with self._transaction() as connection:
            row = await connection.fetchrow(_SQL["hold"], id_)
            if row is None:
                raise NotFound(f"there is no callback {id_}")
            before = _entry(row)
            after = change(before) or before
            await _put(connection, [after] if after != before else [], actor, now)
            message = letter(after)
            if message is not None:
                sealed = sealed_message(message)
                new = await connection.fetchval(_SQL["message"], message.key, message.channel, sealed, now)
                await enqueue(connection, Job.SEND_MESSAGE, [message.key] if new else [])
            return after

    async def change_with_others(
        self, id_: int, change: Change, others: Change, *, actor: str, now: datetime
    ) -> Callback:
        """Change an entry, and what else is owed to its telephone. Raises NotFound, and what `change` raises."""
        async with self._transaction() as connection:
            rows = {row["id"]: row for row in await connection.fetch(_SQL["hold_with_others"], id_)}
            if id_ not in rows:
                raise NotFound(f"there is no callback {id_}")
            before = _entry(rows.pop(id_))
            after = change(before) or before
            changed = [*([after] if after != before else []), *_changed(_legible(rows.values()), others)]
            await _put(connection, changed, actor, now)
            return after

    async def take_next(self, change: Change, *, actor: str, now: datetime) -> Callback | None:
        """Change the owed entry that has waited longest; None where nothing is to be tried now."""
        while True:
            async with self._transaction() as connection:
                row = await connection.fetchrow(_SQL["hold_next"], now)
                if row is None:
                    return None
                if not (legible := await _left_legible(connection, [row], now)):
                    continue
                after = change(legible[0])
                await _put(connection, [after] if after is not None else [], actor, now)
                return after

    async def change_all(self, phone: str, change: Change, *, actor: str, now: datetime) -> int:
        """Change what is still owed to a telephone; return how many changed."""
        async with self._transaction() as connection:
            changed = _changed(_legible(await connection.fetch(_SQL["hold_phone"], blind(phone))), change)
            await _put(connection, changed, actor, now)
            return len(changed)

    async def lapse(self, change: Change, *, now: datetime, limit: int) -> int:
        """Change what time has something to do to, `limit` of each kind; return how many changed."""
        async with self._transaction() as connection:
            entries = await _left_legible(connection, await connection.fetch(_SQL["hold_lapsed"], now, limit), now)
            await connection.execute(_SQL["mark_tried"], [one.id for one in entries if one.tries])
            changed = _changed(entries, change)
            await _put(connection, changed, "system:", now)
            return len(changed)


async def waiting(
    pool: asyncpg.Pool, after: tuple[datetime, int] | None, limit: int
) -> tuple[Page, tuple[datetime, int] | None]:
    """Return what is not done, the longest waiting first, telephones hidden; and where a page that has a next ends."""
    found = await pool.fetch(_SQL["waiting"], *(after or _FIRST), limit + 1)
    rows = [row for row in found if row["id"] is not None]
    shown = rows[:limit]
    entries = [msgspec.Raw(msgspec.json.encode(masked(entry))) for entry in _legible(shown)]
    end = (shown[-1]["missed_at"], shown[-1]["id"]) if len(rows) > limit else None
    return Page(seq=found[0]["seq"], rows=tuple(entries)), end


def _sealed(entry: Callback) -> str:
    return seal_document(entry, context=f"callback {entry.call}")


def _entry(row: asyncpg.Record) -> Callback:
    doc = open_document(row["doc"], context=f"callback {row['call']}")
    return msgspec.structs.replace(_entries.decode(doc), id=row["id"])


def _legible(rows: Iterable[asyncpg.Record]) -> list[Callback]:
    found = []
    for row in rows:
        try:
            found.append(_entry(row))
        except (Damaged, msgspec.MsgspecError):  # one entry must not hold back all others
            log.exception("callback_unreadable", id=row["id"], call=row["call"])
    return found


async def _left_legible(
    connection: asyncpg.Connection, rows: Sequence[asyncpg.Record], now: datetime
) -> list[Callback]:
    """Return what can be read; the rest is put off, so that it takes no place from what is due either."""
    found = _legible(rows)
    damaged = {row["id"] for row in rows} - {one.id for one in found}
    if damaged:
        await connection.execute(_SQL["put_off"], sorted(damaged), now + PUT_OFF)
    return found


def _changed(entries: Iterable[Callback], change: Change) -> list[Callback]:
    return [after for one in entries if (after := change(one)) is not None]


async def _put(connection: asyncpg.Connection, entries: Sequence[Callback], actor: str, now: datetime) -> None:
    for entry in entries:
        await connection.execute(
            _SQL["put"], entry.id, entry.state, entry.agent, entry.next_at, entry.late, entry.outcome or "",
            entry.done_at, bool(entry.tries), _sealed(entry),
        )
    await _tell(connection, entries, actor, now)


async def _tell(connection: asyncpg.Connection, entries: Sequence[Callback], actor: str, now: datetime) -> None:
    if entries:
        docs = [to_json(msgspec.to_builtins(masked(entry)) | {"actor": actor}) for entry in entries]
        await connection.execute(_SQL["tell"], now, docs)
        await connection.execute("NOTIFY hotline_events")
