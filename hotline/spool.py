"""A spool on disk for deliveries that were promised to a sender before the database took them.

WeChat wants its answer within 5 s. When the database is slow the delivery is written here (fsynced), the sender gets
its `success`, and the spool submits the delivery again until it is committed; the inbox makes the repeat harmless. Then
the citizen is told by a message of its own, whose key makes it go out once. One file per delivery; a file is deleted
after everything it stands for is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import structlog

from channels.message import Inbound, Receipt
from hotline.errors import UNREADABLE, HotlineError, Overloaded, RateLimited, Unavailable

log = structlog.get_logger(__name__)

_REFUSED, _UNREADABLE = ".refused", ".unreadable"
Write = Callable[[Path, bytes], None]
Submit = Callable[[Inbound], Awaitable[Receipt]]
Tell = Callable[[Inbound, Receipt], Awaitable[None]]


class Spool:
    """The spool in `folder`, shared by the processes of one machine: submitting twice is harmless."""

    def __init__(self, folder: Path, *, write: Write, submit: Submit, tell: Tell, interval: float = 0.5) -> None:
        self._folder, self._write, self._submit, self._tell = folder, write, submit, tell
        self._interval = interval

    def put(self, inbound: Inbound) -> None:
        """Keep a delivery safely; a repeat overwrites its own file."""
        name = hashlib.sha256(f"{inbound.channel}\n{inbound.external_id}".encode()).hexdigest()
        self._write(self._folder / f"{name}.json", msgspec.json.encode(inbound))

    def waiting(self) -> list[Path]:
        """Return the files that still stand for something, oldest first."""
        return sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime)

    def count(self) -> tuple[int, int]:
        """Return how many files wait, and how many were set aside: nobody submits those, they are for a person."""
        aside = [path for suffix in (_REFUSED, _UNREADABLE) for path in self._folder.glob(f"*{suffix}")]
        return len(self.waiting()), len(aside)

    async def run(self) -> None:
        """Submit what waits, again and again, until cancelled."""
        while True:
            await self.drain()
            await asyncio.sleep(self._interval)

    async def drain(self) -> None:
        """Submit everything that waits once; what does not get through stays for the next round."""
        for path in await asyncio.to_thread(self.waiting):
            try:
                await self._deliver(path)
            except (Overloaded, Unavailable, OSError) as error:
                log.warning("spool_waits", file=path.name, error=str(error))
                return

    async def _deliver(self, path: Path) -> None:
        inbound = await asyncio.to_thread(_read, path)
        if inbound is None:
            return
        try:
            await self._tell(inbound, await self._submit(inbound))
        except (Overloaded, Unavailable):
            raise
        except RateLimited:  # one too many of a marked contact: refused as at any other time, and kept as evidence
            log.info("spool_contained", file=path.name)
            await asyncio.to_thread(path.unlink, missing_ok=True)
        except HotlineError as error:
            log.warning("spool_refused", file=path.name, error_id=error.error_id, detail=error.detail)
            await asyncio.to_thread(_set_aside, path, _REFUSED)
        else:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _read(path: Path) -> Inbound | None:
    """Return the delivery; None if another process was quicker or the file is damaged (it is set aside then)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Inbound)
    except FileNotFoundError:
        return None
    except UNREADABLE:
        log.exception("spool_unreadable", file=path.name)
        _set_aside(path, _UNREADABLE)
        return None


def _set_aside(path: Path, suffix: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.rename(path.with_suffix(suffix))
