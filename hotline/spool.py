"""A spool on disk for deliveries that were promised to a sender before the database took them.

WeChat wants its answer within 5 s. When the database is slow the delivery is written here (fsynced), the sender gets
its `success`, and the spool submits the delivery again until it is committed; the inbox makes the repeat harmless. Then
the citizen is told by a message of its own, whose key makes it go out once. One file per delivery; a file is deleted
after everything it stands for is committed.

One delivery that never gets through, a fault of ours, holds up no other: it is tried ever more rarely, and set aside
for a person once it has failed again and again while others got through; then it is still tried every hour. Where
several fail on end the core is away.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import structlog

from channels.message import Inbound, Receipt
from channels.port import submitted
from hotline.errors import UNREADABLE, HotlineError, Overloaded, RateLimited, Unavailable

log = structlog.get_logger(__name__)

_REFUSED, _UNREADABLE, _STUCK = ".refused", ".unreadable", ".stuck"
_AWAY = 3
"""Different deliveries that fail one after the other: then it is not theirs, and the rest waits."""
_OWN_FAILURES = 10
"""Failures of one delivery, each after another got through, that are its own."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_STUCK_PAUSE = 3600.0
"""A slow database fails one delivery and not the next by chance: what was set aside for that gets in by itself."""
Write = Callable[[Path, bytes], None]
Submit = Callable[[Inbound], Awaitable[Receipt]]
Tell = Callable[[Inbound, Receipt], Awaitable[None]]


class _Failing(msgspec.Struct, frozen=True):
    """A delivery that did not get through: when it is due again, after which pause, how often it failed by itself."""

    due: float
    pause: float
    own: int
    delivered: int


class Spool:
    """The spool in `folder`, shared by the processes of one machine: submitting twice is harmless.

    `clock` tells seconds that only run forward.
    """

    def __init__(
        self, folder: Path, *, write: Write, submit: Submit, tell: Tell, interval: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._write, self._submit, self._tell = folder, write, submit, tell
        self._interval, self._clock = interval, clock
        self._failing: dict[str, _Failing] = {}
        self._delivered = 0

    def put(self, inbound: Inbound) -> None:
        """Keep a delivery safely; a repeat overwrites its own file."""
        name = hashlib.sha256(f"{inbound.channel}\n{inbound.external_id}".encode()).hexdigest()
        self._write(self._folder / f"{name}.json", msgspec.json.encode(inbound))

    def waiting(self) -> list[Path]:
        """Return the files that still stand for something, oldest first."""
        return self._oldest_first("*.json")

    def _oldest_first(self, pattern: str) -> list[Path]:
        found = [(written, path) for path in self._folder.glob(pattern) if (written := _written(path)) is not None]
        return [path for _, path in sorted(found)]

    def _to_submit(self) -> list[Path]:
        return [*self.waiting(), *self._oldest_first(f"*{_STUCK}")]

    def count(self) -> tuple[int, int]:
        """Return how many files wait, and how many were set aside for a person (`*.stuck` is still tried)."""
        aside = [path for suffix in (_REFUSED, _UNREADABLE, _STUCK) for path in self._folder.glob(f"*{suffix}")]
        return len(self.waiting()), len(aside)

    async def run(self) -> None:
        """Submit what waits, again and again, until cancelled."""
        while True:
            await self.drain()
            await asyncio.sleep(self._interval)

    async def drain(self) -> None:
        """Submit everything that is due once; what does not get through stays for a later round."""
        waiting, failed = await asyncio.to_thread(self._to_submit), 0
        self._failing = {path.name: self._failing[path.name] for path in waiting if path.name in self._failing}
        for path in waiting:
            if failed >= _AWAY:
                return
            known = self._failing.get(path.name)
            if known is None or known.due <= self._clock():
                failed = 0 if await self._delivers(path) else failed + 1

    async def _delivers(self, path: Path) -> bool:
        """Tell whether there is nothing left to do for a delivery."""
        try:
            await self._deliver(path)
        except (Overloaded, Unavailable, OSError) as error:
            log.warning("spool_waits", file=path.name, error=str(error))
            await self._put_off(path, looked_at=not isinstance(error, Overloaded))
            return False
        except Exception:  # a fault of ours, or the database as the answer was written: it holds up no other either
            log.exception("spool_waits", file=path.name)
            await self._put_off(path, looked_at=True)
            return False
        self._failing.pop(path.name, None)
        return True

    async def _put_off(self, path: Path, *, looked_at: bool) -> None:
        """Note when a delivery is due again. `looked_at`: not refused before it was, which says nothing about it."""
        known = self._failing.get(path.name, _Failing(0.0, _FIRST_PAUSE / 2, 0, self._delivered))
        own = known.own + (looked_at and self._delivered > known.delivered)
        stuck = looked_at and (path.suffix == _STUCK or own >= _OWN_FAILURES)
        if stuck and path.suffix != _STUCK:
            log.error("spool_stuck", file=path.name, failures=own)
            await asyncio.to_thread(_set_aside, path, _STUCK)
        pause = _STUCK_PAUSE if stuck else min(2 * known.pause, _LONGEST_PAUSE)
        name = path.with_suffix(_STUCK).name if stuck else path.name
        self._failing[name] = _Failing(self._clock() + pause, pause, own, self._delivered)

    async def _deliver(self, path: Path) -> None:
        inbound = await asyncio.to_thread(_read, path)
        if inbound is None:
            return
        try:
            await self._tell(inbound, await submitted(self._submit, inbound))
        except (Overloaded, Unavailable):
            raise
        except RateLimited:  # one too many of a marked contact: refused as at any other time, and kept as evidence
            log.info("spool_contained", file=path.name)
            await asyncio.to_thread(path.unlink, missing_ok=True)
        except HotlineError as error:
            log.warning("spool_refused", file=path.name, error_id=error.error_id, detail=error.detail)
            await asyncio.to_thread(_set_aside, path, _REFUSED)
        else:
            self._delivered += 1
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _written(path: Path) -> float | None:
    """Return when a file was written, None if another process has just dealt with it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


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
