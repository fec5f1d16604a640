"""The yardstick: a bare aiohttp server on uvloop that sends a JSON body back. `python -m bench.echo PORT`."""

from __future__ import annotations

import sys

import msgspec
import uvloop
from aiohttp import web


async def _echo(request: web.Request) -> web.Response:
    body = msgspec.json.decode(await request.read())
    return web.Response(body=msgspec.json.encode(body), content_type="application/json", status=201)


def main() -> None:
    """Serve until stopped."""
    app = web.Application()
    app.router.add_post("/", _echo)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), loop=uvloop.new_event_loop(), print=None, access_log=None)


if __name__ == "__main__":
    main()
