"""Files that people hand to the command line: queues, articles, backups. Nothing that a backup says lies elsewhere."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from hotline import archive
from hotline.archive import About
from hotline.city import load_city
from hotline.seeds import seeds_of
from routing.queue_file import AgentPhone, CentreFile, read_file, write_file
from routing.queue_plan import FIRST, Centre
from tests.fuzz.spoil import grafted, spliced

UNITS = load_city(Path("cities/441900")).directory.units
_ARTICLES = Path("cities/441900/knowledge.jsonl").read_bytes().splitlines()[:3]
_AGENT = AgentPhone(endpoint="PJSIP/8001", skills={"general": 1})
_QUEUES = write_file(CentreFile(centre=FIRST, agents={"a01": _AGENT}))
_VALUES = ["nan", "-inf", "9" * 30, "9" * 5000, "1e400", "-1", "0000-00-00", "1979-05-27T07:32:00Z", "[" * 3000, "{}",
           "[]", '"\\u0000"', "true", "{ a = { b = 1 } }", '[{ after = nan, skill = "general", level = 3 }]']
_MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
"""Where backups are unpacked, as each of their files is synced."""
_AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
_ABOUT = About(migration=1, server="16", position=7, tickets=1, events=2)
_CONTENT = {"database.dump": b"PGDMP", "spool/0f.json": b"{}", "attachments/ab/abcd": b"photo"}
_NAMES = [*_CONTENT, "manifest.json", "recordings/a", "recordings/a/b", "../out", "/out", "spool/../../out",
          "spool/./x", "spool//x", "spool/\\x", "spool/" + "n" * 300, "spool/\udcff", "spool/a\nb", "spool", ""]


# ── queues and articles ──────────────────────────────────────────────────────────────────────────
def _queues(data: bytes) -> object:
    """What is taken is kept in the database as JSON, and given out as a file again: the same each time."""
    rng, lines = random.Random(data), _QUEUES.splitlines()
    at = rng.randrange(len(lines))
    lines[at] = f"{lines[at].partition(' = ')[0]} = {rng.choice(_VALUES)}"
    text = rng.choice([spliced(_QUEUES.encode(), data).decode("utf-8", "replace"), "\n".join(lines)])
    file = read_file(text)
    assert msgspec.json.decode(msgspec.json.encode(file.centre), type=Centre) == file.centre
    assert read_file(write_file(file)) == file
    return sorted(file.centre.queues)


def _seeds(data: bytes) -> object:
    line = grafted(json.loads(_ARTICLES[0]), data)
    return len(seeds_of(b"\n".join([line, spliced(_ARTICLES[1], data), _ARTICLES[2]]), name="x.jsonl", units=UNITS))


def _quiet(_: int) -> None:
    """Nobody watches."""


# ── backups ──────────────────────────────────────────────────────────────────────────────────────
@cache
def _archive() -> bytes:
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        data = Path(folder)
        for name, content in _CONTENT.items():
            (data / name).parent.mkdir(parents=True, exist_ok=True)
            (data / name).write_bytes(content)
        with archive.written(data / "b.tar", _quiet) as writer:
            for name in _CONTENT:
                writer.add(name, data / name)
            writer.finish(_AT, _ABOUT)
        return (data / "b.tar").read_bytes()


def _unpacked(backup: bytes) -> int:
    """Return how many files a backup holds, as `restore --check` does; nothing beside the folder is written."""
    with tempfile.TemporaryDirectory(dir=_MEMORY) as home:
        file, folder = Path(home) / "deep" / "b.tar", Path(home) / "deep" / "new"
        folder.mkdir(parents=True)
        file.write_bytes(backup)
        try:
            manifest = archive.manifest_of(file)
            archive.unpack(file, manifest, folder, _quiet)
            assert "database.dump" in {kept.name for kept in manifest.files}
            return sum(path.is_file() for path in folder.rglob("*"))
        finally:
            assert sorted(path.name for path in Path(home).iterdir()) == ["deep"]
            assert sorted(path.name for path in file.parent.iterdir()) == ["b.tar", "new"]


def _spoilt_backup(data: bytes) -> object:
    return _unpacked(spliced(_archive(), data))


def _odd_backup(data: bytes) -> object:
    """An archive that is made well, of odd members and with a manifest that fits them, or nearly."""
    rng = random.Random(data)
    contents = dict(_CONTENT)
    for _ in range(rng.randrange(3)):
        contents[rng.choice(_NAMES)] = data[:rng.randrange(300)]
    return _unpacked(_packed(contents, _document(contents, data, rng), rng))


def _document(contents: dict[str, bytes], data: bytes, rng: random.Random) -> bytes:
    document: Any = {
        "format": 1, "made_at": _AT.isoformat(), "about": msgspec.to_builtins(_ABOUT),
        "files": [{"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                  for name, content in contents.items()],
    }
    whole = json.dumps(document).encode()
    return rng.choice([whole, whole, grafted(document, data), spliced(whole, data)])


def _packed(contents: dict[str, bytes], document: bytes, rng: random.Random) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=rng.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])) as tar:
        for name, content in [*contents.items(), ("manifest.json", document)]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if rng.random() < 0.1:
                info.type = rng.choice([tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE,
                                        tarfile.GNUTYPE_SPARSE, tarfile.CHRTYPE, b"Z"])
                info.linkname = rng.choice(_NAMES)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


FILES: dict[str, Callable[[bytes], object]] = {
    "queue file": _queues,
    "knowledge file": _seeds,
    "backup": _spoilt_backup,
    "backup's members": _odd_backup,
}
