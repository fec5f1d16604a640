"""HTTP for one's own account: password, second factor, sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from agent_ui.account_ports import SessionRow
from agent_ui.accounts import Accounts
from agent_ui.auth import private
from agent_ui.gate import seat_of
from agent_ui.identity import Seat
from agent_ui.own_account import Enrolment, OwnAccount
from channels.appeal_codec import Body, decode_json
from channels.kit import json_response, read_limited, require_json
from channels.openapi_document import Operation
from hotline.audit import Record
from hotline.errors import NotFound

_JSON = "application/json"
_BASE = "/api/v1/account"
Password = Annotated[str, Meta(min_length=1, max_length=1000)]
T = TypeVar("T")
Note = Callable[[Record], Awaitable[None]]
"""Writes into the audit (`hotline.store.audit.AuditStore.note`)."""


class PasswordChange(Body, frozen=True, kw_only=True):
    """The old and the new password."""

    old: Password
    new: Password


class Code(Body, frozen=True, kw_only=True):
    """A code of the authenticator app."""

    code: Annotated[str, Meta(min_length=6, max_length=20)]


class Proven(Body, frozen=True, kw_only=True):
    """The password once more."""

    password: Password


class RecoveryCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Shown this once; each opens one log-in in place of a code."""

    recovery_codes: tuple[str, ...]


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """So many sessions were ended."""

    ended: int


async def body_of(request: web.Request, kind: type[T]) -> T:
    """Return the JSON body. Raises InvalidInput."""
    require_json(request)
    return decode_json(msgspec.json.Decoder(kind), await read_limited(request, 16 * 1024))


class AccountApi:
    """Handlers."""

    def __init__(self, accounts: Accounts, own: OwnAccount, note: Note | None) -> None:
        self._accounts, self._own, self._note = accounts, own, note

    async def _noted(self, seat: Seat, act: str) -> None:
        if self._note is not None:
            actor = f"{seat.staff.role}:{seat.staff.name}"
            await self._note(Record(at=self._accounts.clock(), actor=actor, act=act, subject=seat.staff.name))

    async def password(self, request: web.Request) -> web.Response:
        """Change the password; other sessions end."""
        seat, body = await seat_of(self._accounts, request), await body_of(request, PasswordChange)
        ended = await self._own.change_password(seat, body.old, body.new)
        await self._noted(seat, "account.password")
        return json_response(Ended(ended=ended))

    async def begin(self, request: web.Request) -> web.Response:
        """Begin to enrol a second factor."""
        return private(json_response(await self._own.begin_enrolment(await seat_of(self._accounts, request))))

    async def finish(self, request: web.Request) -> web.Response:
        """Prove it by a code."""
        seat, body = await seat_of(self._accounts, request), await body_of(request, Code)
        codes = await self._own.finish_enrolment(seat, body.code)
        await self._noted(seat, "account.second_factor")
        return private(json_response(RecoveryCodes(recovery_codes=codes)))

    async def remove(self, request: web.Request) -> web.Response:
        """Take the second factor away."""
        seat, body = await seat_of(self._accounts, request), await body_of(request, Proven)
        await self._own.drop_second_factor(seat, body.password)
        await self._noted(seat, "account.second_factor_removed")
        return web.Response(status=204)

    async def recovery(self, request: web.Request) -> web.Response:
        """Give out fresh recovery codes."""
        seat, body = await seat_of(self._accounts, request), await body_of(request, Proven)
        codes = await self._own.renew_recovery(seat, body.password)
        await self._noted(seat, "account.recovery_codes")
        return private(json_response(RecoveryCodes(recovery_codes=codes)))

    async def sessions(self, request: web.Request) -> web.Response:
        """List one's sessions."""
        return private(json_response(await self._own.sessions(await seat_of(self._accounts, request))))

    async def end(self, request: web.Request) -> web.Response:
        """End one of them."""
        id_ = request.match_info["id"]
        if not (id_.isascii() and id_.isdigit() and len(id_) < 18):
            raise NotFound("there is no such session")
        await self._own.end_session(await seat_of(self._accounts, request), int(id_))
        return web.Response(status=204)

    async def end_others(self, request: web.Request) -> web.Response:
        """End all but the one that asks."""
        return json_response(Ended(ended=await self._own.end_others(await seat_of(self._accounts, request))))


def routes(accounts: Accounts, *, issuer: str, note: Note | None = None) -> list[web.AbstractRouteDef]:
    """Return the routes; `issuer` is what an authenticator app shows, `note` writes into the audit."""
    api = AccountApi(accounts, OwnAccount(accounts, issuer=issuer), note)
    return [
        web.post(f"{_BASE}/password", api.password),
        web.post(f"{_BASE}/second-factor", api.begin), web.put(f"{_BASE}/second-factor", api.finish),
        web.post(f"{_BASE}/second-factor/removal", api.remove), web.post(f"{_BASE}/recovery-codes", api.recovery),
        web.get(f"{_BASE}/sessions", api.sessions), web.delete(f"{_BASE}/sessions/{{id}}", api.end),
        web.delete(f"{_BASE}/sessions", api.end_others),
    ]


def _told(method: str, path: str, summary: str, answers: Any, *errors: str, body: Any = None) -> Operation:
    return Operation(
        method=method, path=f"{_BASE}/{path}", tag="账号", security=("staff",), summary=summary, answers=answers,
        errors=("unauthenticated", "forbidden", *errors), body={_JSON: body} if body else {},
    )


_PASSWORD = ("password_wrong", "overloaded")
OPERATIONS: tuple[Operation, ...] = (
    _told("post", "password", "Change one's password; one's other sessions end", {200: (_JSON, Ended)},
          "password_weak", "password_used", *_PASSWORD, body=PasswordChange),
    _told("post", "second-factor", "Begin to enrol a second factor (TOTP)", {200: (_JSON, Enrolment)},
          "rule_violation"),
    _told("put", "second-factor", "Prove it by a first code", {200: (_JSON, RecoveryCodes)}, "not_found",
          "code_mismatch", body=Code),
    _told("post", "second-factor/removal", "Take the second factor away", {204: ("", None)}, "not_found", *_PASSWORD,
          body=Proven),
    _told("post", "recovery-codes", "Fresh recovery codes", {200: (_JSON, RecoveryCodes)}, "not_found", *_PASSWORD,
          body=Proven),
    _told("get", "sessions", "One's sessions", {200: (_JSON, list[SessionRow])}),
    _told("delete", "sessions/{id}", "End one of one's sessions", {204: ("", None)}, "not_found"),
    _told("delete", "sessions", "End all of one's sessions but this one", {200: (_JSON, Ended)}),
)
