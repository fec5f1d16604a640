"""What the intake role carries of the identity of staff: log-in, own account, identity provider, and the gate."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Middleware

from agent_ui import account_api, auth
from agent_ui.accounts import Accounts
from agent_ui.gate import gate
from hotline.config import Settings, listed
from hotline.core import Core


def routes(core: Core, accounts: Accounts) -> list[web.AbstractRouteDef]:
    """Return the routes of log-in and account."""
    settings = core.settings
    return [
        *auth.routes(
            accounts, ws_port=settings.ws_port, ws_url=settings.ws_url, proxies=settings.proxies,
            secure=settings.public_url.startswith("https://"),
        ),
        *account_api.routes(accounts, issuer=f"{core.city.name}12345"),
    ]


def guard(core: Core, accounts: Accounts) -> Middleware:
    """Return the gate before every handler."""
    return gate(accounts, origins=origins_of(core.settings))


def origins_of(settings: Settings) -> frozenset[str]:
    """Return the Origins whose pages are ours: those allowed, and where citizens reach us."""
    own = "/".join(settings.public_url.split("/")[:3]) if settings.public_url else ""
    return listed(settings.allowed_origins) | ({own} if own else frozenset())
