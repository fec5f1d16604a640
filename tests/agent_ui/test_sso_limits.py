"""Who is slowed down for ways back from the identity provider that fail, and who is not."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agent_ui import auth, oidc_codec, sso_api
from agent_ui.oidc import Provider, Sso
from channels.limits import RateLimit
from channels.problem import problems
from hotline.errors import HotlineError, Unauthenticated, Unavailable
from hotline.store.audit import AuditStore
from tests.agent_ui.provider import WRONG, Both
from tests.agent_ui.provider import both as both
from tests.agent_ui.stack import PASSWORD, Stack

FORGED = "/api/v1/sso/callback?state=x"


async def by_password(both: Both, password: str = PASSWORD) -> int:
    answer = await both.client.post("/api/v1/login", json={"name": "zhang", "password": password})
    return answer.status


async def noted(both: Both) -> list[str]:
    return [one.result for one in await AuditStore(both.stack.pool).page(limit=50) if one.act == "login.sso"]


async def test_who_cannot_get_in_by_the_provider_shuts_nobody_of_the_address_out_of_the_password(both: Both) -> None:
    assert [await both.back(FORGED) for _ in range(WRONG + 1)] == [
        *["/login?sso=unauthenticated"] * WRONG, "/login?sso=rate_limited",
    ]
    assert await by_password(both) == 200


async def test_wrong_passwords_shut_nobody_of_the_address_out_of_the_provider(both: Both) -> None:
    assert [await by_password(both, "wrong") for _ in range(WRONG + 1)] == [*[401] * WRONG, 429]
    assert await both.log_in() == "/login?sso=ok"


@pytest.mark.parametrize("fault", ["broken", "down", "nameless"])
async def test_an_outage_of_the_provider_is_held_against_nobody(both: Both, fault: str) -> None:
    for _ in range(WRONG + 1):
        way = await both.chosen(await both.there(), "zhang")
        both.provider.fault = fault
        assert await both.back(way) == "/login?sso=unavailable"
        both.provider.fault = "none"
    way = (await both.chosen(await both.there(), "zhang")).replace("code=", "error=temporarily_unavailable&was=")
    assert await both.back(way) == "/login?sso=unavailable"
    assert await both.log_in() == "/login?sso=ok"
    assert await noted(both) == ["ok"]  # and what is not slowed down fills no audit


@pytest.mark.parametrize(
    ("status", "body", "blamed"),
    [
        (400, b'{"error":"invalid_grant"}', Unauthenticated), (400, b"<html>", Unauthenticated),
        (400, b'{"error":"invalid_request"}', Unauthenticated), (400, b'{"error":"invalid_client"}', Unavailable),
        (401, b'{"error":"invalid_client"}', Unavailable), (429, b"", Unavailable), (302, b"", Unavailable),
        (503, b'{"error":"invalid_grant"}', Unavailable), (200, b"<html>", Unavailable), (200, b"{}", Unavailable),
    ],
)
def test_a_code_that_is_not_taken_is_told_from_a_provider_that_takes_none(
    status: int, body: bytes, blamed: type[HotlineError]
) -> None:
    with pytest.raises(blamed):
        oidc_codec.read_tokens(status, body)


async def test_whoever_comes_back_from_nowhere_again_and_again_fills_no_audit(stack: Stack) -> None:
    """Anybody may ask for the way back, and records are kept for ever."""
    audit, provider = AuditStore(stack.pool), Provider(issuer="", client="", secret="", claim="sub", back="")
    async with aiohttp.ClientSession() as session:
        sso = Sso(provider, store=stack.accounts.store, session=session, clock=stack.clock)
        for there, outcomes in ((sso, ["unauthenticated"] * 3 + ["rate_limited"] * 2), (None, ["not_found"])):
            handlers = auth.handlers_of(stack.accounts, ws_port=1, note=audit.note)
            app, limit = web.Application(middlewares=[problems]), RateLimit(3, 600)
            app.add_routes(
                sso_api.routes(there, accounts=stack.accounts, auth=handlers, name="x", proxies=0, limit=limit)
            )
            async with TestClient(TestServer(app)) as client:
                ends = [await client.get(FORGED, allow_redirects=False) for _ in outcomes]
                assert [end.headers["Location"] for end in ends] == [f"/login?sso={outcome}" for outcome in outcomes]
    assert [one.result for one in await audit.page(limit=9)] == ["unauthenticated"] * 3
