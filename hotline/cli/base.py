"""What the commands share: help with an example, settings, errors without a traceback."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from hotline.config import Settings, load
from hotline.errors import HotlineError

Run = Callable[[argparse.Namespace], int]
Subparsers = "argparse._SubParsersAction[argparse.ArgumentParser]"


def command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Run, *, summary: str, example: str
) -> argparse.ArgumentParser:
    """Add a command with its help text and example; return its parser for arguments."""
    parser = commands.add_parser(
        name, help=summary, description=summary, epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def settings() -> Settings:
    """Return the settings; raises InvalidInput with every mistake."""
    return load()


def fail(error: HotlineError) -> int:
    """Tell an error in one line for each thing wrong; return the exit status."""
    for line in error.detail.splitlines():
        sys.stderr.write(f"hotline: {line}\n")
    return 2
