"""Files that never change are kept once for all backups of a folder, and as long as one of them needs them."""

from __future__ import annotations

import argparse
import errno
import hashlib
import os
import signal
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from pathlib import Path

import pytest

from hotline import archive, shelf
from hotline.archive import Manifest, Step, manifest_of
from hotline.backup import back_up, check, restore
from hotline.cli.backup import run
from hotline.errors import InvalidInput
from tests.operation.test_backup import empty as empty

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NOTE = "database.txt"
"""Whose database the folder belongs to."""


def quiet(_: int) -> None:
    """Nobody watches."""


def put(data: Path, folder: str, content: bytes, suffix: str = "") -> Path:
    key = hashlib.sha256(content).hexdigest()
    path = data / folder / key[:2] / f"{key}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a photo, a recording, and one that is not what it is called."""
    found = tmp_path / "data"
    put(found, "attachments", b"a photo")
    put(found, "recordings", b"a call", ".wav")
    put(found, "recordings", b"another call", ".wav").write_bytes(b"changed by somebody")
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups"


async def made(dsn: str, data: Path, folder: Path, at: datetime = AT) -> tuple[Path, Manifest]:
    target = folder / shelf.name_of(at)
    return target, await back_up(dsn, data, target, at=at, step=quiet, shelved=True)


def under(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_a_second_backup_of_the_same_files_adds_none(
    database: str, data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = await made(database, data, folder)
    kept = under(folder / shelf.SHELF)
    assert (first.count, first.beside, sorted(kept.values())) == (3, (2, 13), [b"a call", b"a photo"])
    copied: list[Path] = []
    monkeypatch.setattr(shelf, "copied", lambda _, target, __: copied.append(target))
    _, second = await made(database, data, folder, AT + DAY)
    assert (second.beside, under(folder / shelf.SHELF)) == (first.beside, kept)
    assert len(copied) == 1  # the one that is not what it is called is looked at each time
    odd = hashlib.sha256(b"another call").hexdigest()
    assert [one.name for one in second.files if "/" in one.name] == [f"recordings/{odd[:2]}/{odd}.wav"]


async def test_all_comes_back(database: str, empty: str, data: Path, folder: Path, tmp_path: Path) -> None:
    target, manifest = await made(database, data, folder)
    assert manifest_of(target) == manifest
    await restore(empty, tmp_path / "new", target, manifest, force=False, checked=quiet, loaded=quiet)
    assert {name: it for name, it in under(tmp_path / "new").items() if name != NOTE} == under(data)


@pytest.mark.parametrize("wrong", ["missing", "damaged"])
async def test_what_is_missing_or_damaged_is_told(
    database: str, data: Path, folder: Path, tmp_path: Path, wrong: str
) -> None:
    target, manifest = await made(database, data, folder)
    [photo] = [path for path in (folder / shelf.SHELF / "attachments").rglob("*") if path.is_file()]
    photo.unlink()
    if wrong == "damaged":
        photo.write_bytes(b"b photo")
    with pytest.raises(InvalidInput, match=wrong):
        check(target, manifest, tmp_path / "unpacked", quiet)


def test_no_name_of_the_list_leads_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("attachments/../../evil\n")
    with pytest.raises(InvalidInput, match="does not belong"):
        shelf.bring(tmp_path / "list", folder / shelf.SHELF, None, quiet)


async def test_what_no_backup_needs_any_more_goes(database: str, data: Path, folder: Path) -> None:
    photo = next(path for path in (data / "attachments").rglob("*") if path.is_file())
    await made(database, data, folder)
    photo.unlink()
    for days in (1, 2):
        await made(database, data, folder, AT + days * DAY)
    shelf.prune(folder, before=AT)
    assert len(under(folder)) == 5
    shelf.prune(folder, before=AT + DAY)
    assert [path.name for path in sorted(folder.glob("*.tar"))] == [shelf.name_of(AT + days * DAY) for days in (1, 2)]
    assert list(under(folder / shelf.SHELF).values()) == [b"a call"]
    shelf.prune(folder, before=AT + 100 * DAY)
    assert [path.name for path in folder.glob("*.tar")] == [shelf.name_of(AT + 2 * DAY)]
    assert list(under(folder / shelf.SHELF).values()) == [b"a call"]


async def test_what_a_backup_made_before_the_clock_was_set_back_needs_stays_as_long_as_that(
    database: str, data: Path, folder: Path
) -> None:
    photo = next(path for path in (data / "attachments").rglob("*") if path.is_file())
    ahead, _ = await made(database, data, folder, AT + DAY)
    await made(database, data, folder, AT)
    photo.unlink()
    shelf.prune(folder, before=AT + DAY / 2)
    assert list(folder.glob("*.tar")) == [ahead]
    assert sorted(under(folder / shelf.SHELF).values()) == [b"a call", b"a photo"]


def test_one_that_copies_the_same_file_meanwhile_leaves_none_out(
    data: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from another machine, whose lock is not seen here."""
    inner = [True]

    def copied(source: BufferedReader, target: Path, step: Step) -> str:
        digest = archive.copied(source, target, step)
        if inner and inner.pop():
            shelf.stock(data, folder, tmp_path / "theirs", at=AT, step=step)
        return digest

    monkeypatch.setattr(shelf, "copied", copied)
    shelf.stock(data, folder, tmp_path / "ours", at=AT, step=quiet)
    assert (tmp_path / "ours").read_text() == (tmp_path / "theirs").read_text()
    assert sorted(under(folder).values()) == [b"a call", b"a photo"]


def test_only_what_the_data_directory_has_lost_is_left_out(
    data: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> str:
        raise FileNotFoundError("the mount of the backups is gone")

    here = list(shelf._found(data))
    monkeypatch.setattr(shelf, "_found", lambda _: [("attachments/x", data / "attachments" / "x"), *here])
    assert shelf.stock(data, folder, tmp_path / "first", at=AT, step=quiet).files == 2
    monkeypatch.setattr(shelf, "copied", away)
    with pytest.raises(FileNotFoundError, match="mount"):
        shelf.stock(data, folder / "new", tmp_path / "second", at=AT, step=quiet)


def test_a_second_backup_into_a_folder_is_refused(folder: Path) -> None:
    with shelf.held(folder), pytest.raises(InvalidInput, match="under way"):
        run(argparse.Namespace(out=folder, keep=1))
    with shelf.held(folder):
        """Let go."""


async def test_what_killed_backups_left_on_the_shelf_is_swept(database: str, data: Path, folder: Path) -> None:
    old, going = (folder / shelf.SHELF / "recordings" / "ab" / f"tmp_{name}" for name in ("old", "going"))
    old.parent.mkdir(parents=True)
    for path, written in ((old, AT - 2 * DAY), (going, AT)):
        path.write_bytes(b"half a call")
        os.utime(path, (written.timestamp(), written.timestamp()))
    await made(database, data, folder)
    assert (old.exists(), going.exists()) == (False, True)


def test_old_ones_go_before_the_backup_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a full disk would stay full: no backup succeeds, and none is deleted."""
    async def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for days in (1, 2):
        (folder / shelf.name_of(AT - days * DAY)).write_bytes(b"")
    monkeypatch.setattr("hotline.backup.back_up", full)
    monkeypatch.setattr("hotline.core.database_dsn", lambda _: "postgresql://nowhere/hotline")
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(OSError, match="No space"):
            run(argparse.Namespace(out=folder, keep=1))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert [path.name for path in folder.glob("*.tar")] == [shelf.name_of(AT - DAY)]
