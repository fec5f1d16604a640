"""`funasr`: a stand-in for a speech recogniser."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from hotline.cli.base import command, listens, positive, settings

_FAULTS = ("none", "slow", "down", "error", "garbled", "mute", "broken")


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "funasr", run, summary="run a stand-in for a speech recogniser, with a script and faults",
        example="printf '我家门口的路灯坏了\\n有人拿刀砍人\\n' | python -m hotline funasr --script -\n"
        "  HOTLINE_SPEECH_URL=ws://127.0.0.1:10095 python -m hotline serve",
    )
    parser.add_argument("--script", required=True, metavar="FILE", help="a sentence a line; - reads standard input")
    listens(parser, port=10095, faults=_FAULTS)
    parser.add_argument("--every", type=positive, default=3.0, help="seconds of sound that make a sentence (3)")


def run(given: argparse.Namespace) -> int:
    """Serve until stopped."""
    import sys

    from aiohttp import web

    from hotline import logs
    from hotline.listening import check_free
    from hotline.standins.funasr import FunAsrStandIn

    logs.configure(settings().log_level)
    text = sys.stdin.read() if given.script == "-" else Path(given.script).read_text(encoding="utf-8")
    check_free("--port", given.host, given.port)
    script = [line.strip() for line in text.splitlines() if line.strip()]
    recogniser = FunAsrStandIn(script, every=given.every, fault=given.fault, delay=given.delay)
    web.run_app(recogniser.app(), host=given.host, port=given.port, access_log=None)
    return 0
