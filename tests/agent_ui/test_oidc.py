"""Log-in by the identity provider, against the stand-in over real HTTP: there and back, and every wrong answer."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import jwt
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import rsa

from agent_ui import auth, oidc_codec, sso_api
from agent_ui.oidc import Provider, Sso
from agent_ui.oidc_codec import Discovered
from channels.limits import RateLimit
from channels.problem import problems
from hotline.errors import Unauthenticated, Unavailable
from hotline.standins.oidc import ACR, KID
from tests.agent_ui.provider import Both
from tests.agent_ui.provider import both as both
from tests.agent_ui.stack import Stack


async def test_there_and_back(both: Both) -> None:
    assert await (await both.client.get("/api/v1/sso")).json() == {"on": True, "name": "统一身份认证"}
    address = await both.there()
    query = parse_qs(urlsplit(address).query)
    assert (query["response_type"], query["code_challenge_method"]) == (["code"], ["S256"])
    assert query["acr_values"] == [f"ukey {ACR}"]
    assert await both.back(await both.chosen(address, "zhang")) == "/login?sso=ok"
    assert await both.who() == "zhang"
    body = await (await both.client.get("/api/v1/session")).json()
    assert (body["proof"], body["duties"]) == ("sso", [])  # password and factors are the provider's matter


async def test_an_attempt_counts_once_and_in_its_own_browser(both: Both) -> None:
    way = await both.chosen(await both.there(), "zhang")
    async with aiohttp.ClientSession() as stranger:
        url = str(both.client.make_url("/")).rstrip("/") + way
        async with stranger.get(url, allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/login?sso=unauthenticated"
            assert auth.COOKIE not in answer.cookies
    assert await both.back(way) == "/login?sso=unauthenticated"  # used up by the stranger
    assert await both.who() is None
    way = await both.chosen(await both.there(), "zhang")
    assert await both.back(way) == "/login?sso=ok"
    assert await both.back(way) == "/login?sso=unauthenticated"


async def test_an_attempt_is_over_after_ten_minutes(both: Both) -> None:
    way = await both.chosen(await both.there(), "zhang")
    both.stack.clock.ahead = timedelta(minutes=11)
    assert await both.back(way) == "/login?sso=unauthenticated"


@pytest.mark.parametrize(
    "fault",
    [
        "stranger",
        "nonce",
        "audience",
        "issuer",
        "expired",
        "forged",
        "weak",
        "unsigned",
        "error",
    ],
)
async def test_what_cannot_be_trusted_opens_nothing(both: Both, fault: str) -> None:
    both.provider.fault = fault
    assert await both.log_in() == "/login?sso=unauthenticated"
    assert await both.who() is None
    both.provider.fault = "none"
    assert await both.log_in() == "/login?sso=ok"


async def test_a_provider_that_is_down_is_told(both: Both) -> None:
    both.provider.fault = "down"
    answer = await both.client.get("/api/v1/sso/start", allow_redirects=False)
    assert (answer.status, (await answer.json())["error_id"]) == (503, "unavailable")
    both.provider.fault = "none"
    address = await both.there()
    way = await both.chosen(address, "zhang")
    both.provider.fault = "down"
    assert await both.back(way) == "/login?sso=unavailable"


@pytest.mark.parametrize(
    "way", ["", "?state=x", "?code=x", "?state=&code=", "?state=%00&code=%00", "?error=access_denied"]
)
async def test_odd_ways_back(both: Both, way: str) -> None:
    assert await both.back(f"/api/v1/sso/callback{way}") == "/login?sso=unauthenticated"


async def test_somebody_who_left_is_vouched_for_in_vain(both: Both) -> None:
    await both.stack.pool.execute("UPDATE staff SET active = false WHERE name = 'zhang'")
    assert await both.log_in() == "/login?sso=unauthenticated"


async def test_the_stand_in_takes_only_its_own_codes(both: Both) -> None:
    async with aiohttp.ClientSession() as session:
        for form in ({}, {"code": "x"}, {"code": "x", "client_id": "hotline", "client_secret": "shared"}):
            async with session.post(f"{both.provider.issuer}/token", data=form) as answer:
                assert answer.status == 400
        async with session.get(f"{both.provider.issuer}/authorize?client_id=other") as answer:
            assert answer.status == 400


async def test_a_query_that_the_provider_names_for_its_page_stays(both: Both) -> None:
    both.provider.page = "/authorize?tenant=dongguan"
    query = parse_qs(urlsplit(await both.there()).query)
    assert (query["tenant"], query["response_type"]) == (["dongguan"], ["code"])
    assert await both.log_in() == "/login?sso=ok"


@pytest.mark.parametrize("methods", [
    (), ("client_secret_basic",), ("client_secret_post",), ("private_key_jwt", "client_secret_post"),
    ("client_secret_basic", "client_secret_post"),
])
async def test_we_prove_who_we_are_in_a_way_that_the_provider_takes(both: Both, methods: tuple[str, ...]) -> None:
    """One that names none takes HTTP Basic (OpenID Connect Discovery 1.0, 3)."""
    both.provider.methods = methods
    assert await both.log_in() == "/login?sso=ok"


def test_what_stands_before_a_colon_is_not_taken_for_the_client() -> None:
    found = Discovered("https://i", "https://i/a", "https://i/t", "https://i/k")
    fields, headers = oidc_codec.proof_of_us(found, "a:b", "s c%")
    assert (fields, base64.b64decode(headers["Authorization"].split()[1])) == ({}, b"a%3Ab:s+c%25")


@pytest.mark.parametrize("kid", ["", "second"])
async def test_a_provider_that_signs_by_a_new_key_is_believed(both: Both, kid: str) -> None:
    both.provider.kid = kid and KID
    assert await both.log_in() == "/login?sso=ok"
    both.provider.rotate()
    both.provider.kid = kid
    assert await both.log_in() == "/login?sso=ok"


_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_CLAIMS = {"iss": "https://i", "aud": "c", "sub": "s", "iat": 1, "exp": 4_102_444_800}


@pytest.mark.parametrize(("said", "signed", "read"), [
    ("", "RS256", True), ("", "RS512", True), ("", "PS256", True), ("RS512", "RS512", True),
    ("RS256", "RS512", False), ("PS256", "RS256", False),
])
def test_a_key_that_does_not_say_how_it_signs_is_taken_for_all_ways(said: str, signed: str, read: bool) -> None:
    told = jwt.algorithms.RSAAlgorithm.to_jwk(_RSA.public_key(), as_dict=True) | ({"alg": said} if said else {})
    key = oidc_codec.key_of(oidc_codec.read_keys(msgspec.json.encode({"keys": [told]})), "")
    assert key is not None
    token = jwt.encode(_CLAIMS, _RSA, algorithm=signed)
    if read:
        assert oidc_codec.read_claims(token, key, client="c", issuer="https://i") == _CLAIMS
    else:
        with pytest.raises(Unauthenticated):
            oidc_codec.read_claims(token, key, client="c", issuer="https://i")


def test_a_key_that_both_sides_have_is_none_of_the_providers() -> None:
    with pytest.raises(Unavailable, match="no keys that we can use"):
        oidc_codec.read_keys(b'{"keys":[{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}')


async def test_a_name_that_stands_at_the_userinfo_end_is_read_there(both: Both) -> None:
    both.provider.apart = True
    assert await both.log_in() == "/login?sso=ok"
    assert await both.who() == "zhang"


async def test_what_is_told_of_somebody_else_opens_nothing(both: Both) -> None:
    both.provider.apart, both.provider.fault = True, "swapped"
    assert await both.log_in() == "/login?sso=unauthenticated"
    assert await both.who() is None


@pytest.mark.parametrize(("status", "body"), [(401, b""), (200, b"eyJ.signed.profile"), (200, b"[]")])
def test_a_provider_that_tells_nothing_of_people_is_an_outage(status: int, body: bytes) -> None:
    with pytest.raises(Unavailable):
        oidc_codec.with_more({"sub": "s"}, status, body)


def test_what_is_signed_counts_before_what_is_told() -> None:
    told = oidc_codec.with_more({"sub": "s", "nonce": "n"}, 200, b'{"sub":"s","nonce":"x","preferred_username":"li"}')
    assert told == {"sub": "s", "nonce": "n", "preferred_username": "li"}


async def in_pieces(request: web.Request, *pieces: bytes) -> web.StreamResponse:
    """Answer piece by piece: whoever reads has had one before the next comes."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    for piece in pieces:
        await answer.write(piece)
        for _ in range(100):
            await asyncio.sleep(0)
    return answer


