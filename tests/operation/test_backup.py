"""A backup brings everything back: tickets, events, files, and an order of events that no cursor is ahead of."""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import os
import signal
import tarfile
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from hotline import archive
from hotline.appeal import UNTRIAGED, Triage
from hotline.archive import MANIFEST, Manifest, manifest_of
from hotline.backup import back_up, restore
from hotline.city import load_city
from hotline.cli.backup import run as run_backup
from hotline.config import Settings
from hotline.core import open_core
from hotline.errors import InvalidInput, Unavailable
from hotline.ids import is_ticket_number
from hotline.store import dump
from hotline.store.owned import NOTE, identity, own
from hotline.terms import Channel
from tests.conftest import _admin, _named
from tests.hotline.command_line import hotline
from tests.hotline.test_intake import inbound

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
_numbers = itertools.count(1)
TABLES = ("tickets", "ticket_events", "inbox", "attachments", "outbox", "schema_migrations", "readers", "pgqueuer")


def quiet(_: int) -> None:
    """Nobody watches."""


def untriaged(texts: Sequence[str]) -> Sequence[Triage]:
    return [UNTRIAGED] * len(texts)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a file of each kind, and one half-written."""
    files = {
        "attachments/ab/abcd": b"\xff\xd8 a photo", "recordings/2026/call-1.wav": b"RIFF" + bytes(2_000_000),
        "spool/0f.json": b"{}", "spool/tmpx1": b"half", "attachments/ab/tmp_half": b"half",
    }
    for name, content in files.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "data"


@pytest.fixture
async def empty(postgres: str) -> AsyncIterator[str]:
    """DSN of a database with nothing in it."""
    name = f"hotline_restored_{os.getpid()}_{next(_numbers)}"
    await _admin(postgres, f"CREATE DATABASE {name}")
    yield _named(postgres, name)
    await _admin(postgres, f"DROP DATABASE {name} WITH (FORCE)")


async def lived_in(dsn: str, data: Path) -> None:
    """Take some appeals through the real intake."""
    settings = Settings(data_dir=str(data))
    city = load_city(Path("cities/441900"))
    async with open_core(settings, triage=untriaged, city=city, dsn=dsn) as core:
        for number in range(12):
            await core.intake.submit(inbound(key=f"backup-{number}"))


async def rows(dsn: str) -> dict[str, list[Any]]:
    connection = await asyncpg.connect(dsn)
    try:
        return {table: [tuple(row) for row in await connection.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")]
                for table in TABLES}
    finally:
        await connection.close()


async def ask(dsn: str, query: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def kept(dsn: str, data: Path, target: Path) -> Manifest:
    return await back_up(dsn, data, target, at=AT, step=quiet)


async def brought_back(dsn: str, data: Path, source: Path, *, force: bool = False) -> list[str]:
    return await restore(dsn, data, source, manifest_of(source), force=force, checked=quiet, loaded=quiet)


def files_under(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_all_that_was_backed_up_comes_back(database: str, empty: str, data: Path, tmp_path: Path) -> None:
    await lived_in(database, data)
    before = await rows(database)
    made = await kept(database, data, tmp_path / "b.tar")
    assert (made.about.tickets, made.about.events) == (12, len(before["ticket_events"]))
    assert (tmp_path / "b.tar").stat().st_mode & 0o077 == 0, "personal data: for its owner only"
    assert await brought_back(empty, tmp_path / "new", tmp_path / "b.tar") == []
    assert await rows(empty) == before
    whole = {name: content for name, content in files_under(data).items() if "/tmp" not in name}
    assert {name: content for name, content in files_under(tmp_path / "new").items() if name != NOTE} == whole
    await lived_in_again(empty, tmp_path / "new")


async def lived_in_again(dsn: str, data: Path) -> None:
    """Deliveries of before are still repeats, identities go on, and the log still refuses changes."""
    seen = await ask(dsn, "SELECT max(position) FROM ticket_events")
    await lived_in(dsn, data)
    assert await ask(dsn, "SELECT count(*) FROM tickets") == 12
    async with open_core(
        Settings(data_dir=str(data)), triage=untriaged, city=load_city(Path("cities/441900")), dsn=dsn
    ) as core:
        await core.intake.submit(inbound(key="after"))
    assert await ask(dsn, "SELECT max(position) FROM ticket_events") > seen
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await ask(dsn, "DELETE FROM ticket_events")


async def test_new_events_lie_above_every_cursor_handed_out(
    database: str, empty: str, data: Path, tmp_path: Path
) -> None:
    """What consoles saw after the backup, and lost with it, hides nothing that is written after the restore."""
    await lived_in(database, data)
    made = await kept(database, data, tmp_path / "b.tar")
    assert made.about.position > await ask(database, "SELECT max(position) FROM ticket_events")
    for _ in range(300):
        await ask(database, "SELECT pg_current_xact_id()::text")
    lost = await ask(database, "SELECT event_position(0)")
    await brought_back(empty, tmp_path / "new", tmp_path / "b.tar")
    horizon = await ask(empty, "SELECT event_horizon()")
    assert lost < horizon < 2**53 // 1000, "room for a thousand restores and more"
    again = await kept(empty, data, tmp_path / "c.tar")
    await brought_back(empty, tmp_path / "new", tmp_path / "c.tar", force=True)
    assert await ask(empty, "SELECT event_horizon()") > again.about.position


async def given_out(dsn: str, data: Path, key: str) -> set[str]:
    """Open a ticket on each channel and return their numbers."""
    city = load_city(Path("cities/441900"))
    async with open_core(Settings(data_dir=str(data)), triage=untriaged, city=city, dsn=dsn) as core:
        return {(await core.intake.submit(inbound(key=key, channel=channel))).number for channel in Channel}


async def test_no_ticket_gets_the_number_of_one_that_a_restore_has_lost(
    database: str, empty: str, data: Path, tmp_path: Path
) -> None:
    """110, neighbours and SMS gateways know that by it, and so does its citizen. The same backup is restored twice."""
    await kept(database, data, tmp_path / "b.tar")
    lost = await given_out(database, data, "lost")
    for again in (False, True):
        await brought_back(empty, tmp_path / "new", tmp_path / "b.tar", force=again)
        found = await given_out(empty, tmp_path / "new", "new")
        assert found & lost == set()
        assert {len(number) for number in found if is_ticket_number(number)} == {len("DG202611213") + 9 + 1}
        lost |= found
    assert len(lost) == 3 * len(Channel)


async def test_a_database_with_anything_in_it_is_kept_unless_forced(
    database: str, data: Path, tmp_path: Path
) -> None:
    await kept(database, data, tmp_path / "b.tar")
    await lived_in(database, data)
    with pytest.raises(InvalidInput, match="--force") as refused:
        await brought_back(database, data, tmp_path / "b.tar")
    assert refused.value.error_id == "database_not_empty"
    assert await ask(database, "SELECT count(*) FROM tickets") == 12
    await brought_back(database, data, tmp_path / "b.tar", force=True)
    assert await ask(database, "SELECT count(*) FROM tickets") == 0


async def test_a_spare_database_gets_no_files_into_the_folder_of_the_one_in_service(
    database: str, empty: str, data: Path, tmp_path: Path
) -> None:
    await kept(database, data, tmp_path / "b.tar")
    own(data, await identity(database))  # as `serve` does
    (data / "recordings/2026/call-1.wav").unlink()  # by its age
    before = files_under(data)
    with pytest.raises(InvalidInput, match="another HOTLINE_DATA_DIR") as refused:
        await brought_back(empty, data, tmp_path / "b.tar", force=True)
    assert refused.value.error_id == "other_database"
    assert files_under(data) == before
    assert await ask(empty, "SELECT to_regclass('tickets') IS NULL")
    await brought_back(database, data, tmp_path / "b.tar", force=True)
    (data / NOTE).unlink()  # that database is gone for good
    assert await brought_back(empty, data, tmp_path / "b.tar") == []
    assert (data / NOTE).read_text() == await identity(empty)


async def test_nothing_is_restored_under_a_running_service(database: str, data: Path, tmp_path: Path) -> None:
    await kept(database, data, tmp_path / "b.tar")
    async with open_core(
        Settings(data_dir=str(data)), triage=untriaged, city=load_city(Path("cities/441900")), dsn=database
    ):
        with pytest.raises(InvalidInput, match="stop it first"):
            await brought_back(database, data, tmp_path / "b.tar", force=True)


async def test_a_load_that_fails_half_way_changes_nothing(database: str, data: Path, tmp_path: Path) -> None:
    """The dump is cut in the middle of its data, behind the check of digests: pg_restore finds out last."""
    await lived_in(database, data)
    before = await rows(database)
    async with dump.snapshot(database) as moment:
        moment.dump(tmp_path / "whole", quiet)
    content = (tmp_path / "whole").read_bytes()
    (tmp_path / "cut").write_bytes(content[: len(content) - 2_000])
    replace, bin_dir = await dump.check_free(database, force=True, server=moment.about.server)
    with pytest.raises(Unavailable, match=r"pg_restore|psql"):
        dump.load(database, tmp_path / "cut", position=0, replace=replace, bin_dir=bin_dir, step=quiet)
    assert await rows(database) == before


async def test_a_table_that_stands_in_the_way_is_told_by_the_database(
    database: str, data: Path, tmp_path: Path
) -> None:
    async with dump.snapshot(database) as moment:
        moment.dump(tmp_path / "whole", quiet)
    bin_dir = dump.programs(int(moment.about.server.partition(".")[0]))
    with pytest.raises(Unavailable, match="already exists"):
        dump.load(database, tmp_path / "whole", position=0, replace=False, bin_dir=bin_dir, step=quiet)


async def test_a_database_that_is_named_by_its_socket_is_backed_up(
    database: str, data: Path, tmp_path: Path
) -> None:
    """No server stands between the slashes, and user and password stand behind the question mark."""
    named = f"postgresql:///{database.partition('@/')[2]}&user=postgres&password=ge%26heim"
    made = await back_up(named, data, tmp_path / "socket.tar", at=AT, step=quiet)
    assert made.about.migration > 0
    assert "heim" not in dump._bare(named), "anybody may read the command line of pg_dump"
    assert dump._environment(named)["PGPASSWORD"] == "ge&heim"


async def test_there_must_be_something_to_back_up(empty: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nothing to back up"):
        await kept(empty, data, tmp_path / "b.tar")
    assert not list(tmp_path.glob("b.tar*"))


async def test_a_backup_that_is_stopped_leaves_nothing(database: str, data: Path, tmp_path: Path) -> None:
    dumping, go_on = threading.Event(), threading.Event()

    def slowly(_: int) -> None:
        if any((tmp_path / "b").glob(".b.tar-*/database.dump")):
            dumping.set()
            go_on.wait()

    (tmp_path / "b").mkdir()
    going = asyncio.create_task(back_up(database, data, tmp_path / "b" / "b.tar", at=AT, step=slowly))
    await asyncio.to_thread(dumping.wait)
    going.cancel()
    await asyncio.wait([going])
    assert list((tmp_path / "b").iterdir()) == []
    go_on.set()


def test_the_command_clears_up_when_it_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cleared: list[bool] = []

    async def stopped(*_: object, **__: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
        finally:
            cleared.append(True)

    monkeypatch.setattr("hotline.backup.back_up", stopped)
    monkeypatch.setattr("hotline.core.database_dsn", lambda _: "postgresql://nowhere/hotline")
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_backup(argparse.Namespace(out=tmp_path, keep=None))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert cleared == [True]


async def test_what_killed_backups_left_is_swept(database: str, data: Path, tmp_path: Path) -> None:
    old = AT - timedelta(days=2)
    for name, written in (("old", old), ("going", AT)):
        folder = tmp_path / f".hotline-{name}.tar-x1"
        folder.mkdir()
        for path in (folder / "database.dump", tmp_path / f"hotline-{name}.tar.part"):
            path.write_bytes(b"half")
            os.utime(path, (written.timestamp(), written.timestamp()))
        os.utime(folder, (old.timestamp(), old.timestamp()))
    await kept(database, data, tmp_path / "b.tar")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"data", "b.tar", ".hotline-going.tar-x1", "hotline-going.tar.part"}


async def test_no_backup_is_written_over(database: str, data: Path, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_bytes(b"yesterday's")
    with pytest.raises(InvalidInput, match="exists"):
        await kept(database, data, tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_bytes() == b"yesterday's"


def test_without_programs_of_that_version_one_is_told_what_to_install() -> None:
    with pytest.raises(Unavailable, match="postgresql-client-99"):
        dump.programs(99)


def test_files_come_back_onto_a_mount_of_their_own(data: Path, tmp_path: Path) -> None:
    """As several machines share their attachments."""
    mount = Path("/dev/shm")
    if not mount.is_dir() or mount.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has one file system only")
    with tempfile.TemporaryDirectory(dir=mount) as shared:
        (tmp_path / "new").mkdir()
        (tmp_path / "new/attachments").symlink_to(shared)
        archive.put_in_place(data, tmp_path / "new", "attachments")
        found = {path.name: path.read_bytes() for path in Path(shared).rglob("*") if path.is_file()}
    assert found == {"abcd": b"\xff\xd8 a photo", "tmp_half": b"half"}


async def test_as_an_operator_does_it(database: str, empty: str, data: Path, tmp_path: Path) -> None:
    await lived_in(database, data)
    made = await hotline("backup", "-o", str(tmp_path), dsn=database, data_dir=str(data))
    assert (made.code, "12 tickets" in made.out, "3 files" in made.out) == (0, True, True)
    (file,) = map(str, tmp_path.glob("hotline-*Z.tar"))
    checked = await hotline("restore", "--check", str(tmp_path))  # the newest there, as the timer calls it
    assert (checked.code, checked.out.startswith("whole: 12 tickets")) == (0, True)
    done = await hotline("restore", file, dsn=empty, data_dir=str(tmp_path / "new"))
    assert (done.code, done.out.startswith("restored: 12 tickets")) == (0, True)
    again = await hotline("restore", file, dsn=empty, data_dir=str(tmp_path / "new"))
    assert (again.code, "--force" in again.err, "Traceback" in again.err) == (2, True, False)
    gone = await hotline("restore", str(tmp_path / "none.tar"), dsn=empty, data_dir=str(tmp_path / "new"))
    assert (gone.code, "none.tar" in gone.err, "Traceback" in gone.err) == (2, True, False)
    acts = "SELECT array_agg(act || ' ' || result ORDER BY id) FROM audit_records"
    assert await ask(database, acts) == ["backup begun", "backup ok"]
    assert await ask(empty, acts) == [
        "backup begun", "restore ok", "restore database_not_empty", "restore unavailable",
    ]


# ── damaged and malicious archives ───────────────────────────────────────────────────────────────
ABOUT = archive.About(migration=1, server="16.2", position=1024, tickets=0, events=0)


def packed(path: Path, members: Sequence[tuple[tarfile.TarInfo, bytes]], manifest: bytes | None) -> Path:
    """Write a tar with any members."""
    with tarfile.open(path, "w") as tar:
        for info, content in [*members, *([(tarfile.TarInfo(MANIFEST), manifest)] if manifest is not None else [])]:
            info.size = len(content) if info.isfile() else 0
            tar.addfile(info, io.BytesIO(content))
    return path


def whole(tmp_path: Path) -> Path:
    (tmp_path / "dump").write_bytes(b"PGDMP" * 100)
    with archive.written(tmp_path / "w.tar", quiet) as writer:
        writer.add(archive.DUMP, tmp_path / "dump")
        writer.finish(AT, ABOUT)
    return tmp_path / "w.tar"


def flipped(path: Path) -> Iterator[Path]:
    """Yield the archive with one byte changed in its dump."""
    content = bytearray(path.read_bytes())
    content[512 + 100] ^= 1
    other = path.with_name("flipped.tar")
    other.write_bytes(content)
    yield other


def unpacked(path: Path, folder: Path) -> None:
    folder.mkdir()
    archive.unpack(path, manifest_of(path), folder, quiet)


def test_a_whole_one_is_unpacked(tmp_path: Path) -> None:
    unpacked(whole(tmp_path), tmp_path / "out")
    assert files_under(tmp_path / "out") == {archive.DUMP: b"PGDMP" * 100}


def test_one_changed_bit_is_found(tmp_path: Path) -> None:
    for path in flipped(whole(tmp_path)):
        with pytest.raises(InvalidInput, match="SHA-256"):
            unpacked(path, tmp_path / "out")


@pytest.mark.parametrize("length", [0, 1, 511, 700, 1_500])
def test_a_cut_one_is_refused(tmp_path: Path, length: int) -> None:
    path = whole(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InvalidInput) as refused:
        unpacked(path, tmp_path / "out")
    assert refused.value.error_id == "backup_damaged"


@pytest.mark.parametrize("name", [
    "../evil", "/etc/passwd", "attachments/../../evil", "attachments/..", "other/x", "attachments", "spool/",
    "spool/./x", "attachments//x", "attachments/a\\b",
])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    manifest = Manifest(format=1, made_at=AT, about=ABOUT, files=(archive.Kept(name, 0, sha),))
    path = packed(tmp_path / "x.tar", [(tarfile.TarInfo(name), b"")], msgspec.json.encode(manifest))
    with pytest.raises(InvalidInput, match="belong"):
        unpacked(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_only_plain_files_are_taken(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("spool/a")
    info.type, info.linkname = kind, "/etc/passwd"
    manifest = Manifest(format=1, made_at=AT, about=ABOUT, files=(archive.Kept("spool/a", 0, ""),))
    path = packed(tmp_path / "x.tar", [(info, b"")], msgspec.json.encode(manifest))
    with pytest.raises(InvalidInput, match="belong"):
        unpacked(path, tmp_path / "out")


@pytest.mark.parametrize(("names", "told"), [
    (["spool/a"], "database.dump is missing"), (["spool/a", "spool/a/b"], "'spool/a' does not belong"),
    (["spool/" + "n" * 300], "does not belong"),
])
def test_a_backup_that_cannot_be_one_is_told_as_such(tmp_path: Path, names: list[str], told: str) -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    kept = tuple(archive.Kept(name, 0, empty) for name in names)
    manifest = msgspec.json.encode(Manifest(format=1, made_at=AT, about=ABOUT, files=kept))
    path = packed(tmp_path / "x.tar", [(tarfile.TarInfo(name), b"") for name in names], manifest)
    with pytest.raises(InvalidInput, match=told):
        unpacked(path, tmp_path / "out")


def test_a_manifest_that_is_a_link_is_none(tmp_path: Path) -> None:
    link = tarfile.TarInfo(MANIFEST)
    link.type, link.linkname = tarfile.SYMTYPE, "nowhere"
    with pytest.raises(InvalidInput, match="no manifest"):
        manifest_of(packed(tmp_path / "x.tar", [(link, b"")], None))


def test_nothing_beyond_the_manifest_is_taken(tmp_path: Path) -> None:
    manifest = Manifest(format=1, made_at=AT, about=ABOUT, files=())
    path = packed(tmp_path / "x.tar", [(tarfile.TarInfo("spool/a"), b"")], msgspec.json.encode(manifest))
    with pytest.raises(InvalidInput, match="belong"):
        unpacked(path, tmp_path / "out")


@pytest.mark.parametrize("manifest", [None, b"", b"[]", b"{}", b'{"format": 1}', b"\xff"])
def test_a_tar_without_a_manifest_is_no_backup(tmp_path: Path, manifest: bytes | None) -> None:
    with pytest.raises(InvalidInput) as refused:
        manifest_of(packed(tmp_path / "x.tar", [], manifest))
    assert refused.value.error_id == "backup_damaged"


async def test_a_newer_backup_asks_for_an_upgrade(empty: str, tmp_path: Path) -> None:
    about = msgspec.structs.replace(ABOUT, migration=9_999)
    manifest = Manifest(format=1, made_at=AT, about=about, files=())
    with pytest.raises(InvalidInput, match="upgrade"):
        await restore(empty, tmp_path / "d", whole(tmp_path), manifest, force=False, checked=quiet, loaded=quiet)


async def test_the_backup_of_another_city_is_refused_before_anything_is_changed(empty: str, tmp_path: Path) -> None:
    manifest = Manifest(format=1, made_at=AT, about=msgspec.structs.replace(ABOUT, city="440100"), files=())
    with pytest.raises(InvalidInput, match="the city 440100"):
        await restore(
            empty, tmp_path / "d", whole(tmp_path), manifest, force=True, checked=quiet, loaded=quiet, city="441900"
        )
    assert not (tmp_path / "d").exists()
