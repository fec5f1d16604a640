"""`restore`: bring a backup back."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotline.cli.acts import Act
from hotline.cli.base import city_of, command, settings
from hotline.errors import NotFound

if TYPE_CHECKING:
    from hotline.archive import Manifest


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "restore", run, summary="bring a backup back: checked first, then all of it or nothing",
        example="python -m hotline restore /srv/backup/hotline-20261121T103000Z.tar",
        act=Act(details=("file", "force"), changes=lambda given: not given.check, announced=False),
    )
    parser.add_argument("file", type=Path, help="as `backup` wrote it; with --check also a folder: the newest in it")
    parser.add_argument("--force", action="store_true", help="replace what is in the database; with the service down")
    parser.add_argument("--check", action="store_true", help="only compare every file with its SHA-256")


def run(given: argparse.Namespace) -> int:
    """Restore and tell what was brought back."""
    from hotline.archive import manifest_of

    file = _newest(given.file) if given.check and given.file.is_dir() else given.file
    manifest = manifest_of(file)
    if given.check:
        _check(file, manifest)
    else:
        _restore(given.file, manifest, force=given.force)
    about = manifest.about
    sys.stdout.write(
        f"{'whole' if given.check else 'restored'}: {about.tickets} tickets, {about.events} events, "
        f"{manifest.count} files, of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC\n"
    )
    return 0


def _newest(folder: Path) -> Path:
    """Return the newest backup of a folder: the names bear the time."""
    found = sorted(folder.glob("hotline-*.tar"))
    if not found:
        raise NotFound(f"there is no backup hotline-*.tar in {folder}")
    return found[-1]


def _check(file: Path, manifest: Manifest) -> None:
    import tempfile

    from tqdm import tqdm

    from hotline.backup import check

    with (
        tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=".check-") as folder,
        tqdm(desc="check", total=manifest.size, unit="B", unit_scale=True, disable=None) as bar,
    ):
        check(file, manifest, Path(folder), bar.update)


def _restore(file: Path, manifest: Manifest, *, force: bool) -> None:
    from tqdm import tqdm

    from hotline.archive import DUMP
    from hotline.backup import restore
    from hotline.core import database_dsn

    chosen = settings()
    city = city_of(chosen).code
    size = next((kept.size for kept in manifest.files if kept.name == DUMP), 0)
    with (
        tqdm(desc="check", total=manifest.size, unit="B", unit_scale=True, disable=None) as checking,
        tqdm(desc="database", total=size, unit="B", unit_scale=True, disable=None) as loading,
    ):
        applied = asyncio.run(restore(
            database_dsn(chosen), chosen.data_path, file, manifest, force=force, checked=checking.update,
            loaded=lambda done: loading.update(done - loading.n), city=city,
        ))
    for name in applied:
        sys.stdout.write(f"migrated {name}\n")
