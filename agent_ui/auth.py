"""HTTP routes of the log-in. Errors are raised as they are; the outermost middleware turns them into problems.

The cookie is HttpOnly and SameSite=Strict, only JSON bodies are read, and the gate asks where a question comes from, so
another site's page can neither read the session nor act with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from agent_ui.accounts import TICKET_LIFE, Accounts, Grant, Visitor
from agent_ui.figures import LOG_INS
from agent_ui.gate import COOKIE as COOKIE
from agent_ui.gate import seat_of
from agent_ui.gate import token_of as token_of
from agent_ui.identity import Duty, Proof
from agent_ui.staff import Staff, StaffRole
from channels.appeal_codec import decode_json
from channels.clean import clean
from channels.kit import client_address, json_response, read_limited, require_json
from channels.limits import RateLimit, network_of
from hotline.audit import Record
from hotline.errors import Unauthenticated


class LoginBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Name and password; `code` where a second factor is enrolled: of the app, or a recovery code."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    password: Annotated[str, Meta(min_length=1, max_length=1000)]
    code: Annotated[str, Meta(max_length=40)] = ""


class LoginAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Logged in. Programs send `token` as `Authorization: Bearer …`; pages have it as a cookie.

    While `duties` has one, only that is possible: a new password, a second factor.
    """

    token: str
    staff: Staff
    idle_seconds: int
    duties: tuple[Duty, ...] = ()


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whose session it is, how it was opened, what must be done first, and whether a second factor is enrolled."""

    name: str
    display_name: str
    role: StaffRole
    department: str
    proof: Proof
    duties: tuple[Duty, ...]
    enrolled: bool
    idle_seconds: int


class TicketAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time ticket for `hello`, and where to connect."""

    ticket: str
    url: str
    expires_in: int = int(TICKET_LIFE.total_seconds())


_login = msgspec.json.Decoder(LoginBody)


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """How the house is reached.

    Attributes:
        ws_port: where the console's WebSocket listens, on the host that the page was loaded from.
        ws_url: its whole address instead, where a proxy stands in between.
        secure: cookies only over HTTPS, also where a proxy takes the TLS off.
        proxies: trusted ones in front.
    """

    ws_port: int
    ws_url: str = ""
    secure: bool = False
    proxies: int = 0


class Auth:
    """Handlers over accounts. `limit`: wrong log-ins by address."""

    def __init__(
        self, accounts: Accounts, *, door: Door, limit: RateLimit, note: Callable[[Record], Awaitable[None]] | None
    ) -> None:
        self._accounts, self._door, self._limit, self._note = accounts, door, limit, note

    async def login(self, request: web.Request) -> web.Response:
        """Log in with name, password and code."""
        require_json(request)
        body = decode_json(_login, await read_limited(request, 16 * 1024))
        visitor = visitor_of(request, self._door.proxies)
        self._check(visitor)
        try:
            grant = await self._accounts.login(body.name, body.password, code=body.code, visitor=visitor)
        except Unauthenticated as error:
            if error.error_id != "code_needed":
                self._count(visitor)
                # Who has typed the password into the wrong field has written it into no record.
                name = body.name if await self._accounts.store.is_known(body.name) else ""
                await self.note("login", f"staff:{name}", result=error.error_id, address=visitor.address)
            raise
        await self.note("login", f"{grant.staff.role}:{grant.staff.name}", address=visitor.address)
        answer = LoginAnswer(
            token=grant.token, staff=grant.staff, duties=grant.duties,
            idle_seconds=int(self._accounts.policy.idle.total_seconds()),
        )
        return private(self.with_cookie(request, json_response(answer), grant))

    def _check(self, visitor: Visitor) -> None:
        """Raise RateLimited where too many log-ins from an address were wrong."""
        self._limit.check(network_of(visitor.address), self._accounts.clock().timestamp())

    def _count(self, visitor: Visitor) -> None:
        """Count a wrong log-in; of many at once those beyond the limit too, as each was tried and is to be kept."""
        self._limit.count(network_of(visitor.address), self._accounts.clock().timestamp())

    async def note(self, act: str, actor: str, *, result: str = "ok", **detail: str) -> None:
        """Write an act of identity into the audit; log-ins are counted."""
        if act in ("login", "login.sso"):
            LOG_INS.labels(result).inc()
        if self._note is not None:
            await self._note(Record(at=self._accounts.clock(), actor=actor, act=act, result=result, detail=detail))

    def with_cookie(self, request: web.Request, response: web.Response, grant: Grant) -> web.Response:
        """Give the page its session."""
        response.set_cookie(
            COOKIE, grant.token, max_age=int(self._accounts.policy.life.total_seconds()), httponly=True,
            samesite="Strict", secure=self.secure(request), path="/",
        )
        return response

    def secure(self, request: web.Request) -> bool:
        """Tell whether cookies go over HTTPS only."""
        return self._door.secure or request.secure

    async def session(self, request: web.Request) -> web.Response:
        """Tell whose session it is; a page asks it when it is loaded again."""
        seat = await seat_of(self._accounts, request)
        staff = seat.staff
        return private(json_response(SessionAnswer(
            name=staff.name, display_name=staff.display_name, role=staff.role, department=staff.department,
            proof=seat.proof, duties=seat.duties, enrolled=seat.enrolled,
            idle_seconds=int(self._accounts.policy.idle.total_seconds()),
        )))

    async def logout(self, request: web.Request) -> web.Response:
        """Log out."""
        staff = (await seat_of(self._accounts, request)).staff
        await self._accounts.logout(token_of(request))
        await self.note("logout", f"{staff.role}:{staff.name}")
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/", samesite="Strict", httponly=True)
        return response

    async def console_ticket(self, request: web.Request) -> web.Response:
        """Give out a one-time ticket for the console's WebSocket."""
        ticket = await self._accounts.console_ticket(token_of(request))
        return private(json_response(TicketAnswer(ticket=ticket, url=self._url(request))))

    def _url(self, request: web.Request) -> str:
        if self._door.ws_url:
            return self._door.ws_url
        scheme = "wss" if self._door.secure or request.secure else "ws"
        host = request.url.host or "localhost"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._door.ws_port}/"


def visitor_of(request: web.Request, proxies: int) -> Visitor:
    """Return where a request comes from."""
    return Visitor(
        address=client_address(request, proxies=proxies), device=clean(request.headers.get("User-Agent", ""))[:200]
    )


def private(response: web.Response) -> web.Response:
    """Keep an answer out of every cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


def handlers_of(
    accounts: Accounts, *, ws_port: int, ws_url: str = "", secure: bool = False, proxies: int = 0,
    limit: RateLimit | None = None, note: Callable[[Record], Awaitable[None]] | None = None,
) -> Auth:
    """Return the handlers; `Door` says what the arguments are. `limit`: 30 wrong log-ins an address in ten minutes."""
    door = Door(ws_port=ws_port, ws_url=ws_url, secure=secure, proxies=proxies)
    return Auth(accounts, door=door, limit=limit or RateLimit(30, 600), note=note)


def routes(handlers: Auth) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    return [
        web.post("/api/v1/login", handlers.login),
        web.get("/api/v1/session", handlers.session),
        web.post("/api/v1/logout", handlers.logout),
        web.post("/api/v1/console-ticket", handlers.console_ticket),
    ]
