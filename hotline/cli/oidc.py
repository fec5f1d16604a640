"""`oidc`: a stand-in for the city's identity provider."""

from __future__ import annotations

import argparse
from typing import Any

from hotline.cli.base import command, listens, settings


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "oidc", run, summary="run a stand-in for the identity provider of staff (OpenID Connect)",
        example="HOTLINE_OIDC_ISSUER=http://127.0.0.1:9150 HOTLINE_OIDC_CLIENT=hotline \\\n"
        "  HOTLINE_OIDC_SECRET=demo-oidc HOTLINE_PUBLIC_URL=http://127.0.0.1:8080 \\\n"
        "  python -m hotline oidc --person agent --person supervisor",
    )
    listens(parser, port=9150)
    parser.add_argument("--person", action="append", default=[], metavar="NAME", help="a log-in name that it offers")


def run(given: argparse.Namespace) -> int:
    """Serve until stopped."""
    from aiohttp import web

    from hotline import logs
    from hotline.errors import InvalidInput
    from hotline.listening import check_free
    from hotline.standins.oidc import OidcStandIn

    chosen = settings()
    if not chosen.oidc_issuer:
        raise InvalidInput(f"oidc_issuer: set HOTLINE_OIDC_ISSUER to http://{given.host}:{given.port}, and the client")
    logs.configure(chosen.log_level)
    check_free("--port", given.host, given.port)
    provider = OidcStandIn(
        issuer=chosen.oidc_issuer, client=chosen.oidc_client, secret=chosen.oidc_secret, people=given.person
    )
    web.run_app(provider.app(), host=given.host, port=given.port, access_log=None)
    return 0
