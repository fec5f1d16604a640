"""`backup`: write database, attachments, spool and recordings into one file."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from hotline.cli.acts import Act
from hotline.cli.base import command, settings, whole
from hotline.errors import InvalidInput


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "backup", run,
        summary="write database, attachments, spool and recordings into one file, with the service running",
        example="python -m hotline backup -o /srv/backup/    # hotline-20261121T103000Z.tar",
        act=Act(details=("out", "keep")),
    )
    parser.add_argument(
        "-o", "--out", type=_target, required=True, metavar="DIR|FILE",
        help="an existing directory, where files that never change are kept once for all backups (files/), or the file "
        "to write with all in it (never one that exists); only its owner may read it",
    )
    parser.add_argument("--keep", type=whole(1, 3650), metavar="DAYS",
                        help="delete older backups of the directory, before and after, but never the last good one")


def _target(text: str) -> Path:
    """Read where to write; `/srv/backup/` that is not there, or not mounted, is no name of a file."""
    path = Path(text)
    if text.endswith("/") and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no directory: make it, or mount it")
    return path


def run(given: argparse.Namespace) -> int:
    """Back up and tell what is in it."""
    from hotline.shelf import held

    many = given.out.is_dir()
    if given.keep and not many:
        raise InvalidInput("--keep: -o must name a directory")
    with held(given.out) if many else contextlib.nullcontext():
        return _run(given, many)


def _run(given: argparse.Namespace, many: bool) -> int:
    from tqdm import tqdm

    from hotline.backup import back_up
    from hotline.core import database_dsn, now
    from hotline.shelf import name_of, prune

    chosen, at = settings(), now()
    target = given.out / name_of(at) if many else given.out
    if given.keep:  # before, too: on a full disk it would never come to it afterwards
        prune(given.out, before=at - timedelta(days=given.keep))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does: nothing half done is left
    with tqdm(desc="backup", unit="B", unit_scale=True, disable=None) as bar:
        made = asyncio.run(back_up(
            database_dsn(chosen), chosen.data_path, target, at=at, step=bar.update, shelved=many
        ))
    if given.keep:
        prune(given.out, before=at - timedelta(days=given.keep))
    about = made.about
    sys.stdout.write(
        f"{target}: {about.tickets} tickets, {about.events} events, {made.count} files; "
        f"migration {about.migration:04d}, PostgreSQL {about.server}\n"
    )
    return 0
