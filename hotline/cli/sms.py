"""`sms`: a stand-in for the SMS gateway and the app's push."""

from __future__ import annotations

import argparse
from typing import Any

from hotline.cli.base import command, listens, settings

_FAULTS = ("none", "slow", "down", "refusing", "busy", "error", "twice")


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "sms", run, summary="run a stand-in for the SMS gateway and the app's push, with switchable faults",
        example="HOTLINE_SMS_SECRET=demo-sms-secret python -m hotline sms --fault twice\n"
        """  curl -X PUT localhost:9130/faults -d '{"fault":"none"}'; curl localhost:9130/messages""",
    )
    listens(parser, port=9130, faults=_FAULTS)


def run(given: argparse.Namespace) -> int:
    """Serve until stopped."""
    from aiohttp import web

    from hotline import logs
    from hotline.errors import InvalidInput
    from hotline.listening import check_free
    from hotline.standins.sms import SmsStandIn

    chosen = settings()
    if not chosen.sms_secret:
        raise InvalidInput("sms_secret: set HOTLINE_SMS_SECRET to the secret shared with the hotline")
    logs.configure(chosen.log_level)
    check_free("--port", given.host, given.port)
    gateway = SmsStandIn(secret=chosen.sms_secret, fault=given.fault, delay=given.delay)
    web.run_app(gateway.app(), host=given.host, port=given.port, access_log=None)
    return 0
