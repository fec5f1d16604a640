"""A backup as one tar file: the database's dump, the files beside it, and last a manifest with every SHA-256.

The order is what makes it whole while the service runs: the spool first, then the dump, then attachments and
recordings. A delivery that leaves the spool meanwhile is in the dump; a row of the dump never lacks its file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec

from hotline.errors import UNREADABLE, InvalidInput

FORMAT = 1
MANIFEST, DUMP, LIST = "manifest.json", "database.dump", "files.txt"
FILES = ("attachments", "recordings")
"""Folders of files that never change, each under its SHA-256."""
FOLDERS = ("spool", *FILES)
Step = Callable[[int], object]
"""Told how many more bytes were worked on."""
_NAME = re.compile(rf"{re.escape(DUMP)}|{re.escape(LIST)}|(?:{'|'.join(FOLDERS)})(?:/(?!\.\.?(?:/|$))[^/\\\0]+)+")
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 1 << 30
_LONGEST_NAME, _LONGEST_PART = 1000, 255
_DAMAGED: tuple[type[Exception], ...] = (tarfile.TarError, EOFError, *UNREADABLE)


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What was backed up, as the dump's snapshot saw it."""

    migration: int
    server: str
    position: int
    """Above every position that the snapshot saw (docs/decisions/0002)."""
    tickets: int
    events: int
    city: str = ""
    """The code of the city whose database it was; "" where nobody had told."""


class Kept(msgspec.Struct, frozen=True):
    """One member of the archive."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The last member. `beside`: how many files of how many bytes are kept beside the archive (`hotline.shelf`)."""

    format: int
    made_at: datetime
    about: About
    files: tuple[Kept, ...]
    beside: tuple[int, int] = (0, 0)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(kept.size for kept in self.files) + self.beside[1]

    @property
    def count(self) -> int:
        """Number of the house's files."""
        return sum(kept.name not in {DUMP, LIST} for kept in self.files) + self.beside[0]


class _Watched(io.RawIOBase):
    """A reader that hashes and counts what passes."""

    def __init__(self, source: IO[bytes], step: Step) -> None:
        self._source, self._step, self.hash = source, step, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self.hash.update(data)
        self._step(len(data))
        return data


class Writer:
    """An archive being written; `written` gives one and puts it in place when all went well."""

    def __init__(self, tar: tarfile.TarFile, step: Step) -> None:
        self._tar, self._step = tar, step
        self._kept: list[Kept] = []

    def add(self, name: str, path: Path) -> None:
        """Add a file as large as it is now; one that has gone meanwhile is left out."""
        with contextlib.suppress(FileNotFoundError), path.open("rb") as source:
            info = tarfile.TarInfo(name)
            state = os.fstat(source.fileno())
            info.size, info.mtime, info.mode = state.st_size, int(state.st_mtime), 0o600
            watched = _Watched(source, self._step)
            self._tar.addfile(info, watched)
            self._kept.append(Kept(name, info.size, watched.hash.hexdigest()))

    def add_folder(self, data: Path, name: str, *, but: Callable[[str], bool] = lambda _: False) -> None:
        """Add what lies in a folder of the data directory, but what `but` says and half-written files (tmp…)."""
        found = ((path.relative_to(data).as_posix(), path) for path in (data / name).rglob("*"))
        for own, path in sorted(one for one in found if not but(one[0])):
            if path.is_file() and not path.name.startswith("tmp"):
                self.add(own, path)

    def finish(self, made_at: datetime, about: About, *, beside: tuple[int, int] = (0, 0)) -> Manifest:
        """Add the manifest."""
        manifest = Manifest(format=FORMAT, made_at=made_at, about=about, files=tuple(self._kept), beside=beside)
        document = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mtime, info.mode = len(document), int(made_at.timestamp()), 0o600
        self._tar.addfile(info, io.BytesIO(document))
        return manifest