@pytest.mark.parametrize("padding", [0, 2_000_000])
async def test_what_the_provider_tells_is_read_to_its_end_and_no_further_than_a_mebibyte(
    stack: Stack, padding: int
) -> None:
    """Keys with their certificates fill several packets."""
    async def tell(request: web.Request) -> web.StreamResponse:
        parts = ("issuer", ""), ("authorization_endpoint", "/there"), ("token_endpoint", "/t"), ("jwks_uri", "/k")
        told = msgspec.json.encode({name: f"{issuer}{path}" for name, path in parts} | {"padding": "x" * padding})
        return await in_pieces(request, told[:20], told[20:])

    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", tell)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        issuer = str(server.make_url("")).rstrip("/")
        provider = Provider(issuer=issuer, client="c", secret="s", claim="sub", back="http://house.example/back")
        sso = Sso(provider, store=stack.accounts.store, session=session, clock=stack.clock)
        if padding:
            with pytest.raises(Unavailable):
                await sso.begin()
        else:
            assert (await sso.begin())[0].startswith(f"{issuer}/there?")


async def test_without_a_provider(stack: Stack) -> None:
    handlers = auth.handlers_of(stack.accounts, ws_port=1)
    app = web.Application(middlewares=[problems])
    limit = RateLimit(30, 600)
    app.add_routes(sso_api.routes(None, accounts=stack.accounts, auth=handlers, name="x", proxies=0, limit=limit))
    async with TestClient(TestServer(app)) as client:
        assert await (await client.get("/api/v1/sso")).json() == {"on": False, "name": ""}
        assert (await client.get("/api/v1/sso/start")).status == 404
        answer = await client.get("/api/v1/sso/callback", allow_redirects=False)
        assert answer.headers["Location"] == "/login?sso=not_found"
