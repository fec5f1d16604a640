"""HTTP for people and roles: the system administrator sets people up, the security administrator lets them in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from agent_ui.account_api import Ended, body_of
from agent_ui.account_ports import SessionRow
from agent_ui.accounts import Accounts
from agent_ui.auth import private
from agent_ui.gate import seat_of
from agent_ui.people import PAGE, NewPerson, People, Person
from agent_ui.staff import StaffRole
from channels.appeal_codec import Body
from channels.kit import json_response
from channels.openapi_document import Operation
from hotline.errors import InvalidInput
from routing.queue_file import AgentPhone

_JSON = "application/json"
_BASE = "/api/v1/people"
Reason = Annotated[str, Meta(min_length=2, max_length=200)]


class Rename(Body, frozen=True, kw_only=True):
    """What colleagues see."""

    display_name: Annotated[str, Meta(min_length=1, max_length=64)]


class RoleBody(Body, frozen=True, kw_only=True):
    """The role that is granted; `department` for the role department."""

    role: StaffRole
    department: Annotated[str, Meta(max_length=64)] = ""


class Why(Body, frozen=True, kw_only=True):
    """Why somebody is locked out, or let in again; audited."""

    reason: Reason


class PhoneBody(Body, frozen=True, kw_only=True):
    """Where an agent is rung, and what they know: skill → level, 1 (best) to 5."""

    endpoint: Annotated[str, Meta(min_length=1, max_length=100)]
    skills: dict[Annotated[str, Meta(min_length=1, max_length=40)], Annotated[int, Meta(ge=1, le=5)]]


class PersonPage(msgspec.Struct, frozen=True, kw_only=True):
    """People by their names; `next` is the offset of the page after, 0 on the last."""

    people: list[Person]
    next: int = 0


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A password, shown this once; it must be changed at the first log-in."""

    password: str


class PeopleApi:
    """Handlers."""

    def __init__(self, people: People, accounts: Accounts) -> None:
        self._people, self._accounts = people, accounts

    async def listed(self, request: web.Request) -> web.Response:
        """People by their names."""
        query = request.query
        offset, role = query.get("offset", "0"), query.get("role", "")
        if not (offset.isascii() and offset.isdigit() and len(offset) < 8):
            raise InvalidInput("offset is a whole number")
        found = await self._people.people(role=role, text=query.get("text", "")[:100], offset=int(offset))
        return private(json_response(PersonPage(
            people=found, next=int(offset) + PAGE if len(found) == PAGE else 0
        )))

    async def propose(self, request: web.Request) -> web.Response:
        """Set somebody up."""
        seat, new = await seat_of(self._accounts, request), await body_of(request, NewPerson)
        return json_response(await self._people.propose(seat, new), status=201)

    async def rename(self, request: web.Request) -> web.Response:
        """Change what colleagues see."""
        seat, body = await seat_of(self._accounts, request), await body_of(request, Rename)
        await self._people.rename(seat, request.match_info["name"], body.display_name)
        return web.Response(status=204)

    async def phone(self, request: web.Request) -> web.Response:
        """Say where an agent is rung, and what they know."""
        seat, body = await seat_of(self._accounts, request), await body_of(request, PhoneBody)
        phone = AgentPhone(endpoint=body.endpoint, skills=body.skills or {"general": 1})
        await self._people.give_phone(seat, request.match_info["name"], phone)
        return web.Response(status=204)

    async def grant(self, request: web.Request) -> web.Response:
        """Grant a role, which lets somebody in."""
        seat, body = await seat_of(self._accounts, request), await body_of(request, RoleBody)
        ended = await self._people.grant(seat, request.match_info["name"], body.role, body.department)
        return json_response(Ended(ended=ended))

    async def lock(self, request: web.Request) -> web.Response:
        """Lock somebody out at once."""
        return await self._locked(request, locked=True)

    async def unlock(self, request: web.Request) -> web.Response:
        """Let somebody in again; a lock by failures ends too."""
        return await self._locked(request, locked=False)

    async def _locked(self, request: web.Request, *, locked: bool) -> web.Response:
        seat, body = await seat_of(self._accounts, request), await body_of(request, Why)
        ended = await self._people.lock(seat, request.match_info["name"], reason=body.reason, locked=locked)
        return json_response(Ended(ended=ended))

    async def password(self, request: web.Request) -> web.Response:
        """Give a new password."""
        seat = await seat_of(self._accounts, request)
        return private(json_response(Given(password=await self._people.reset_password(
            seat, request.match_info["name"]
        ))))

    async def factor(self, request: web.Request) -> web.Response:
        """Take a lost second factor away."""
        await self._people.reset_factor(await seat_of(self._accounts, request), request.match_info["name"])
        return web.Response(status=204)

    async def sessions(self, request: web.Request) -> web.Response:
        """Somebody's sessions."""
        return private(json_response(await self._people.sessions(request.match_info["name"])))

    async def end(self, request: web.Request) -> web.Response:
        """End all of somebody's sessions."""
        seat = await seat_of(self._accounts, request)
        return json_response(Ended(ended=await self._people.end_sessions(seat, request.match_info["name"])))


