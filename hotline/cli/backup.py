"""`backup`: write database, attachments, spool and recordings into one file."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

from hotline.cli.acts import Act
from hotline.cli.base import command, settings


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "backup", run,
        summary="write database, attachments, spool and recordings into one file, with the service running",
        example="python -m hotline backup -o /srv/backup/    # hotline-20261121T103000Z.tar",
        act=Act(details=("out",)),
    )
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="DIR|FILE",
        help="an existing directory, or the file to write (never one that exists); only its owner may read it",
    )


def run(given: argparse.Namespace) -> int:
    """Back up and tell what is in it."""
    from tqdm import tqdm

    from hotline.backup import back_up
    from hotline.core import database_dsn, now

    chosen, at = settings(), now()
    target = given.out / f"hotline-{at:%Y%m%dT%H%M%SZ}.tar" if given.out.is_dir() else given.out
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does: nothing half done is left
    with tqdm(desc="backup", unit="B", unit_scale=True, disable=None) as bar:
        made = asyncio.run(back_up(database_dsn(chosen), chosen.data_path, target, at=at, step=bar.update))
    about = made.about
    sys.stdout.write(
        f"{target}: {about.tickets} tickets, {about.events} events, {len(made.files) - 1} files; "
        f"migration {about.migration:04d}, PostgreSQL {about.server}\n"
    )
    return 0
