"""What the commands share: help with an example, settings, errors without a traceback."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from hotline.cli.acts import Act, Run, kept
from hotline.config import Settings, load
from hotline.errors import HotlineError

if TYPE_CHECKING:
    from hotline.city import City
    from hotline.directories import DirectoryRows
    from routing.directory import Directory

PROG = "python -m hotline"


def command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Run, *, summary: str, example: str,
    act: Act | None = None,
) -> argparse.ArgumentParser:
    """Add a command with its help text and example; return its parser for arguments.

    Args:
        act: how the audit keeps it; None where it only reads.
    """
    parser = commands.add_parser(
        name, help=summary, description=summary, epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run = database_told()(run)  # before the audit, which keeps the error as it is told
    if act is not None:
        run = kept(run, act, name=parser.prog.removeprefix(PROG).strip().replace(" ", "."))
    parser.set_defaults(run=run, act=act)
    return parser


@contextmanager
def database_told() -> Iterator[None]:
    """Turn what using a database raises in the block into HotlineError.

    The driver takes long to load: a command that needs none loads it only when something has gone wrong.
    """
    try:
        yield
    except (HotlineError, OSError):
        raise
    except Exception as error:
        from hotline.store.database import explained

        told = explained(error)
        if told is None:
            raise
        raise told from error


def listens(parser: argparse.ArgumentParser, *, port: int, faults: Sequence[str] = ()) -> None:
    """Add what every stand-in takes: where it listens, and, where it has `faults`, the one it begins with."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (this machine only)")
    parser.add_argument("--port", type=whole(0, 65535), default=port, help=f"port ({port})")
    if faults:
        parser.add_argument("--fault", choices=faults, default="none", help="how it fails at first (none)")
        parser.add_argument("--delay", type=positive, default=2.0, help="seconds, for the fault slow")


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from `least` to `most` for `add_argument(type=…)`."""
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)
    return read


def positive(text: str) -> float:
    """Read a number above 0, for `add_argument(type=…)`."""
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from error
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return value


@contextmanager
def for_owner(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that is not there yet, for its owner only; where the block fails nothing of it is left."""
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        try:
            yield file
            file.flush()  # a full disk is told here, while it can still be taken away
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def settings() -> Settings:
    """Return the settings; raises InvalidInput with every mistake."""
    return load()


async def directory_in_force(rows: DirectoryRows, city: Callable[[], City]) -> Directory:
    """Return the dispatch directory in force today: as the database has it, before the first start the city's files.

    Args:
        city: reads these files.
    """
    from hotline.core import now
    from hotline.directories import Directories

    versions = await rows.versions() or city().directories
    return Directories(rows, first=versions, clock=now).in_force()


def city_of(chosen: Settings) -> City:
    """Read the city's files. Raises InvalidInput with every mistake."""
    from hotline.city import load_city

    return load_city(Path(chosen.city_dir))


def fail(error: HotlineError) -> int:
    """Tell an error in one line for each thing wrong; return the exit status."""
    for line in error.detail.splitlines():
        sys.stderr.write(f"hotline: {line}\n")
    return 2