def routes(people: People, *, accounts: Accounts) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    api, one = PeopleApi(people, accounts), f"{_BASE}/{{name}}"
    return [
        web.get(_BASE, api.listed), web.post(_BASE, api.propose), web.put(one, api.rename),
        web.put(f"{one}/phone", api.phone), web.put(f"{one}/role", api.grant), web.post(f"{one}/lock", api.lock),
        web.post(f"{one}/unlock", api.unlock), web.post(f"{one}/password", api.password),
        web.delete(f"{one}/second-factor", api.factor), web.get(f"{one}/sessions", api.sessions),
        web.delete(f"{one}/sessions", api.end),
    ]


def _told(
    method: str, path: str, summary: str, answers: dict[int, tuple[str, Any]], *errors: str, body: Any = None,
    query: dict[str, str] | None = None,
) -> Operation:
    return Operation(
        method=method, path=f"{_BASE}{path}", tag="人员与角色", security=("staff",), summary=summary, answers=answers,
        errors=("unauthenticated", "forbidden", *errors), body={_JSON: body} if body else {}, query=query or {},
    )


_NOTHING, _ENDED = {204: ("", None)}, {200: (_JSON, Ended)}
OPERATIONS: tuple[Operation, ...] = (
    _told("get", "", "People by their names", {200: (_JSON, PersonPage)}, query={
        "text": "in name, shown name or department", "role": "one role only", "offset": "`next` of the page before",
    }),
    _told("post", "", "Set somebody up; a security administrator grants the role", {201: (_JSON, Person)},
          body=NewPerson),
    _told("put", "/{name}", "Change what colleagues see", _NOTHING, "not_found", body=Rename),
    _told("put", "/{name}/phone", "Where an agent is rung, and what they know", _NOTHING, "not_found",
          "unavailable", body=PhoneBody),
    _told("put", "/{name}/role", "Grant a role, which lets somebody in; their sessions end", _ENDED, "not_found",
          "rule_violation", body=RoleBody),
    _told("post", "/{name}/lock", "Lock somebody out at once", _ENDED, "not_found", "rule_violation", body=Why),
    _told("post", "/{name}/unlock", "Let somebody in again", _ENDED, "not_found", "rule_violation", body=Why),
    _told("post", "/{name}/password", "A new password, shown once", {200: (_JSON, Given)}, "not_found"),
    _told("delete", "/{name}/second-factor", "Take a lost second factor away", _NOTHING, "not_found"),
    _told("get", "/{name}/sessions", "Somebody's sessions", {200: (_JSON, list[SessionRow])}),
    _told("delete", "/{name}/sessions", "End them all; their consoles are disconnected", _ENDED, "not_found"),
)
