"""The house as it is wired: every route is told and either public on purpose or guarded; every job has a handler."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agent_ui.page import AREAS
from channels.limits import RateLimit
from hotline import jobs, roles
from hotline import web as house
from hotline.appeal import UNTRIAGED, Triage
from hotline.city import load_city
from hotline.config import Settings
from hotline.core import Core, open_core
from hotline.roles.rates import Rates
from hotline.store.database import LOST
from hotline.store.jobs import Job
from tests.ports import free_port

PAGES = {("GET", "/"): "the pages; they hold no data, and log in where needed",
         **{("GET", f"{area}{tail}"): "the pages again" for area in AREAS for tail in ("", "/{tail}")},
         ("GET", "/assets/{name}"): "their scripts and styles", ("GET", "/favicon.svg"): "their icon",
         ("GET", "/r/{token}"): "a citizen's page to rate; the signature of the link is the key"}
"""Routes that are no interface of programs, so no part of the OpenAPI document."""
PUBLIC = PAGES | {
    ("POST", "/api/v1/appeals"): "citizens without an app; limited by address",
    ("POST", "/api/v1/appeals/look"): "what can be told before sending: no word of any citizen; limited by address",
    ("POST", "/api/v1/tickets/{number}/joins"): "citizens join a public report; limited by address",
    ("GET", "/api/v1/towns"): "the towns of the form",
    ("POST", "/api/v1/attachments"): "their files; limited by address",
    ("GET", "/api/v1/tickets/{number}"): "number and code open a ticket; guesses are counted",
    ("POST", "/api/v1/tickets/{number}/messages"): "number and code",
    ("POST", "/api/v1/tickets/{number}/urges"): "number and code; once a day",
    ("POST", "/api/v1/tickets/{number}/rating"): "number and code",
    ("POST", "/api/v1/tickets/{number}/withdrawal"): "number and code",
    ("POST", "/api/v1/ratings/{token}"): "the signature of the link is the key",
    ("GET", "/chat"): "a citizen's chat; the session it gives out is its secret",
    ("GET", "/open311/v2/services.{form}"): "GeoReport v2 is public",
    ("GET", "/open311/v2/services/{code}.{form}"): "GeoReport v2 is public",
    ("POST", "/open311/v2/requests.{form}"): "the api_key is optional; limited by address",
    ("GET", "/open311/v2/tokens/{token}.{form}"): "the token is the secret",
    ("GET", "/open311/v2/requests.{form}"): "GeoReport v2 is public; no text and no address in it",
    ("GET", "/open311/v2/requests/{number}.{form}"): "GeoReport v2 is public; no text and no address in it",
    ("GET", "/api/v1/wishes"): "published micro-wishes, without personal data",
    ("GET", "/api/v1/wishes/{number}"): "one of them",
    ("POST", "/api/v1/login"): "this is where one logs in",
    ("GET", "/api/v1/sso"): "whether there is an identity provider",
    ("GET", "/api/v1/sso/start"): "off to the identity provider",
    ("GET", "/api/v1/sso/callback"): "back from it; state, cookie and signed token are the key",
    ("GET", "/healthz"): "the load balancer asks",
    ("GET", "/readyz"): "the load balancer asks",
    ("GET", "/metrics"): "figures without personal data; keep it inside by the proxy",
    ("GET", "/openapi.json"): "the document for those who program against us",
}
FORGED = {"signature": "0" * 40, "timestamp": "1", "nonce": "n", "echostr": "x"}
"""What WeChat's routes ask for in the query, with a wrong signature (and XML in the body); others look at neither."""


def untriaged(texts: Sequence[str]) -> Sequence[Triage]:
    return [UNTRIAGED] * len(texts)


def settings() -> Settings:
    """Everything that can be switched on is on, so that every route is there."""
    return Settings(
        http_port=free_port(), police_url="http://127.0.0.1:9", police_secret="a shared secret", wechat_token="a token",
        app_tokens="app:a long secret", ioc_tokens="ioc:a long secret",
    )


@asynccontextmanager
async def core(dsn: str, data: Path) -> AsyncIterator[Core]:
    chosen = msgspec.structs.replace(settings(), data_dir=str(data))
    async with open_core(chosen, triage=untriaged, city=load_city(Path(chosen.city_dir)), dsn=dsn) as opened:
        yield opened


@pytest.fixture
def applications(monkeypatch: pytest.MonkeyPatch) -> list[web.Application]:
    """Every application that is put together while the test runs."""
    seen: list[web.Application] = []
    build = house.application

    def watched(*given: Any, **named: Any) -> web.Application:
        seen.append(build(*given, **named))
        return seen[-1]

    monkeypatch.setattr(house, "application", watched)
    return seen


