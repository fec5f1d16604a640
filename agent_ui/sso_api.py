"""HTTP of the log-in by the identity provider: off to it, and back."""

from __future__ import annotations

import msgspec
from aiohttp import web

from agent_ui.accounts import Accounts, Grant, Visitor
from agent_ui.auth import Auth, private, visitor_of
from agent_ui.oidc import LASTS, Sso
from channels.kit import json_response
from channels.openapi_document import Operation
from hotline.errors import HotlineError, NotFound, RateLimited, Unauthenticated

COOKIE = "hotline_sso"
_BASE = "/api/v1/sso"


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """Whether there is an identity provider, and what to call it."""

    on: bool
    name: str = ""


def routes(sso: Sso | None, *, accounts: Accounts, auth: Auth, name: str, proxies: int) -> list[web.AbstractRouteDef]:
    """Return the routes; without a provider they say so."""

    async def offered(_: web.Request) -> web.Response:
        return json_response(Offered(on=sso is not None, name=name if sso is not None else ""))

    async def start(request: web.Request) -> web.Response:
        address, state = await _on(sso).begin()
        response = private(web.Response(status=303, headers={"Location": address}))
        # Lax: the way back comes from the provider's site, and the cookie must come along.
        response.set_cookie(
            COOKIE, state, max_age=int(LASTS.total_seconds()), httponly=True, samesite="Lax", path=_BASE,
            secure=auth.secure(request),
        )
        return response

    async def entered(request: web.Request, visitor: Visitor) -> Grant:
        query, bound = request.query, request.cookies.get(COOKIE, "")
        try:
            name = await _on(sso).finish(state=query.get("state", ""), bound=bound, code=query.get("code", ""))
            return await accounts.vouched(name, visitor)
        except Unauthenticated:
            auth.count(visitor)
            raise

    async def callback(request: web.Request) -> web.Response:
        visitor = visitor_of(request, proxies)
        try:
            auth.check(visitor)
            grant = await entered(request, visitor)
        except HotlineError as error:
            response = _to_page(error.error_id)
            if not isinstance(error, (RateLimited, NotFound)):  # anybody could fill the audit, which is kept for ever
                await auth.note("login.sso", "staff:", result=error.error_id)
        else:
            response = _to_page("ok")
            auth.with_cookie(request, response, grant)
            await auth.note("login.sso", f"{grant.staff.role}:{grant.staff.name}")
        response.del_cookie(COOKIE, path=_BASE)
        return response

    return [web.get(_BASE, offered), web.get(f"{_BASE}/start", start), web.get(f"{_BASE}/callback", callback)]


def _to_page(outcome: str) -> web.Response:
    return private(web.Response(status=303, headers={"Location": f"/login?sso={outcome}"}))


def _on(sso: Sso | None) -> Sso:
    if sso is None:
        raise NotFound("there is no identity provider: log in with name and password")
    return sso


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path=_BASE, tag="坐席", summary="Whether there is an identity provider",
        answers={200: ("application/json", Offered)},
    ),
    Operation(
        method="get", path=f"{_BASE}/start", tag="坐席", summary="Off to the identity provider",
        answers={303: ("", None)}, errors=("not_found", "unavailable"),
    ),
    Operation(
        method="get", path=f"{_BASE}/callback", tag="坐席", summary="Back from the identity provider",
        query={"state": "as it was sent", "code": "the provider's"}, answers={303: ("", None)},
    ),
)
