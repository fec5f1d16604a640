"""Log-in and one's own account behind the gate, over the whole house."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from agent_ui import account_api, auth
from agent_ui.accounts import Accounts
from agent_ui.gate import gate
from agent_ui.identity import AccountPolicy
from agent_ui.second_factor import code_at
from channels.limits import RateLimit
from channels.problem import problems
from hotline.store.accounts import AccountStore
from tests.agent_ui.stack import PASSWORD, Stack, fast_passwords

Client = TestClient[web.Request, web.Application]
NEW = "Another-Password-9"
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


class House:
    """Log-in and account behind the gate."""

    def __init__(self, stack: Stack, client: Client, accounts: Accounts) -> None:
        self.stack, self.client, self.accounts = stack, client, accounts

    async def log_in(self, name: str = "zhang", password: str = PASSWORD, **more: str) -> tuple[int, dict[str, Any]]:
        response = await self.client.post("/api/v1/login", json={"name": name, "password": password, **more})
        return response.status, await response.json()

    async def asked(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        response = await self.client.request(method, f"/api/v1/{path}", json=body, headers=headers)
        return response.status, await response.json(content_type=None) if response.status != 204 else None

    async def enrol(self) -> tuple[bytes, list[str]]:
        """Enrol a second factor; return its secret and the recovery codes."""
        status, begun = await self.asked("POST", "account/second-factor")
        assert status == 200
        secret = secret_of(begun["uri"])
        status, done = await self.asked("PUT", "account/second-factor", {"code": self.code(secret)})
        assert status == 200, done
        return secret, done["recovery_codes"]

    def code(self, secret: bytes, *, ahead: int = 0) -> str:
        return code_at(secret, self.stack.clock() + timedelta(seconds=ahead))

    def pass_time(self, **more: float) -> None:
        self.stack.clock.ahead += timedelta(**more)


def secret_of(uri: str) -> bytes:
    import base64

    text = parse_qs(urlsplit(uri).query)["secret"][0]
    return base64.b32decode(text + "=" * (-len(text) % 8))


def policy(**changes: Any) -> AccountPolicy:
    return AccountPolicy(**changes)


async def opened(stack: Stack, exits: AsyncExitStack, chosen: AccountPolicy, **limits: Any) -> House:
    accounts = Accounts(store=AccountStore(stack.pool), passwords=fast_passwords(), clock=stack.clock, policy=chosen)
    app = web.Application(middlewares=[problems, gate(accounts, origins={"https://ours.example"})])
    app.add_routes(
        [
            *auth.routes(auth.handlers_of(accounts, ws_port=8081, limit=RateLimit(10_000, 600), **limits)),
            *account_api.routes(accounts, issuer="东莞12345"),
        ]
    )
    client = await exits.enter_async_context(TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)))
    return House(stack, client, accounts)
