"""What the intake role carries of the identity of staff: log-in, own account, identity provider, and the gate."""

from __future__ import annotations

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Middleware

from agent_ui import account_api, auth, sso_api
from agent_ui.accounts import Accounts
from agent_ui.gate import gate
from agent_ui.oidc import Provider, Sso
from channels.limits import RateLimit
from hotline.config_text import listed
from hotline.core import Core
from hotline.roles.parts import origins_of


def routes(
    core: Core, accounts: Accounts, session: aiohttp.ClientSession, *, limit: RateLimit, sso_limit: RateLimit
) -> list[web.AbstractRouteDef]:
    """Return the routes of log-in and account; each way in is limited for itself."""
    settings = core.settings
    handlers = auth.handlers_of(
        accounts, ws_port=settings.ws_port, ws_url=settings.ws_url, proxies=settings.proxies,
        secure=settings.public_url.startswith("https://"), limit=limit, note=core.audit.note,
    )
    return [
        *auth.routes(handlers),
        *sso_api.routes(
            sso_of(core, accounts, session), accounts=accounts, auth=handlers, name=settings.oidc_name,
            proxies=settings.proxies, limit=sso_limit,
        ),
        *account_api.routes(accounts, issuer=f"{core.city.name}12345", note=core.audit.note),
    ]


def sso_of(core: Core, accounts: Accounts, session: aiohttp.ClientSession) -> Sso | None:
    """Return the identity provider, None where none is configured."""
    settings = core.settings
    if not settings.oidc_issuer:
        return None
    provider = Provider(
        issuer=settings.oidc_issuer, client=settings.oidc_client, secret=settings.oidc_secret,
        claim=settings.oidc_claim, back=f"{settings.public_base}/api/v1/sso/callback",
        acr=listed(settings.oidc_acr),
    )
    return Sso(provider, store=accounts.store, session=session, clock=core.clock)


def guard(core: Core, accounts: Accounts, *, limit: RateLimit | None) -> Middleware:
    """Return the gate before every handler; `limit` is of tokens."""
    return gate(accounts, origins=origins_of(core.settings), limit=limit, note=core.audit.note)
