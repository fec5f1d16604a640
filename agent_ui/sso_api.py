"""HTTP of the log-in by the identity provider: off to it, and back.

Who comes back with something wrong is slowed down, apart from wrong passwords: behind one address sit many people, and
neither way in may shut the other. An outage of the provider is nobody's fault: it is counted against no address.
"""

from __future__ import annotations

import msgspec
import structlog
from aiohttp import web

from agent_ui.accounts import Accounts, Grant, Visitor
from agent_ui.auth import Auth, private, visitor_of
from agent_ui.figures import LOG_INS
from agent_ui.oidc import LASTS, Sso
from channels.kit import json_response
from channels.limits import RateLimit, network_of
from channels.openapi_document import Operation
from hotline.errors import HotlineError, NotFound, Unauthenticated, Unavailable

log = structlog.get_logger(__name__)
COOKIE = "hotline_sso"
_BASE = "/api/v1/sso"


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """Whether there is an identity provider, and what to call it."""

    on: bool
    name: str = ""


class WayIn:
    """Handlers of one provider, None for none."""

    def __init__(
        self, sso: Sso | None, *, accounts: Accounts, auth: Auth, name: str, proxies: int, limit: RateLimit
    ) -> None:
        self._sso, self._accounts, self._auth, self._name = sso, accounts, auth, name
        self._proxies, self._limit = proxies, limit

    async def offered(self, _: web.Request) -> web.Response:
        """Tell whether there is a provider."""
        return json_response(Offered(on=self._sso is not None, name=self._name if self._sso is not None else ""))

    async def start(self, request: web.Request) -> web.Response:
        """Send off to the provider."""
        address, state = await _on(self._sso).begin()
        response = private(web.Response(status=303, headers={"Location": address}))
        # Lax: the way back comes from the provider's site, and the cookie must come along.
        response.set_cookie(
            COOKIE, state, max_age=int(LASTS.total_seconds()), httponly=True, samesite="Lax", path=_BASE,
            secure=self._auth.secure(request),
        )
        return response

    async def callback(self, request: web.Request) -> web.Response:
        """Take back who was at the provider."""
        try:
            grant = await self._entered(request, visitor_of(request, self._proxies))
        except HotlineError as error:
            response = _to_page(error.error_id)
            await self._failed(error)
        else:
            response = _to_page("ok")
            self._auth.with_cookie(request, response, grant)
            await self._auth.note("login.sso", f"{grant.staff.role}:{grant.staff.name}")
        response.del_cookie(COOKIE, path=_BASE)
        return response

    async def _entered(self, request: web.Request, visitor: Visitor) -> Grant:
        network, clock = network_of(visitor.address), self._accounts.clock
        self._limit.check(network, clock().timestamp())
        state, code, error = (request.query.get(part, "") for part in ("state", "code", "error"))
        bound = request.cookies.get(COOKIE, "")
        try:
            name = await _on(self._sso).finish(state=state, bound=bound, code=code, error=error)
            return await self._accounts.vouched(name, visitor)
        except Unauthenticated:
            self._limit.count(network, clock().timestamp())
            raise

    async def _failed(self, error: HotlineError) -> None:
        """Tell of it. Only what is counted is audited: anybody could fill the audit, which is kept for ever."""
        if isinstance(error, Unauthenticated):
            await self._auth.note("login.sso", "staff:", result=error.error_id)
        elif isinstance(error, Unavailable):
            LOG_INS.labels(error.error_id).inc()
            log.warning("sso_unavailable", detail=error.detail)


def routes(
    sso: Sso | None, *, accounts: Accounts, auth: Auth, name: str, proxies: int, limit: RateLimit
) -> list[web.AbstractRouteDef]:
    """Return the routes; without a provider they say so. `limit`: ways back of an address that fail."""
    way = WayIn(sso, accounts=accounts, auth=auth, name=name, proxies=proxies, limit=limit)
    return [
        web.get(_BASE, way.offered), web.get(f"{_BASE}/start", way.start), web.get(f"{_BASE}/callback", way.callback),
    ]


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