@contextlib.contextmanager
def written(path: Path, step: Step) -> Iterator[Writer]:
    """Write an archive, for its owner only; it appears under its name whole, or not at all.

    Raises:
        InvalidInput: there is such a file already.
    """
    if path.exists():
        raise InvalidInput(f"{path} exists already: give another name", error_id="backup_exists")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                yield Writer(tar, step)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    """Open an archive to read. Whatever its bytes make of tarfile and of decoders is told: InvalidInput."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except _DAMAGED as error:
        raise InvalidInput(f"{path} is no backup of the hotline: {error}", error_id="backup_damaged") from error


def manifest_of(path: Path) -> Manifest:
    """Return an archive's manifest. Raises InvalidInput: it is no whole backup, or of another format."""
    with _opened(path) as tar:
        found = [member for member in tar if member.name == MANIFEST]
        source = tar.extractfile(found[0]) if len(found) == 1 and _plain(found[0]) else None
        if source is None or found[0].size > _LARGEST_MANIFEST:
            raise InvalidInput(f"{path} has no manifest: it is no whole backup", error_id="backup_damaged")
        manifest = msgspec.json.decode(source.read(), type=Manifest)
    if manifest.format != FORMAT:
        raise InvalidInput(f"{path} has format {manifest.format}, this version reads {FORMAT}")
    return manifest


def _plain(member: tarfile.TarInfo) -> bool:
    """Tell whether a member is a file as we write them: no link to another, no holes."""
    return member.isreg() and not member.issparse()


def unpack(path: Path, manifest: Manifest, folder: Path, step: Step) -> None:
    """Unpack into an empty folder what the manifest names, each file compared with its SHA-256.

    Raises:
        InvalidInput: a file is missing, damaged, beyond the manifest, or wants to lie elsewhere.
    """
    due = {kept.name: kept for kept in manifest.files}
    if (strange := _strange(due)) is not None:
        raise InvalidInput(f"{path}: {strange!r} does not belong there", error_id="backup_damaged")
    missing = sorted({DUMP} - due.keys())
    with _opened(path) as tar:
        for member in tar:
            if member.name != MANIFEST:
                _take(path, tar, member, due, folder, step)
    for name in [*missing, *due]:
        raise InvalidInput(f"{path}: {name} is missing", error_id="backup_damaged")


def _strange(names: Collection[str]) -> str | None:
    """Return a name that cannot lie in the folder: outside of it, below a file, or too long."""
    folders = {str(folder) for name in names for folder in PurePosixPath(name).parents}
    return next((name for name in names if not _NAME.fullmatch(name) or name in folders or _too_long(name)), None)


def _too_long(name: str) -> bool:
    return len(name) > _LONGEST_NAME or any(len(part.encode()) > _LONGEST_PART for part in name.split("/"))


def _take(
    path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, due: dict[str, Kept], folder: Path, step: Step
) -> None:
    kept = due.pop(member.name, None)
    source = tar.extractfile(member) if kept and _plain(member) else None
    if kept is None or source is None:
        raise InvalidInput(f"{path}: {member.name!r} does not belong there", error_id="backup_damaged")
    if member.size != kept.size:
        raise InvalidInput(f"{path}: {kept.name} is damaged (its size differs)", error_id="backup_damaged")
    if copied(source, folder / kept.name, step) != kept.sha256:
        raise InvalidInput(f"{path}: {kept.name} is damaged (SHA-256 differs)", error_id="backup_damaged")


def copied(source: Any, target: Path, step: Step) -> str:
    """Copy into a new file, for its owner only, safely on disk; return the SHA-256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    watched = _Watched(source, step)
    with target.open("xb") as file:
        target.chmod(0o600)
        shutil.copyfileobj(watched, file, _CHUNK)
        file.flush()
        os.fsync(file.fileno())
    return watched.hash.hexdigest()


def put_in_place(unpacked: Path, data: Path, name: str) -> None:
    """Move an unpacked folder's files into the data directory; files that only lie there stay."""
    for path in sorted((unpacked / name).rglob("*")):
        if path.is_file():
            target = data / path.relative_to(unpacked)
            target.parent.mkdir(parents=True, exist_ok=True)
            _move(path, target)


def _move(path: Path, target: Path) -> None:
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # The folder is a mount of its own, as machines share it: copied beside first, so that nobody meets half a file.
        beside = target.with_name(f"tmp_{target.name}")
        shutil.copy(path, beside)
        beside.replace(target)
