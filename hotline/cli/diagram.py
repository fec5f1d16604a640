"""`diagram`: draw the ticket's life from its table."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from hotline.cli.base import command


def add(commands: Any) -> None:
    """Add the command."""
    command(
        commands, "diagram", run, summary="print the ticket's life as a Mermaid state diagram, drawn from the table",
        example="python -m hotline diagram > lifecycle.mmd",
    )


def run(given: argparse.Namespace) -> int:
    """Print it."""
    from hotline.lifecycle import diagram

    sys.stdout.write(diagram())
    return 0
