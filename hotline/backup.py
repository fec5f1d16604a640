"""Backup and restore: database, attachments, spool and recordings together (docs/operations.md)."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from hotline import archive
from hotline.archive import DUMP, FILES, LIST, Manifest, Step, Writer
from hotline.errors import InvalidInput
from hotline.shelf import SHELF, bring, is_shelved, stock, unfinished
from hotline.store import dump
from hotline.store.migrate import available, check_city, migrate
from hotline.store.owned import check_owner, identity, own

_FORGOTTEN = timedelta(days=1)


async def back_up(
    dsn: str, data: Path, target: Path, *, at: datetime, step: Step, shelved: bool = False
) -> Manifest:
    """Write a backup to the file `target` while the service goes on; all that was acknowledged before is in it.

    Args:
        data: the data directory.
        shelved: files that never change are kept beside the backup, once for all of its folder (`hotline.shelf`).
        step: is told the bytes worked on.

    Raises:
        InvalidInput: the file exists, or there is nothing to back up.
        Unavailable: the database or its programs fail.
    """
    await asyncio.to_thread(_sweep_unfinished, target.parent, at - _FORGOTTEN, shelved=shelved)
    with archive.written(target, step) as writer:
        await asyncio.to_thread(writer.add_folder, data, "spool")
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
            async with dump.snapshot(dsn) as moment:
                await asyncio.to_thread(moment.dump, Path(folder) / DUMP, step)
            await asyncio.to_thread(writer.add, DUMP, Path(folder) / DUMP)
            beside = await asyncio.to_thread(_shelve, writer, data, Path(folder), at, step) if shelved else (0, 0)
        for name in FILES:
            await asyncio.to_thread(writer.add_folder, data, name, but=is_shelved if shelved else _none)
        return writer.finish(at, moment.about, beside=beside)


def _none(_: str) -> bool:
    return False


def _shelve(writer: Writer, data: Path, folder: Path, at: datetime, step: Step) -> tuple[int, int]:
    """Keep beside the backup what never changes; what is not what it is called goes into it as it is."""
    found = stock(data, folder.parent / SHELF, folder / LIST, at=at, step=step)
    writer.add(LIST, folder / LIST)
    for name in found.odd:
        writer.add(name, data / name)
    return found.files, found.size


async def restore(
    dsn: str, data: Path, source: Path, manifest: Manifest, *, force: bool, checked: Step, loaded: Step, city: str = "",
) -> list[str]:
    """Restore a backup and bring the database up to date; return the names of migrations that were applied.

    Everything is unpacked and compared with its SHA-256 before anything is changed.

    Args:
        checked: is told the bytes unpacked.
        loaded: is told how many bytes of the dump are loaded so far.
        city: the code of the city, which a backup that tells its own must be of.

    Raises:
        InvalidInput: the database is not empty and not `force`, the service runs, or the backup is damaged, newer or
            another city's; or the files in `data` are another database's.
        Unavailable: the database or its programs fail; the database is as it was.
    """
    check_city(manifest.about.city, city)
    newest = available()[-1].version
    if manifest.about.migration > newest:
        raise InvalidInput(f"the backup has migration {manifest.about.migration}, this version {newest}: upgrade first")
    database = await identity(dsn)
    check_owner(data, database)
    replace, bin_dir = await dump.check_free(dsn, force=force, server=manifest.about.server)
    folder = await asyncio.to_thread(_new_folder, data)
    try:
        await asyncio.to_thread(check, source, manifest, folder, checked, shelved_to=folder)
        await asyncio.to_thread(own, data, database)
        for name in FILES:
            await asyncio.to_thread(archive.put_in_place, folder, data, name)
        await asyncio.to_thread(
            dump.load, dsn, folder / DUMP, position=manifest.about.position, replace=replace, bin_dir=bin_dir,
            step=loaded,
        )
        await asyncio.to_thread(archive.put_in_place, folder, data, "spool")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [f"{done.version:04d} {done.name}" for done in await migrate(dsn, city=city)]


def _sweep_unfinished(folder: Path, before: datetime, *, shelved: bool) -> None:
    """Delete what backups that were killed have left; one that goes on has just written to its files."""
    halves = unfinished(folder / SHELF) if shelved else []  # `files/` beside a single file may be anybody's
    for left in [*folder.glob(".hotline-*.tar-*"), *folder.glob("hotline-*.tar.part"), *halves]:
        with contextlib.suppress(FileNotFoundError):
            if max(path.stat().st_mtime for path in (left, *left.glob("*"))) < before.timestamp():
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def check(source: Path, manifest: Manifest, folder: Path, step: Step, *, shelved_to: Path | None = None) -> None:
    """Unpack a backup and compare every file with its SHA-256. Raises InvalidInput.

    Args:
        folder: an empty one, with room for what the archive has.
        shelved_to: where what is kept beside the backup is copied to; nowhere (None) where it is only looked at.
    """
    archive.unpack(source, manifest, folder, step)
    if (folder / LIST).exists():
        bring(folder / LIST, source.parent / SHELF, shelved_to, step)


def _new_folder(data: Path) -> Path:
    data.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=data, prefix="restore-"))
