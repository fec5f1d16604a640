"""`serve`: run the hotline."""

from __future__ import annotations

import argparse
from typing import Any

from hotline.cli.base import command, settings

_ROLES = ("all", "intake", "gateway", "jobs", "call")


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "serve", run, summary="serve channels, console and jobs until stopped",
        example="python -m hotline serve --role intake --workers 2",
    )
    parser.add_argument("--role", choices=_ROLES, default="all", help="what this process does (default: all)")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes that share the ports")
    parser.add_argument("--demo", action="store_true", help="demo accounts and secrets, a 110 desk, a first page")


def run(given: argparse.Namespace) -> int:
    """Serve."""
    from hotline import logs
    from hotline.errors import InvalidInput
    from hotline.roles import Role
    from hotline.serve import Workers, serve_here
    from hotline.trial import trial_settings

    chosen = settings()
    logs.configure("warning" if given.demo else chosen.log_level)
    if not 1 <= given.workers <= 64:
        raise InvalidInput("--workers: 1 to 64")
    if given.workers > 1:
        Workers(["serve", "--role", given.role], given.workers).run()
        return 0
    if given.demo:
        chosen = trial_settings(chosen)
    roles = list(Role) if given.role == "all" else [Role(given.role)]
    serve_here(chosen, roles, trial=given.demo)
    return 0