def routes_of(app: web.Application) -> set[tuple[str, str]]:
    """Return method and path of every route, parameters without their patterns; a `*` only answers 404."""
    return {
        (route.method, re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.resource.canonical))
        for route in app.router.routes() if route.method not in ("HEAD", "*") and route.resource is not None
    }


async def test_every_route_is_told_and_guarded_or_public(
    database: str, tmp_path: Path, applications: list[web.Application]
) -> None:
    async with core(database, tmp_path) as opened, roles.intake_role(opened), aiohttp.ClientSession() as session:
        base = f"http://127.0.0.1:{opened.settings.http_port}"
        [app] = applications
        served = routes_of(app)
        async with session.get(f"{base}/openapi.json") as answer:
            paths = (await answer.json())["paths"]
        told = {(method.upper(), path) for path, methods in paths.items() for method in methods}
        assert served - told == set(PAGES)
        assert told - served == set()
        assert set(PUBLIC) - served == set(), "public, but not there"
        for method, path in sorted(served - set(PUBLIC)):
            url = base + re.sub(r"\{\w+\}", "x", path)
            async with session.request(method, url, params=FORGED, data=b"<xml></xml>") as answer:
                assert answer.status in (401, 403), f"{method} {path} answers {answer.status} to a stranger"


async def test_every_limit_is_counted_by_all_processes_together(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, repeats, shared = list[RateLimit](), list[RateLimit](), list[RateLimit]()
    make, times, all_of = RateLimit.__init__, RateLimit.times, Rates.all

    def watched(limit: RateLimit, *given: Any, **named: Any) -> None:
        made.append(limit)
        make(limit, *given, **named)

    def of_repeats(limit: RateLimit, factor: int) -> RateLimit:
        repeats.append(times(limit, factor))
        return repeats[-1]

    def told(rates: Rates) -> list[RateLimit]:
        shared[:] = all_of(rates)
        return shared

    monkeypatch.setattr(RateLimit, "__init__", watched)
    monkeypatch.setattr(RateLimit, "times", of_repeats)
    monkeypatch.setattr(Rates, "all", told)
    async with core(database, tmp_path) as opened, roles.intake_role(opened), asyncio.timeout(20):
        while not shared:
            await asyncio.sleep(0.01)
    assert {id(limit) for limit in made} - {id(limit) for limit in repeats} == {id(limit) for limit in shared}
    names = {limit.name for limit in shared}
    assert len(names) == len(shared)
    assert {"web", "looks", "open311"} <= names


@pytest.mark.parametrize(("method", "path", "body"), [
    ("GET", "/api/v1/tickets/DG2026112140000009?code=123456", None),
    ("GET", "/open311/v2/requests.json", None),
    ("POST", "/open311/v2/requests.json", b"service_code=0307&address_string=x"),
    ("POST", "/api/v1/appeals", b'{"text": "x"}'),
    ("POST", "/api/v1/login", b'{"name": "x", "password": "long enough"}'),
])
async def test_an_outage_of_the_database_is_told_as_one(
    database: str, tmp_path: Path, method: str, path: str, body: bytes | None
) -> None:
    kind = "application/x-www-form-urlencoded" if "open311" in path else "application/json"
    async with core(database, tmp_path) as opened, roles.intake_role(opened), aiohttp.ClientSession() as session:
        opened.pool.terminate()
        url = f"http://127.0.0.1:{opened.settings.http_port}{path}"
        async with session.request(method, url, data=body, headers={"Content-Type": kind}) as answer:
            told = await answer.json(content_type=None)
            if "open311" in path:  # in the form of its protocol
                assert (answer.status, told[0]["code"], answer.content_type) == (503, 503, "application/json")
            else:
                assert (answer.status, told["error_id"]) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0


async def test_a_database_that_cuts_the_line_is_an_outage_and_no_client_who_has_gone() -> None:
    """A proxy before a database that is away resets what connects: asyncpg raises what a client's going raises too."""
    async def asks(_: web.Request) -> web.Response:
        raise ConnectionResetError(104, "Connection reset by peer")

    async def ready() -> dict[str, str]:
        return {}

    app = house.application([web.get("/x", asks)], ready=ready, openapi=b"{}", lost=LOST)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/x")
        assert (answer.status, (await answer.json())["error_id"]) == (503, "unavailable")


async def test_every_job_has_a_handler(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[set[Job]] = []
    run = jobs.run_jobs

    async def watched(pool: Any, handlers: Any, sweeps: Any) -> None:
        handled.append(set(handlers))
        await run(pool, handlers, sweeps)

    monkeypatch.setattr(roles.jobs, "run_jobs", lambda *given: watched(*given))
    async with core(database, tmp_path) as opened, roles.jobs_role(opened), opened.pool.acquire() as connection:
        await connection.fetchval("SELECT 1")  # lets the role's task begin
    assert handled == [set(Job)]


def test_every_role_is_there() -> None:
    assert set(roles.ROLES) == set(roles.Role)
