"""`database`: the embedded PostgreSQL."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from hotline.cli.base import command, settings


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "database", run, summary="start or stop the embedded PostgreSQL, or print its address",
        example="psql \"$(python -m hotline database start)\"",
    )
    parser.add_argument("action", choices=["start", "stop"], help="start prints its address")


def run(given: argparse.Namespace) -> int:
    """Start it and print its DSN, or stop it."""
    from hotline.errors import InvalidInput
    from hotline.store.embedded import start_embedded, stop_embedded

    chosen = settings()
    if chosen.dsn:
        raise InvalidInput("dsn is set: the database is not the embedded one")
    if given.action == "start":
        sys.stdout.write(f"{start_embedded(chosen.data_path)}\n")
    else:
        sys.stdout.write("stopped\n" if stop_embedded(chosen.data_path) else "was not running\n")
    return 0
