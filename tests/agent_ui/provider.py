"""Log-in with the city's identity provider, the stand-in over real HTTP, and by password."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from agent_ui import auth, sso_api
from agent_ui.accounts import Accounts
from agent_ui.gate import gate
from agent_ui.identity import AccountPolicy
from agent_ui.oidc import Provider, Sso
from agent_ui.staff import StaffRole
from channels.limits import RateLimit
from channels.problem import problems
from hotline.standins.oidc import ACR, OidcStandIn
from hotline.store.accounts import AccountStore
from hotline.store.audit import AuditStore
from tests.agent_ui.stack import Stack, fast_passwords

Client = TestClient[web.Request, web.Application]
WRONG = 3
"""So many failures of an address are borne, of each way in."""


class Both:
    """The provider and the house."""

    def __init__(self, client: Client, provider: OidcStandIn, stack: Stack) -> None:
        self.client, self.provider, self.stack = client, provider, stack

    async def there(self) -> str:
        """Return the provider's address that the browser is sent to."""
        answer = await self.client.get("/api/v1/sso/start", allow_redirects=False)
        assert answer.status == 303
        return answer.headers["Location"]

    async def chosen(self, address: str, name: str) -> str:
        """Choose who to be at the provider; return the way back, without the host."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{address}&as={name}", allow_redirects=False) as answer,
        ):
            back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    async def back(self, way: str) -> str:
        """Return where the log-in ends."""
        answer = await self.client.get(way, allow_redirects=False)
        assert answer.status == 303
        return answer.headers["Location"]

    async def log_in(self, name: str = "zhang") -> str:
        return await self.back(await self.chosen(await self.there(), name))

    async def who(self) -> str | None:
        answer = await self.client.get("/api/v1/session")
        return (await answer.json())["name"] if answer.status == 200 else None


@pytest.fixture
async def both(stack: Stack) -> AsyncIterator[Both]:
    async with AsyncExitStack() as exits:
        provider = OidcStandIn(issuer="", client="hotline", secret="shared", people=["zhang"])
        server = await exits.enter_async_context(TestServer(provider.app()))
        provider.issuer = str(server.make_url("")).rstrip("/")
        session = await exits.enter_async_context(aiohttp.ClientSession())
        policy = AccountPolicy(second_factor=frozenset(StaffRole), password_age=timedelta(days=1))
        accounts = Accounts(
            store=AccountStore(stack.pool), passwords=fast_passwords(), clock=stack.clock, policy=policy
        )
        settings = Provider(
            issuer=provider.issuer,
            client="hotline",
            secret="shared",
            claim="preferred_username",
            back="http://house.example/api/v1/sso/callback",
            acr=frozenset({ACR, "ukey"}),
        )
        sso = Sso(settings, store=accounts.store, session=session, clock=stack.clock)
        handlers = auth.handlers_of(accounts, ws_port=1, limit=RateLimit(WRONG, 600), note=AuditStore(stack.pool).note)
        app = web.Application(middlewares=[problems, gate(accounts)])
        app.add_routes(auth.routes(handlers))
        app.add_routes(sso_api.routes(
            sso, accounts=accounts, auth=handlers, name="统一身份认证", proxies=0, limit=RateLimit(WRONG, 600)
        ))
        client = await exits.enter_async_context(TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)))
        yield Both(client, provider, stack)
