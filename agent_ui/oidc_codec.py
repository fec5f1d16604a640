"""What an identity provider answers, as values: its configuration, its keys, the token that vouches for somebody.

Whatever it says is read or refused. The ID token is checked by PyJWT: signature by a key of the provider, issuer,
audience, expiry, nonce.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import quote_plus

import jwt
import msgspec

from channels.clean import clean
from hotline.errors import UNREADABLE, Unauthenticated, Unavailable

_ALGORITHMS = {"RSA": ("RS256", "RS384", "RS512", "PS256"), "EC": ("ES256", "ES384"), "OKP": ("EdDSA",)}
"""By the sort of key. No symmetric ones and not `none`: the token is signed by a key that only the provider has."""
_OURS = {"invalid_client", "unauthorized_client", "unsupported_grant_type"}
"""What the provider says of how we are set up, whoever logs in."""
DOWN = {"server_error", "temporarily_unavailable"}
"""What it says on the way back where it cannot serve anybody (RFC 6749, 4.1.2.1)."""
_UNTRUSTED: tuple[type[Exception], ...] = (*UNREADABLE, jwt.PyJWTError)
_UNUSABLE: tuple[type[Exception], ...] = (*_UNTRUSTED, KeyError)


class Discovered(msgspec.Struct, frozen=True):
    """What the provider tells of itself. Where it does not say how we prove who we are, it is by HTTP Basic."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Key(msgspec.Struct, frozen=True):
    """A key of the provider: its id, what it signs by – a key need not say that (RFC 7517, 4.4) – and itself."""

    key_id: str
    algorithms: tuple[str, ...]
    itself: Any


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class _Refusal(msgspec.Struct, frozen=True):
    error: str


class Tokens(msgspec.Struct, frozen=True):
    """What a code is exchanged for: the token that vouches, and the one that asks for more of whom it vouches for."""

    id_token: str
    access_token: str = ""


def read_configuration(body: bytes, *, issuer: str) -> Discovered:
    """Return what the provider tells of itself. Raises Unavailable: it is no configuration, or another's."""
    try:
        found = msgspec.json.decode(body, type=Discovered)
    except UNREADABLE as error:
        raise Unavailable("the identity provider told no OpenID configuration") from error
    if found.issuer != issuer:
        raise Unavailable(f"the identity provider says that it is {found.issuer}: set oidc_issuer to it")
    return found


def read_keys(body: bytes) -> Sequence[Key]:
    """Return the provider's keys, those of a sort that we do not know left out. Raises Unavailable."""
    try:
        told = msgspec.json.decode(body, type=_KeySet).keys
    except UNREADABLE as error:
        raise Unavailable("the identity provider told no keys") from error
    if not (found := [key for key in map(_usable, told) if key is not None]):
        raise Unavailable("the identity provider told no keys that we can use")
    return found


def _usable(told: dict[str, Any]) -> Key | None:
    """Return a key, None where it cannot be used: the others count all the same."""
    ours, said = _ALGORITHMS.get(str(told.get("kty")), ()), told.get("alg")
    algorithms = tuple(one for one in ours if said in (None, one))
    try:
        itself = jwt.PyJWK({name: value for name, value in told.items() if isinstance(value, str)}).key
    except _UNUSABLE:  # a token that is signed by it is refused then, and that is told
        return None
    return Key(str(told.get("kid", "")), algorithms, itself) if algorithms else None


def key_of(keys: Sequence[Key], kid: str) -> Key | None:
    """Return the key of this id; without an id the only one there is."""
    return next((key for key in keys if key.key_id == kid or (not kid and len(keys) == 1)), None)


def proof_of_us(found: Discovered, client: str, secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the fields and the headers by which we prove at the token end who we are, in a way that it takes."""
    if "client_secret_post" in found.token_endpoint_auth_methods_supported:
        return {"client_id": client, "client_secret": secret}, {}
    pair = f"{quote_plus(client)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1
    return {}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def read_tokens(status: int, body: bytes) -> Tokens:
    """Return the tokens of an answer to a code.

    Raises:
        Unauthenticated: it did not take the code, which came by the browser.
        Unavailable: it gives no tokens, or none to us (RFC 6749, 5.2): no fault of whoever logs in.
    """
    if status == 400 and _error_in(body) not in _OURS:
        raise Unauthenticated("the identity provider did not take the code: begin anew")
    if status != 200:
        raise Unavailable(f"the identity provider gives no tokens: HTTP {status} {_error_in(body)}".rstrip())
    try:
        return msgspec.json.decode(body, type=Tokens)
    except UNREADABLE as error:
        raise Unavailable("the identity provider gave no ID token") from error


def _error_in(body: bytes) -> str:
    try:
        return clean(msgspec.json.decode(body, type=_Refusal).error)[:40]
    except UNREADABLE:  # a page of a proxy: the status says enough
        return ""


def key_id_of(token: str) -> str:
    """Return the id of the key that a token says it is signed by, "" where it says none. Raises Unauthenticated."""
    try:
        return str(jwt.get_unverified_header(token).get("kid", ""))
    except _UNTRUSTED as error:
        raise Unauthenticated(f"the identity provider's token cannot be trusted: {error}") from error


def read_claims(token: str, key: Key, *, client: str, issuer: str) -> dict[str, Any]:
    """Return what a token claims. Raises Unauthenticated: it is not the provider's, not for us, or not in time."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token, key.itself, algorithms=list(key.algorithms), audience=client, issuer=issuer, leeway=60,
            options={"require": ["exp", "iat", "aud", "iss", "sub"]},
        )
    except _UNTRUSTED as error:
        raise Unauthenticated(f"the identity provider's token cannot be trusted: {error}") from error
    return claims


def with_more(claims: dict[str, Any], status: int, body: bytes) -> dict[str, Any]:
    """Return what a token claims with what the provider tells besides; what is signed counts.

    Raises:
        Unauthenticated: that is somebody else. Unavailable: the provider tells nothing.
    """
    try:
        told = msgspec.json.decode(body, type=dict[str, Any]) if status == 200 else {}
    except UNREADABLE as error:
        raise Unavailable("the identity provider tells of people in a form that we do not read") from error
    if status != 200:
        raise Unavailable(f"the identity provider tells nothing of who logs in: HTTP {status}")
    if told.get("sub") != claims["sub"]:  # OpenID Connect Core 1.0, 5.3.2
        raise Unauthenticated("the identity provider tells of somebody else than its token")
    return told | claims


def same(given: str, kept: str) -> bool:
    """Compare in constant time, whatever signs `given` has."""
    return secrets.compare_digest(given.encode(errors="replace"), kept.encode())


def name_in(claims: dict[str, Any], *, claim: str, nonce: str, acr: Collection[str] = ()) -> str:
    """Return the name that the provider vouches for, in the log-in of this nonce.

    Args:
        acr: one of the ways in which somebody must have proved themselves there; empty: any.

    Raises:
        Unauthenticated: it is of another log-in, or proved in a weaker way. Unavailable: there is no name to read.
    """
    if not same(str(claims.get("nonce", "")), nonce):
        raise Unauthenticated("the identity provider's answer belongs to another log-in")
    if acr and str(claims.get("acr", "")) not in acr:
        raise Unauthenticated("the identity provider did not prove you in a way that is enough here: see oidc_acr")
    name = claims.get(claim)
    if not isinstance(name, str) or not name or clean(name) != name:
        raise Unavailable(f"the identity provider told no {claim}: see the setting oidc_claim")
    return name
