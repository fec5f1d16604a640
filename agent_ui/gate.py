"""The gate before every handler: who asks, may they, and does the question come from our own pages.

What `agent_ui.access` says of a route is held here, before the handler runs. A question that would change something and
is proved by the cookie must come from our own pages (CSRF): browsers tell by `Sec-Fetch-Site`, older ones by `Origin`;
what sends neither is no browser, so nobody's cookie can be borrowed through it. Programs prove themselves by a bearer
token in `Authorization`, which no other site's page can send; another scheme proves nothing, as browsers add `Basic` by
themselves where a proxy has asked for a password. WebSockets of citizens are asked the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from functools import cache
from typing import cast

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from agent_ui.access import Access, Door, of_host
from agent_ui.accounts import Accounts, ready
from agent_ui.audit_notes import Note, actor_text, noted
from agent_ui.identity import Seat
from agent_ui.routes import access_of
from agent_ui.staff import Staff
from channels.limits import RateLimit
from hotline.audit import Record
from hotline.errors import Forbidden, Unauthenticated

COOKIE = "hotline_session"
_SEAT = web.RequestKey("seat", Seat)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
LOOKING_UP = frozenset({
    "GET /api/v1/figures/calls", "GET /api/v1/figures/report", "GET /api/v1/hot-spots/texts",
    "GET /api/v1/nuisance/marks/{id}/case", "GET /api/v1/nuisance/tickets/{number}/case",
    "GET /api/v1/staff/tickets/{number}/attachments/{key}",
})
"""Reading that is kept in the audit too: it shows what people said, or who called, or is carried away as a file."""
TOLD_THEMSELVES = ("/api/v1/account", "/api/v1/audit", "/api/v1/logout", "/api/v1/people", "/api/v1/persons")
"""Where the handlers keep what was done in words of their own; here only what was refused is."""


def token_of(request: web.Request) -> str:
    """Return the session's token from header or cookie; raises Unauthenticated."""
    bearer = _bearer(request)
    token = bearer if bearer is not None else request.cookies.get(COOKIE, "")
    if not token:
        raise Unauthenticated("log in first: POST /api/v1/login")
    return token


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def known(accounts: Accounts) -> Callable[[web.Request], Awaitable[Staff]]:
    """Return what tells handlers who asks; the gate has looked already. Raises Unauthenticated, Forbidden."""

    async def staff_of(request: web.Request) -> Staff:
        seat = request.get(_SEAT)
        return ready(seat) if seat is not None else await accounts.session(token_of(request))

    return staff_of


async def seat_of(accounts: Accounts, request: web.Request) -> Seat:
    """Return the session that asks, whatever must be done first. Raises Unauthenticated."""
    return request.get(_SEAT) or await accounts.seat(token_of(request))


def check_origin(request: web.Request, origins: Collection[str]) -> None:
    """Raise Forbidden for a question that another site's page has made a browser send.

    `origins`: whose pages may ask beside our own.
    """
    origin = request.headers.get("Origin", "")
    if origin and origin in origins:
        return
    site = request.headers.get("Sec-Fetch-Site", "")
    if site in ("same-origin", "none") or (not site and not origin):
        return
    if not site and of_host(origin, request.headers.get("Host", ""), port=True):
        return
    raise Forbidden("the request comes from another site's page; add its Origin to allowed_origins if it is ours")


def gate(
    accounts: Accounts, *, origins: Collection[str] = (), limit: RateLimit | None = None, note: Note | None = None
) -> Middleware:
    """Return the middleware. `limit` is of requests by one token, whoever's it is; `note` keeps the audit of staff."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        if resource is None:
            return await handler(request)  # there is no such route: 404
        access = _declared(request.method, resource.canonical)
        if limit is not None and (given := _bearer(request)):
            limit.take(given, accounts.clock().timestamp())
        if access.door is Door.PUBLIC or access.door is Door.CREDENTIAL:
            if request.path == "/api/v1/login" or request.headers.get("Upgrade", "").lower() == "websocket":
                check_origin(request, origins)
            return await handler(request)
        seat = await accounts.seat(token_of(request))
        if request.method not in _READING and _bearer(request) is None:
            check_origin(request, origins)
        work = _admitted(request, seat, access, handler)
        if note is None:
            return await work
        act = f"http.{request.method.lower()} {resource.canonical}"
        subject = "/".join(request.match_info.values())[:200]
        record = Record(at=accounts.clock(), actor=actor_text(seat.staff), act=act, subject=subject)
        plain = _only_reads(request, resource.canonical) or resource.canonical.startswith(TOLD_THEMSELVES)
        return await noted(note, record, work, only_refusals=plain)

    return cast(Middleware, guarded)


def _only_reads(request: web.Request, path: str) -> bool:
    """Tell whether nothing is changed, looked up or exported: of that the audit keeps refusals alone."""
    exports = request.query.get("format", "json") != "json"
    return request.method in _READING and f"{request.method} {path}" not in LOOKING_UP and not exports


async def _admitted(request: web.Request, seat: Seat, access: Access, handler: Handler) -> web.StreamResponse:
    _admit(request, seat, access)
    request[_SEAT] = seat
    return await handler(request)


def _admit(request: web.Request, seat: Seat, access: Access) -> None:
    if access.door is not Door.OWN:
        ready(seat)
    if seat.staff.role not in access.roles:
        raise Forbidden(f"the role {seat.staff.role} may not {request.method} {request.path}")


@cache
def _declared(method: str, path: str) -> Access:
    return access_of("GET" if method == "HEAD" else method, path)
