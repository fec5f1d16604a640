"""A stand-in for the city's identity provider: OpenID Connect, authorization code with PKCE, and faults.

`/authorize` shows a page with the people to be; `?as=NAME` chooses at once. Faults (`PUT /faults {"fault": …}`):
`none`; `stranger` vouches for somebody unknown; `nonce`, `audience`, `issuer`, `expired`, `forged` (signed by another
key) and `unsigned` give tokens that must not be taken; `error` refuses the code; `broken` is down behind a proxy that
answers; `swapped` tells of somebody else when it is asked for more; `nameless` vouches for nobody by name; `slow`,
`down` as everywhere.
"""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
import time
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import unquote_plus, urlencode

import aiohttp
import jwt
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from multidict import MultiDictProxy

from hotline.standins.kit import StandIn, json_answer

KID = "standin-1"
ACR = "urn:hotline:two-factors"
"""How people prove themselves here, as it says."""
_LASTS = 300


class _Pending(msgspec.Struct, frozen=True):
    name: str
    nonce: str
    challenge: str
    back: str


class OidcStandIn(StandIn):
    """The provider. `people`: log-in names that its page offers."""

    FAULTS = (
        "none", "stranger", "nonce", "audience", "issuer", "expired", "forged", "weak", "unsigned", "swapped",
        "error",
        "broken", "nameless", "slow", "down",
    )
    ANSWERS: ClassVar = {"error": (400, {"error": "invalid_grant"}), "broken": (502, {})}

    def __init__(
        self, *, issuer: str, client: str, secret: str, people: Sequence[str] = (), fault: str = "none"
    ) -> None:
        super().__init__(secret=secret, fault=fault)
        self.issuer, self._client, self._people = issuer, client, tuple(people)
        self.kid = KID
        self.rotate()
        self._codes: dict[str, _Pending] = {}
        self.apart, self._given = False, dict[str, str]()
        self.page, self.methods = "/authorize", ("client_secret_basic", "client_secret_post")

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.add_routes([
            web.get("/.well-known/openid-configuration", self._tell), web.get("/jwks", self._keys),
            web.get("/authorize", self._authorize), web.post("/token", self._token),
            web.get("/userinfo", self._profile), web.put("/faults", self.set_fault),
        ])
        return app

    def rotate(self) -> None:
        """Sign by a new key from now on, and tell of no other."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    async def _tell(self, request: web.Request) -> web.Response:
        if self.fault in ("slow", "down") and (answer := await self.struck(request)) is not None:
            return answer
        return json_answer({
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}{self.page}",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **({"token_endpoint_auth_methods_supported": self.methods} if self.methods else {}),
        })

    async def _keys(self, _: web.Request) -> web.Response:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return json_answer({"keys": [{**key, **self._named(), "use": "sig"}]})

    def _named(self) -> dict[str, str]:
        """The id of the key; `kid` "" stands for a provider that names none."""
        return {"kid": self.kid} if self.kid else {}

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        if query.get("client_id") != self._client or query.get("code_challenge_method") != "S256":
            return web.Response(status=400, text="unknown client_id, or no PKCE")
        if not (name := query.get("as", "")):
            return web.Response(text=self._page(request), content_type="text/html")
        code = secrets.token_urlsafe(16)
        back = query["redirect_uri"]
        self._codes[code] = _Pending(name, query.get("nonce", ""), query["code_challenge"], back)
        raise web.HTTPFound(f"{back}?{urlencode({'code': code, 'state': query.get('state', '')})}")

    def _page(self, request: web.Request) -> str:
        links = "".join(
            f"<p><a href='{html.escape(str(request.rel_url.update_query({'as': name})))}'>{html.escape(name)}</a></p>"
            for name in self._people
        )
        return f"<!doctype html><meta charset=utf-8><title>身份认证模拟台</title><h1>统一身份认证(模拟)</h1>{links}"

    async def _token(self, request: web.Request) -> web.Response:
        if (answer := await self.struck(request)) is not None:
            return answer
        form = await request.post()
        pending = self._codes.pop(str(form.get("code", "")), None)
        verifier = str(form.get("code_verifier", "")).encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        right = pending is not None and (challenge, form.get("redirect_uri")) == (pending.challenge, pending.back)
        known = self._told(request, form) == (self._client, self._secret)
        if pending is None or not right or not known:
            return json_answer({"error": "invalid_grant"}, status=400)
        token = secrets.token_urlsafe(16)
        if self.apart:
            self._given[token] = pending.name
        return json_answer({"id_token": self._signed(pending), "access_token": token, "token_type": "Bearer"})

    async def _profile(self, request: web.Request) -> web.Response:
        """Who has a token; once, as nobody asks twice. `apart`: their name is told here, and not in the ID token."""
        name = self._given.pop(request.headers.get("Authorization", "").removeprefix("Bearer "), "")
        if not name or self.fault == "broken":
            return web.Response(status=401)
        other = "another" if self.fault == "swapped" else name
        return json_answer({"sub": f"id-{other}", "preferred_username": name, "nonce": "x", "acr": "x"})

    def _told(self, request: web.Request, form: MultiDictProxy[Any]) -> tuple[str, str]:
        """Return which client asks, and its secret, told in a way that is taken here; Basic where none is named."""
        if "Authorization" in request.headers:
            told = aiohttp.BasicAuth.decode(request.headers["Authorization"], "utf-8")
            method, pair = "client_secret_basic", (unquote_plus(told.login), unquote_plus(told.password))
        else:
            method, pair = "client_secret_post", (str(form.get("client_id")), str(form.get("client_secret")))
        return pair if method in (self.methods or ("client_secret_basic",)) else ("", "")

    def _signed(self, pending: _Pending) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": self._client, "sub": f"id-{pending.name}", "iat": now, "exp": now + _LASTS,
            "nonce": pending.nonce, "acr": ACR, **({} if self.apart else {"preferred_username": pending.name}),
        }
        wrong: dict[str, dict[str, Any]] = {
            "stranger": {"preferred_username": "nobody.here"}, "nonce": {"nonce": "another"},
            "nameless": {"preferred_username": ""}, "audience": {"aud": "another"}, "issuer": {"iss": "https://another.example"},
            "weak": {"acr": "urn:hotline:password"}, "expired": {"iat": now - 2 * _LASTS, "exp": now - _LASTS},
        }
        key: Any = self._key
        if self.fault == "forged":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if self.fault == "unsigned":
            return jwt.encode(claims, "", algorithm="none", headers=self._named())
        return jwt.encode(claims | wrong.get(self.fault, {}), key, algorithm="RS256", headers=self._named())
