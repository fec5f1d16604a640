"""Log-in by the city's identity provider: OpenID Connect, authorization code with PKCE (RFC 7636).

Who has a UKey, a certificate or the province's single sign-on proves themselves there; we learn a name. The account
must exist here with its role: the provider vouches for who somebody is, never for what they may do.

State, nonce and verifier of an attempt lie in the database, used once; a cookie binds the attempt to the browser that
began it. What the provider answers is read, and checked, by `agent_ui.oidc_codec`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec

from agent_ui import oidc_codec
from agent_ui.account_ports import AccountStore, Attempt
from agent_ui.accounts import token_hash
from agent_ui.oidc_codec import Discovered, Key, Tokens
from channels.bounded import read_up_to
from hotline.errors import Unauthenticated, Unavailable
from hotline.ports import Clock

LASTS = timedelta(minutes=10)
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LONGEST = 1 << 20


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """The identity provider as it is configured; `claim` holds the log-in name, `back` is our callback's address.

    `acr`: one of the ways in which somebody must have proved themselves there (OpenID Connect Core 1.0, 2); empty: any.
    """

    issuer: str
    client: str
    secret: str
    claim: str
    back: str
    acr: frozenset[str] = frozenset()


class Sso:
    """Sends people to the provider and takes them back."""

    def __init__(
        self, provider: Provider, *, store: AccountStore, session: aiohttp.ClientSession, clock: Clock
    ) -> None:
        self._provider, self._store, self._session, self._clock = provider, store, session, clock
        self._discovered: Discovered | None = None
        self._keys: Sequence[Key] = ()

    async def begin(self) -> tuple[str, str]:
        """Return the provider's address to send the browser to, and the state that binds the browser to it.

        Raises:
            Unavailable: the provider does not answer.
        """
        found = await self._discover()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        now = self._clock()
        attempt = Attempt(nonce=nonce, verifier=verifier, expires_at=now + LASTS)
        await self._store.keep_attempt(token_hash(state), attempt, now=now)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = urlencode({
            "response_type": "code", "client_id": self._provider.client, "redirect_uri": self._provider.back,
            "scope": "openid profile", "state": state, "nonce": nonce, "code_challenge": challenge,
            "code_challenge_method": "S256",
        } | ({"acr_values": " ".join(sorted(self._provider.acr))} if self._provider.acr else {}))
        end = found.authorization_endpoint  # may have a query of its own, which stays (RFC 6749, 3.1)
        return f"{end}{'&' if '?' in end else '?'}{query}", state

    async def finish(self, *, state: str, bound: str, code: str, error: str = "") -> str:
        """Return the name that the provider vouches for.

        Args:
            state: from the address; bound: from the browser's cookie. code: from the address, or the provider's error.

        Raises:
            Unauthenticated: who came back brought something wrong. Unavailable: the provider cannot tell, whoever asks.
        """
        attempt = await self._store.take_attempt(token_hash(state)) if state else None
        if attempt is None or attempt.expires_at <= self._clock() or not oidc_codec.same(bound, state):
            raise Unauthenticated("this log-in was begun elsewhere, is over, or was used already: begin anew")
        if error in oidc_codec.DOWN:
            raise Unavailable(f"the identity provider says {error}")
        if not code:
            raise Unauthenticated("the identity provider vouched for nobody: begin anew")
        tokens, provider = await self._exchange(code, attempt.verifier), self._provider
        claims = await self._checked(tokens.id_token)
        if provider.claim not in claims:
            claims = await self._asked_more(claims, tokens.access_token)
        return oidc_codec.name_in(claims, claim=provider.claim, nonce=attempt.nonce, acr=provider.acr)

    async def _asked_more(self, claims: dict[str, Any], token: str) -> dict[str, Any]:
        """A profile need not stand in the ID token: the standard has it at the userinfo end (Core 1.0, 5.4)."""
        address = (await self._discover()).userinfo_endpoint
        if not address or not token:
            return claims
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        return oidc_codec.with_more(claims, *await self._asked("GET", address, headers=headers))

    async def _exchange(self, code: str, verifier: str) -> Tokens:
        found = await self._discover()
        fields, headers = oidc_codec.proof_of_us(found, self._provider.client, self._provider.secret)
        form = fields | {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self._provider.back,
            "code_verifier": verifier,
        }
        return oidc_codec.read_tokens(*await self._asked("POST", found.token_endpoint, form, headers))

    async def _checked(self, token: str) -> dict[str, Any]:
        key = await self._key(oidc_codec.key_id_of(token))
        return oidc_codec.read_claims(token, key, client=self._provider.client, issuer=self._provider.issuer)

    async def _key(self, kid: str) -> Key:
        """Return the provider's key; asked for anew where it is not known, or has no name, as providers rotate them."""
        for fresh in (False, True):
            if fresh or not kid or not self._keys:
                status, body = await self._asked("GET", (await self._discover()).jwks_uri)
                if status != 200:
                    raise Unavailable(f"the identity provider's keys cannot be read: HTTP {status}")
                self._keys = oidc_codec.read_keys(body)
            if (key := oidc_codec.key_of(self._keys, kid)) is not None:
                return key
        raise Unauthenticated("the identity provider's token is signed by a key that it does not tell of")

    async def _discover(self) -> Discovered:
        if self._discovered is None:
            address = f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration"
            status, body = await self._asked("GET", address)
            if status != 200:
                raise Unavailable(f"{address} cannot be read: HTTP {status}")
            self._discovered = oidc_codec.read_configuration(body, issuer=self._provider.issuer)
        return self._discovered

    async def _asked(
        self, method: str, address: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        try:
            async with self._session.request(
                method, address, data=form, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                body = await read_up_to(answer.content, _LONGEST + 1)
                if len(body) > _LONGEST:
                    raise aiohttp.ClientPayloadError(f"more than {_LONGEST} bytes")
                return answer.status, body
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"the identity provider does not answer ({type(error).__name__})") from error
