"""Recordings: files under their SHA-256, rows with how long they are kept. No row lacks its file before its time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import structlog

from agent_ui.masking import mask_text
from hotline.durable import write_durably
from hotline.errors import NotFound
from hotline.recordings import CallOfTicket, Recording, Wanted
from hotline.store.answering import answering
from hotline.store.database import statements
from hotline.store.sealing import caller_of
from hotline.store.uploads import KEPT, UNFINISHED, sweep_unfinished

log = structlog.get_logger(__name__)
_SQL = statements("recordings")
_BATCH, _SHOWN = 100, 100


class RecordingStore:
    """Fulfils `hotline.recordings.Kept`. `files`: the folder; `days`: how long recordings are kept."""

    def __init__(self, pool: asyncpg.Pool, *, files: Path, days: int) -> None:
        self._pool, self._files, self._days = pool, files, timedelta(days=days)

    def path_of(self, sha256: str) -> Path:
        """Return where the bytes lie; the hash is hexadecimal, so it cannot leave the folder."""
        return self._files / sha256[:2] / f"{sha256}.wav"

    async def wanted(self, before: datetime) -> list[Wanted]:
        """Return recordings of calls that ended before a moment and are not here yet, the least tried first."""
        with answering():
            found = await self._pool.fetch(_SQL["to_fetch"], before, _BATCH)
        return [_wanted(row) for row in found]

    async def left(self, before: datetime) -> list[Wanted]:
        """Return recordings that are here, and perhaps still at the PBX, likewise."""
        with answering():
            found = await self._pool.fetch(_SQL["to_drop"], before, _BATCH)
        return [_wanted(row, kept=True) for row in found]

    async def dropped(self, call: str) -> None:
        """The PBX has deleted its file."""
        with answering():
            await self._pool.execute(_SQL["dropped"], call)

    async def in_vain(self, calls: Sequence[str]) -> None:
        """These could not be had, or deleted: ask for them more rarely, and after others."""
        with answering():
            await self._pool.execute(_SQL["in_vain"], list(calls))

    async def keep(self, call: str, data: bytes, *, now: datetime) -> str:
        """Keep a recording: first safely on disk, then in the table. Return its SHA-256."""
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        await asyncio.to_thread(write_durably, self.path_of(sha256), data, aside=self._files / UNFINISHED)
        with answering():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_SQL["one_at_a_time"], sha256)
                await connection.execute(_SQL["keep"], call, sha256, len(data), now, now + self._days)
        if not await asyncio.to_thread(self.path_of(sha256).exists):  # the same content was deleted between the two
            await asyncio.to_thread(write_durably, self.path_of(sha256), data, aside=self._files / UNFINISHED)
        return sha256

    async def gone(self, call: str) -> None:
        """The PBX has no such file any more: ask for it no longer."""
        with answering():
            await self._pool.execute(_SQL["gone"], call)

    async def of(self, call: str) -> Recording:
        """Return a call's recording. Raises NotFound where there is none, or none any more."""
        with answering():
            row = await self._pool.fetchrow(_SQL["of"], call)
        if row is None or row["deleted_at"] is not None:
            raise NotFound(f"there is no recording of call {call}" if row is None else "its time was over")
        return Recording(
            call=row["call"], sha256=row["sha256"], bytes=row["bytes"], kept_at=row["kept_at"],
            keep_until=row["keep_until"], legal_hold=row["legal_hold"],
        )

    async def of_ticket(self, number: str) -> tuple[CallOfTicket, ...]:
        """Return the calls of a ticket, the newest first."""
        with answering():
            found = await self._pool.fetch(_SQL["of_ticket"], number, _SHOWN)
        return tuple(
            CallOfTicket(
                call=row["id"], direction=row["direction"], agent=row["agent"], caller=mask_text(caller_of(row)),
                started_at=row["started_at"], answered_at=row["answered_at"], ended_at=row["ended_at"],
                recorded=row["sha256"] is not None and row["deleted_at"] is None, sha256=row["sha256"] or "",
                keep_until=row["keep_until"], legal_hold=bool(row["legal_hold"]),
            )
            for row in found
        )

    async def hold(self, call: str, *, held: bool) -> None:
        """Put a recording on legal hold or take it off. Raises NotFound."""
        with answering():
            if await self._pool.fetchval(_SQL["hold"], call, held) is None:
                raise NotFound(f"there is no recording of call {call}")

    async def purge(self, now: datetime) -> int:
        """Delete what has been kept long enough; return how many recordings that were. Any process may, at any time.

        Raises OSError: a file cannot be deleted; its recording stays due, and keeps no other back.
        """
        await asyncio.to_thread(sweep_unfinished, self._files, now - KEPT)
        purged = 0
        while found := await self._pool.fetch(_SQL["due"], now, _BATCH):
            failed = [error for row in found if (error := await self._deleted(row, now)) is not None]
            if failed:
                raise failed[0]
            purged += len(found)
        return purged

    async def _deleted(self, row: asyncpg.Record, now: datetime) -> OSError | None:
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_SQL["one_at_a_time"], row["sha256"])
                last = await connection.fetchval(_SQL["delete"], row["call"], now)
                if last is not None:  # before it is noted: of what is left over after a kill nobody would know
                    await asyncio.to_thread(self.path_of(last).unlink, missing_ok=True)
        except OSError as error:
            log.exception("recording_not_deleted", call=row["call"])
            return error
        return None

    async def damaged(self) -> AsyncIterator[tuple[str, str]]:
        """Yield call and reason of every recording whose file is missing or not what was kept."""
        after = ""
        while found := await self._pool.fetch(_SQL["all"], after, _BATCH):
            for row in found:
                if wrong := await asyncio.to_thread(_wrong, self.path_of(row["sha256"]), row["sha256"]):
                    yield row["call"], wrong
            after = found[-1]["call"]


def _wanted(row: asyncpg.Record, *, kept: bool = False) -> Wanted:
    return Wanted(
        call=row["id"], name=row["recording"], ended_at=row["ended_at"], kept=kept, in_vain=row["fetched_in_vain"]
    )


def _wrong(path: Path, sha256: str) -> str:
    try:
        with path.open("rb") as file:
            return "" if hashlib.file_digest(file, "sha256").hexdigest() == sha256 else "changed"
    except FileNotFoundError:
        return "missing"


