"""`desk110`: a stand-in for the police desk."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hotline.cli.base import command, listens, settings

_FAULTS = ("none", "slow", "down", "refusing", "twice", "error", "unsigned")


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "desk110", run, summary="run a stand-in for the police desk, with switchable faults",
        example="HOTLINE_POLICE_SECRET=demo-police-secret python -m hotline desk110 --fault slow --delay 3\n"
        """  curl -X PUT localhost:9110/faults -d '{"fault":"none"}'; curl localhost:9110/incidents""",
    )
    listens(parser, port=9110, faults=_FAULTS)
    parser.add_argument("--hotline", default="", help="address of the hotline, to tell it what is signed")
    parser.add_argument("--ledger", type=Path, help="append a JSON line here for each new incident")


def run(given: argparse.Namespace) -> int:
    """Serve until stopped."""
    from aiohttp import web

    from hotline import logs
    from hotline.errors import InvalidInput
    from hotline.listening import check_free
    from hotline.standins.desk110 import Desk

    chosen = settings()
    if not chosen.police_secret:
        raise InvalidInput("police_secret: set HOTLINE_POLICE_SECRET to the secret shared with the hotline")
    logs.configure(chosen.log_level)
    if given.ledger is not None:
        given.ledger.touch()  # a ledger that cannot be written is told now, not with the first incident
    check_free("--port", given.host, given.port)
    desk = Desk(
        secret=chosen.police_secret, fault=given.fault, delay=given.delay, ledger=given.ledger, hotline=given.hotline
    )
    web.run_app(desk.app(), host=given.host, port=given.port, access_log=None)
    return 0
