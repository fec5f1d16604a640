"""HTTP routes of the log-in. Errors are raised as they are; the outermost middleware turns them into problems.

The cookie is HttpOnly and SameSite=Strict, and only JSON bodies are read, so another site's page can neither read the
session nor act with it.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from agent_ui.accounts import IDLE, SESSION_LIFE, TICKET_LIFE, Accounts
from agent_ui.staff import Staff
from channels.appeal_codec import decode_json
from channels.kit import json_response, require_json
from hotline.errors import Unauthenticated

COOKIE = "hotline_session"


class LoginBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Name and password."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    password: Annotated[str, Meta(min_length=1, max_length=1000)]


class LoginAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Logged in. Programs send `token` as `Authorization: Bearer …`; pages have it as a cookie."""

    token: str
    staff: Staff
    idle_seconds: int = int(IDLE.total_seconds())


class TicketAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time ticket for `hello`, and where to connect."""

    ticket: str
    url: str
    expires_in: int = int(TICKET_LIFE.total_seconds())


_login = msgspec.json.Decoder(LoginBody)


def token_of(request: web.Request) -> str:
    """Return the session's token from header or cookie; raises Unauthenticated."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")
    if not token:
        raise Unauthenticated("log in first: POST /api/v1/login")
    return token


class Auth:
    """Handlers over accounts."""

    def __init__(self, accounts: Accounts, *, ws_port: int, ws_url: str, secure: bool) -> None:
        self._accounts, self._ws_port, self._ws_url, self._secure = accounts, ws_port, ws_url, secure

    async def login(self, request: web.Request) -> web.Response:
        """Log in with name and password."""
        require_json(request)
        body = decode_json(_login, await request.read())
        grant = await self._accounts.login(body.name, body.password)
        response = json_response(LoginAnswer(token=grant.token, staff=grant.staff))
        response.set_cookie(
            COOKIE, grant.token, max_age=int(SESSION_LIFE.total_seconds()), httponly=True, samesite="Strict",
            secure=self._secure or request.secure, path="/",
        )
        return _private(response)

    async def session(self, request: web.Request) -> web.Response:
        """Tell whose session it is; a page asks it when it is loaded again."""
        return _private(json_response(await self._accounts.session(token_of(request))))

    async def logout(self, request: web.Request) -> web.Response:
        """Log out."""
        await self._accounts.logout(token_of(request))
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/", samesite="Strict", httponly=True)
        return response

    async def console_ticket(self, request: web.Request) -> web.Response:
        """Give out a one-time ticket for the console's WebSocket."""
        ticket = await self._accounts.console_ticket(token_of(request))
        return _private(json_response(TicketAnswer(ticket=ticket, url=self._url(request))))

    def _url(self, request: web.Request) -> str:
        if self._ws_url:
            return self._ws_url
        scheme = "wss" if self._secure or request.secure else "ws"
        host = request.url.host or "localhost"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._ws_port}/"


def _private(response: web.Response) -> web.Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def routes(
    accounts: Accounts, *, ws_port: int, ws_url: str = "", secure: bool = False
) -> list[web.AbstractRouteDef]:
    """Return the routes.

    Args:
        ws_port: where the console's WebSocket listens, on the host that the page was loaded from.
        ws_url: its whole address instead, where a proxy stands in between.
        secure: cookies only over HTTPS, also where a proxy takes the TLS off.
    """
    handlers = Auth(accounts, ws_port=ws_port, ws_url=ws_url, secure=secure)
    return [
        web.post("/api/v1/login", handlers.login),
        web.get("/api/v1/session", handlers.session),
        web.post("/api/v1/logout", handlers.logout),
        web.post("/api/v1/console-ticket", handlers.console_ticket),
    ]
