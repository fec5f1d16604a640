"""`neighbour`: what lies on the way to neighbours, a stand-in for the grid, and a neighbour's part for trying."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from hotline.cli.acts import Act
from hotline.cli.base import command, listens, settings

_FAULTS = ("none", "slow", "down", "error", "refusing", "twice")
_STATES = ("pending", "dead", "sent")


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "neighbour", _usage, summary="neighbours of the hotline: what is on the way, stand-ins, trials",
        example="python -m hotline neighbour parcels --state dead",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    parcels = command(
        actions, "parcels", _parcels, summary="list what is on its way to neighbours, sent, or given up",
        example="python -m hotline neighbour parcels --state dead",
    )
    parcels.add_argument("--state", choices=_STATES, default="pending", help="which ones (pending)")
    again = command(
        actions, "resend", _resend, summary="try a parcel that was given up again",
        example="python -m hotline neighbour resend DG2026112130000421-3", act=Act(subject="key"),
    )
    again.add_argument("key", help="as `parcels` lists it")
    _add_trials(actions)


def _add_trials(actions: Any) -> None:
    grid = command(
        actions, "grid", _grid, summary="run a stand-in for the community grid (智网工程), with switchable faults",
        example="python -m hotline neighbour grid --secret demo-grid-secret\n"
        """  curl localhost:9120/events; curl -X POST localhost:9120/events/KEY/outcome -d '{"text":"已处理"}'""",
    )
    listens(grid, port=9120, faults=_FAULTS)
    grid.add_argument("--secret", default="", help="shared with the hotline (default: that of the setting neighbours)")
    grid.add_argument("--hotline", default="http://127.0.0.1:8080", help="where outcomes go")
    call = command(
        actions, "call", _call, summary="send a signed request as a neighbour would; prints the answer",
        example="python -m hotline neighbour call wishes GET /api/v1/wishes\n"
        """  echo '{"citizen":{"id":"p-1"}}' | python -m hotline neighbour call portal POST /api/v1/portal/tickets""",
    )
    call.add_argument("code", help="the neighbour's code in the setting neighbours")
    call.add_argument("method", choices=["GET", "POST"], help="as the neighbour would ask")
    call.add_argument("path", help="/api/v1/…; the body comes from standard input")
    call.add_argument("--hotline", default="http://127.0.0.1:8080", help="address of the hotline that is asked")
    call.add_argument("--secret", default="", help="default: that of the setting neighbours")
    call.add_argument("-o", "--output", type=Path, help="write the answer here")


def _usage(_: argparse.Namespace) -> int:
    raise AssertionError("argparse requires an action")


def _secret(code: str, given: str) -> str:
    from hotline.errors import InvalidInput
    from hotline.neighbours import neighbours_of
    from hotline.trial import trial_settings

    known = neighbours_of(trial_settings(settings()).neighbours)  # those of the demo where none are set
    if not given and code not in known:
        raise InvalidInput(f"{code} is not in the setting neighbours: set it, or give --secret")
    return given or known[code].secret


def _parcels(given: argparse.Namespace) -> int:
    return asyncio.run(_list(given.state))


async def _list(state: str) -> int:
    from hotline.core import database_dsn
    from hotline.store.database import open_pool
    from hotline.store.neighbours import NeighbourStore

    async with await open_pool(database_dsn(settings()), size=1) as pool:
        for one in await NeighbourStore(pool).parcels(state):
            sys.stdout.write(f"{one.created_at:%Y-%m-%d %H:%M:%S}  {one.neighbour:8} {one.number}  {one.path:10} "
                             f"{one.key}  {one.attempts} tries  {one.last_error}".rstrip() + "\n")
    return 0


def _resend(given: argparse.Namespace) -> int:
    return asyncio.run(_again(given.key))


async def _again(key: str) -> int:
    from hotline.core import database_dsn, now
    from hotline.store.database import open_pool
    from hotline.store.neighbours import NeighbourStore

    async with await open_pool(database_dsn(settings()), size=1) as pool:
        await NeighbourStore(pool).resend(key, now())
    sys.stdout.write(f"{key} is on its way again\n")
    return 0


def _grid(given: argparse.Namespace) -> int:
    from aiohttp import web

    from hotline import logs
    from hotline.listening import check_free
    from hotline.standins.grid import Grid

    secret = _secret("grid", given.secret)
    logs.configure(settings().log_level)
    check_free("--port", given.host, given.port)
    hotline = f"{given.hotline.rstrip('/')}/api/v1/neighbours/grid"
    grid = Grid(secret=secret, hotline=hotline, fault=given.fault, delay=given.delay)
    web.run_app(grid.app(), host=given.host, port=given.port, access_log=None)
    return 0


def _call(given: argparse.Namespace) -> int:
    return asyncio.run(_called(given, _secret(given.code, given.secret)))


async def _called(given: argparse.Namespace, secret: str) -> int:
    import aiohttp

    from hotline.core import now
    from hotline.errors import Unavailable
    from hotline.signing import signed_headers

    body = b"" if given.method == "GET" else await asyncio.to_thread(sys.stdin.buffer.read)
    headers = signed_headers(secret, body or given.path.encode(), now=now()) | {"Content-Type": "application/json"}
    try:
        async with aiohttp.ClientSession() as session, session.request(
            given.method, f"{given.hotline.rstrip('/')}{given.path}", data=body or None, headers=headers
        ) as answer:
            data, status = await answer.read(), answer.status
            cursor = answer.headers.get("X-Next-Cursor")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unavailable(f"{given.hotline} does not answer ({type(error).__name__})") from error
    if given.output is not None and status < 300:
        await asyncio.to_thread(given.output.write_bytes, data)
        sys.stdout.write(f"{given.output}: {len(data)} bytes\n")
    else:
        sys.stdout.write(data.decode(errors="replace").rstrip("\n") + "\n")
    if cursor is not None:
        sys.stderr.write(f"next cursor: {cursor}\n")
    return 0 if status < 300 else 1
