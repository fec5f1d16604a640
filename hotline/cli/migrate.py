"""`migrate`: bring the database up to date."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

from hotline.cli.base import city_of, command, settings


def add(commands: Any) -> None:
    """Add the command."""
    command(
        commands, "migrate", run, summary="bring the database up to date (safe to repeat, and with the service up)",
        example="HOTLINE_DSN=postgresql://hotline:…@db/hotline python -m hotline migrate",
    )


def run(given: argparse.Namespace) -> int:
    """Migrate and say what was done."""
    from hotline.core import database_dsn
    from hotline.store.migrate import migrate

    chosen = settings()
    city = city_of(chosen)
    done = asyncio.run(migrate(database_dsn(chosen), city=city.code))
    for migration in done:
        sys.stdout.write(f"{migration.version:04d} {migration.name}\n")
    sys.stdout.write("up to date\n")
    return 0
