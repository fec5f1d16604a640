"""`unitdesk`: a stand-in for a unit's own system."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from typing import Any

from hotline.cli.base import command, listens, settings

_FAULTS = ("none", "slow", "down", "error", "twice")


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "unitdesk", run, summary="run a stand-in for a unit's own system, with switchable faults",
        example="python -m hotline unitdesk --secret SECRET --unit 水务局 --token TOKEN --handle\n"
        """  curl -X PUT localhost:9120/faults -d '{"fault":"down"}'; curl localhost:9120/received""",
    )
    parser.add_argument("--secret", required=True, help="as `hotline unit register` printed it")
    listens(parser, port=9120, faults=_FAULTS)
    parser.add_argument("--handle", action="store_true", help="pull tickets, then sign, contact and reply by itself")
    parser.add_argument("--base", default="http://127.0.0.1:8080", help="address of the hotline, for --handle")
    parser.add_argument("--unit", default="", help="the unit's name, for --handle")
    parser.add_argument("--token", default="", help="as `hotline unit register` printed it, for --handle")


def run(given: argparse.Namespace) -> int:
    """Serve until stopped."""
    from aiohttp import web

    from hotline import logs
    from hotline.errors import InvalidInput
    from hotline.listening import check_free
    from hotline.standins.unit import UnitDesk

    if given.handle and not (given.unit and given.token):
        raise InvalidInput("--handle needs --unit and --token")
    logs.configure(settings().log_level)
    check_free("--port", given.host, given.port)
    app = UnitDesk(secret=given.secret, fault=given.fault, delay=given.delay).app()
    if given.handle:
        app.cleanup_ctx.append(lambda _: _handling(given))
    web.run_app(app, host=given.host, port=given.port, access_log=None)
    return 0


async def _handling(given: argparse.Namespace) -> AsyncIterator[None]:
    import asyncio

    import aiohttp

    from hotline.standins.unit import UnitClient, handle_forever

    async with aiohttp.ClientSession() as session:
        client = UnitClient(session, base=given.base, unit=given.unit, token=given.token)
        task = asyncio.create_task(handle_forever(client, interval=2.0))
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
