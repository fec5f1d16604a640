"""Files that never change, kept once for all backups of a folder: attachments and recordings, named by their SHA-256.

A backup adds to `files/` beside it what is new there, and lists in its archive what it needs of it. What no backup that
is left has listed goes with the last one that did (docs/decisions/0035-files-beside-backups.md).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from hotline.archive import FILES, Step, copied
from hotline.errors import InvalidInput

SHELF = "files"
_NAME = re.compile(rf"(?:{'|'.join(FILES)})/[0-9a-f]{{2}}/([0-9a-f]{{64}})(?:\.wav)?")
_MADE = "hotline-%Y%m%dT%H%M%SZ.tar"


class Stocked(NamedTuple):
    """What lies on the shelf for a backup, and the names of files whose content is not what they are called."""

    files: int
    size: int
    odd: list[str]


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep the folder of backups for oneself. A process that ends, however, lets it go.

    Raises:
        InvalidInput: another backup goes into it.
    """
    with (folder / ".lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InvalidInput(
                f"another backup into {folder} is under way: try again when it has ended", error_id="backup_under_way"
            ) from error
        yield


def is_shelved(name: str) -> bool:
    """Tell whether a file of the data directory is called by its content."""
    return _NAME.fullmatch(name) is not None


def name_of(made_at: datetime) -> str:
    """Return the name of a backup in a folder of backups."""
    return made_at.strftime(_MADE)


def stock(data: Path, shelf: Path, listing: Path, *, at: datetime, step: Step) -> Stocked:
    """Put on the shelf what is not there yet, and write the list of all that the backup of this moment needs."""
    files, size, odd = 0, 0, list[str]()
    with listing.open("x", encoding="ascii") as lines:
        listing.chmod(0o600)
        for name, path in _found(data):
            try:
                bytes_ = _put(path, shelf / name, at, step)
            except _Gone:
                continue
            if bytes_ is None:
                odd.append(name)
            else:
                lines.write(f"{name}\n")
                files, size = files + 1, size + bytes_
    return Stocked(files, size, odd)


def _found(data: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of every file that is called by its content: a folder at a time, for there are millions."""
    for folder in FILES:
        for part in sorted((data / folder).glob("[0-9a-f][0-9a-f]")):
            for path in sorted(part.iterdir()):
                name = f"{folder}/{part.name}/{path.name}"
                if is_shelved(name):
                    yield name, path


class _Gone(Exception):
    """The time of a file of the data directory was over meanwhile. Missing on the shelf is another matter."""


def _put(path: Path, target: Path, at: datetime, step: Step) -> int | None:
    """Copy a file that is not there yet, and note when it was last needed.

    Returns its size, None where it is not what it is called. Raises _Gone.
    """
    with _unless_gone(path):
        size = path.stat().st_size
    needed = at.timestamp()
    if target.exists() and (there := target.stat()).st_size == size:
        needed = max(needed, there.st_mtime)  # a clock was set back: a backup that bears a later moment needs it too
    else:
        with _unless_gone(path):
            source = path.open("rb")
        with source:
            if not _copy(source, path.stem, target, step):
                return None
    os.utime(target, (needed, needed))
    return size


@contextlib.contextmanager
def _unless_gone(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise _Gone(path.name) from error


def _copy(source: BufferedReader, digest: str, target: Path, step: Step) -> bool:
    """Put a file in place whole, if its content is what it is called."""
    part = target.with_name(f"tmp_{secrets.token_hex(8)}_{target.name}")
    try:
        if copied(source, part, step) != digest:
            return False
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return True


def unfinished(shelf: Path) -> list[Path]:
    """Return what backups that were killed have left half copied, and what one copies now."""
    return [path for folder in FILES for path in (shelf / folder).glob("[0-9a-f][0-9a-f]/tmp_*")]


def bring(listing: Path, shelf: Path, folder: Path | None, step: Step) -> None:
    """Copy what a backup needs from the shelf into a folder, or only look (None); each is compared with its SHA-256.

    Raises:
        InvalidInput: a file is missing or damaged, or the list names what cannot be there.
    """
    with listing.open(encoding="ascii", errors="replace") as lines:
        for name in map(str.rstrip, lines):
            if (found := _NAME.fullmatch(name)) is None:
                raise InvalidInput(f"{name[:200]!r} does not belong into a backup", error_id="backup_damaged")
            try:
                with (shelf / name).open("rb") as source:
                    digest = _digest(source, step) if folder is None else copied(source, folder / name, step)
            except FileNotFoundError as error:
                raise InvalidInput(f"{shelf / name} is missing", error_id="backup_damaged") from error
            if digest != found[1]:
                raise InvalidInput(f"{shelf / name} is damaged (SHA-256 differs)", error_id="backup_damaged")


def _digest(source: BufferedReader, step: Step) -> str:
    digest = hashlib.file_digest(source, "sha256").hexdigest()
    step(source.tell())
    return digest


def prune(folder: Path, *, before: datetime) -> None:
    """Delete backups made before a moment, never the newest, and files that none of those left needs."""
    made = sorted((moment, path) for path in folder.glob("hotline-*.tar") if (moment := _made(path)) is not None)
    old = [path for moment, path in made[:-1] if moment < before]
    for path in old:
        path.unlink(missing_ok=True)
    if made:
        oldest = made[len(old)][0].timestamp()
        for _, path in _found(folder / SHELF):
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)


def _made(path: Path) -> datetime | None:
    try:
        return datetime.strptime(path.name, _MADE).replace(tzinfo=UTC)
    except ValueError:  # somebody's own
        return None
