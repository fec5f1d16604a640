"""`serve`: run the hotline."""

from __future__ import annotations

import argparse
import os
from typing import Any

from hotline.cli.base import command, settings, whole
from hotline.config import misspelt

_ROLES = ("all", "intake", "gateway", "jobs", "call")


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "serve", run, summary="serve channels, console and jobs until stopped",
        example="python -m hotline serve --role intake --workers 2",
    )
    parser.add_argument("--role", choices=_ROLES, default="all", help="what this process does (default: all)")
    parser.add_argument(
        "--workers", type=whole(1, 64), default=1, metavar="N", help="processes that share the ports (1 to 64)"
    )
    parser.add_argument("--demo", action="store_true", help="demo accounts and secrets, a 110 desk, a first page")
    for name in ("--parent", "--ready"):  # given to workers by the process above them
        parser.add_argument(name, type=int, help=argparse.SUPPRESS)


def run(given: argparse.Namespace) -> int:
    """Serve."""
    import structlog

    from hotline import logs
    from hotline.errors import InvalidInput
    from hotline.roles import Role
    from hotline.serve import Workers, check_ports, serve_here
    from hotline.trial import trial_settings

    chosen = settings()
    logs.configure("warning" if given.demo else chosen.log_level)
    if given.parent is None:  # workers have the variables of the process above them, which has told
        for line in misspelt(os.environ):
            structlog.get_logger(__name__).warning("variable_not_read", detail=line)
    roles = list(Role) if given.role == "all" else [Role(given.role)]
    if given.workers > 1:
        if given.demo:
            raise InvalidInput("--demo runs in one process: leave out --workers")
        check_ports(chosen, roles)
        return Workers(["serve", "--role", given.role], given.workers).run()
    serve_here(
        trial_settings(chosen) if given.demo else chosen, roles, trial=given.demo, parent=given.parent,
        ready=given.ready,
    )
    return 0
