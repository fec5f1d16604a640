"""Files that were uploaded: kept for a day, and for good once a ticket or a piece of evidence has claimed them.

The bytes lie under the SHA-256 of their content, so the same picture sent twice is one file, with one row. Whoever
claims a file asks for it first, and asking lets it live for another day: between that and the commit no sweep takes it.
The row keeps no name: it is one for all who sent the content, and each calls it by their own where they attach it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

import asyncpg
import msgspec
import structlog

from channels.attachments import named
from hotline.appeal import Attachment
from hotline.durable import write_durably
from hotline.errors import NotFound
from hotline.events import Receive, TicketEvent
from hotline.store import rows
from hotline.store.database import statements

log = structlog.get_logger(__name__)
_SQL = statements("uploads")
KEPT = timedelta(hours=24)
"""How long a file stays that no appeal claims [P]; the pages' drafts go by it (agent_ui/web/src/drafts/files.ts)."""
STEP = 100
UNFINISHED = "unfinished"
"""The folder of files that are being written, of its own: to find forgotten ones takes no look at all others."""


class Uploads:
    """The files of one database, under `files`. Fulfils `hotline.ports.Files`."""

    def __init__(self, pool: asyncpg.Pool, *, files: Path) -> None:
        self._pool, self._files = pool, files

    def path_of(self, key: str) -> Path:
        """Return where the bytes of an attachment lie; `key` is hexadecimal, so it cannot leave the folder."""
        return self._files / key[:2] / key

    async def keep_attachment(self, attachment: Attachment, data: bytes, now: datetime) -> None:
        """Keep a file: first safely on disk, then in the table, so a row never lacks its bytes."""
        path = self.path_of(attachment.key)
        await asyncio.to_thread(write_durably, path, data, aside=self._files / UNFINISHED)
        await self._pool.execute(_SQL["keep"], attachment.key, rows.to_json(named(attachment, "")), now, now + KEPT)
        if not await asyncio.to_thread(path.exists):  # a sweep took the same content between the two
            await asyncio.to_thread(write_durably, path, data, aside=self._files / UNFINISHED)

    async def attachment(self, key: str, now: datetime) -> Attachment:
        """Return what was stored under `key`, by no name, for somebody about to claim it. Raises NotFound."""
        doc = await self._pool.fetchval(_SQL["hold"], key, now + KEPT)
        if doc is None or not await asyncio.to_thread(self.path_of(key).exists):
            raise NotFound(f"there is no attachment {key[:16]}…: upload it first", field="attachments")
        return named(msgspec.json.decode(doc, type=Attachment), "")  # rows of before have the first sender's name

    async def sweep(self, now: datetime) -> int:
        """Delete what nobody claimed in time; return how many. Safe in several processes, and beside who claims."""
        await asyncio.to_thread(sweep_unfinished, self._files, now - KEPT)
        swept = 0
        while True:
            async with self._pool.acquire() as connection, connection.transaction():
                gone = [row["key"] for row in await connection.fetch(_SQL["sweep"], now, STEP)]
                # Before the rows are free: who uploads the same again waits for them, and then looks for its bytes.
                await asyncio.to_thread(self._unlink, gone)
            swept += len(gone)
            if len(gone) < STEP:
                break
        if swept:
            log.info("uploads_swept", files=swept)
        return swept

    def _unlink(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.path_of(key).unlink(missing_ok=True)


def attached(events: Iterable[TicketEvent]) -> set[str]:
    """Return the keys of the files that these events bring."""
    facts = [event.fact for event in events]
    found = [fact.appeal.attachments if isinstance(fact, Receive) else getattr(fact, "attachments", ())
             for fact in facts]
    return {one.key for one in chain.from_iterable(found)}


async def claim(connection: asyncpg.Connection, keys: set[str]) -> None:
    """Let files stay for good, in the transaction of what has them."""
    if keys:
        await connection.execute(_SQL["claim"], list(keys))


def sweep_unfinished(files: Path, before: datetime) -> None:
    """Delete what processes that were killed in the middle of a file have left since before a moment."""
    for path in (files / UNFINISHED).glob("tmp*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
