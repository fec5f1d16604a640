"""HTTP for supervisors: a citizen's data handed out or erased, and legal holds. A phone stands in bodies only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Protocol, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from agent_ui.audit_notes import actor_text
from agent_ui.staff import Staff, StaffRole
from channels.appeal_codec import Body, decode_json
from channels.kit import json_response, read_limited, require_json
from channels.openapi_document import Operation
from channels.phone_number import normalize_phone
from hotline.errors import Forbidden, InvalidInput
from hotline.persons import Erased, Hold, PersonFile
from hotline.ports import Clock
from hotline.privacy import starred

Known = Callable[[web.Request], Awaitable[Staff]]
T = TypeVar("T")
_JSON, _BASE = "application/json", "/api/v1/persons"
_Reason = Annotated[str, Meta(min_length=1, max_length=200)]


class PersonBody(Body, frozen=True, kw_only=True):
    """Whose data, and why."""

    phone: Annotated[str, Meta(min_length=1, max_length=64)]
    reason: _Reason


class HoldBody(Body, frozen=True, kw_only=True):
    """A ticket's number or a phone, one of the two, and why."""

    reason: _Reason
    number: Annotated[str, Meta(max_length=64)] = ""
    phone: Annotated[str, Meta(max_length=64)] = ""


class ReleaseBody(Body, frozen=True, kw_only=True):
    """Why a hold is lifted."""

    reason: _Reason


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The hold that was put."""

    id: int


class HoldList(msgspec.Struct, frozen=True, kw_only=True):
    """Holds, the newest first."""

    holds: tuple[Hold, ...]


class Persons(Protocol):
    """What is done (`hotline.store.persons.PersonStore`)."""

    async def export(self, phone: str, *, by: str, reason: str, now: datetime) -> PersonFile:
        """Return everything kept under a phone."""
        ...

    async def erase(self, phone: str, *, by: str, reason: str, now: datetime) -> Erased:
        """Erase what may go."""
        ...

    async def hold(self, *, number: str = "", phone: str = "", by: str, reason: str, now: datetime) -> int:
        """Hold a ticket or a citizen. Raises NotFound."""
        ...

    async def release(self, id_: int, *, by: str, reason: str, now: datetime) -> None:
        """Lift a hold. Raises NotFound."""
        ...

    async def holds(self) -> list[Hold]:
        """Return holds."""
        ...


def reason_of(text: str) -> str:
    """Return a reason as it is kept; raises InvalidInput for an empty one."""
    if not text.strip():
        raise InvalidInput("a reason is needed")
    return starred(text.strip())


def phone_of(text: str) -> str:
    """Return a phone as it is looked up by; raises InvalidInput."""
    phone = normalize_phone(text)
    if not phone:
        raise InvalidInput("a phone is needed")
    return phone


def routes(persons: Persons, *, known: Known, clock: Clock) -> list[web.AbstractRouteDef]:
    """Return the routes."""

    async def asked(request: web.Request, kind: type[T]) -> tuple[str, T]:
        staff = await known(request)
        if staff.role is not StaffRole.SUPERVISOR:
            raise Forbidden("a citizen's data are handed out, held and erased by supervisors")
        require_json(request)
        return actor_text(staff), decode_json(msgspec.json.Decoder(kind), await read_limited(request, 16 * 1024))

    async def export(request: web.Request) -> web.Response:
        by, body = await asked(request, PersonBody)
        return _private(await persons.export(
            phone_of(body.phone), by=by, reason=reason_of(body.reason), now=clock()
        ))

    async def erasure(request: web.Request) -> web.Response:
        by, body = await asked(request, PersonBody)
        return _private(await persons.erase(phone_of(body.phone), by=by, reason=reason_of(body.reason), now=clock()))

    async def hold(request: web.Request) -> web.Response:
        by, body = await asked(request, HoldBody)
        if bool(body.number) == bool(body.phone):
            raise InvalidInput("a hold is put on a ticket's number or on a phone: give one of them")
        phone = phone_of(body.phone) if body.phone else ""
        id_ = await persons.hold(
            number=body.number, phone=phone, by=by, reason=reason_of(body.reason), now=clock()
        )
        return json_response(Held(id=id_), status=201)

    async def release(request: web.Request) -> web.Response:
        by, body = await asked(request, ReleaseBody)
        id_ = request.match_info["id"]
        if not (id_.isascii() and id_.isdigit() and len(id_) < 19):
            raise InvalidInput("a hold is named by its number")
        await persons.release(int(id_), by=by, reason=reason_of(body.reason), now=clock())
        return web.Response(status=204)

    async def holds(request: web.Request) -> web.Response:
        if (await known(request)).role is not StaffRole.SUPERVISOR:
            raise Forbidden("holds are read by supervisors")
        return _private(HoldList(holds=tuple(await persons.holds())))

    return [
        web.post(f"{_BASE}/export", export), web.post(f"{_BASE}/erasure", erasure), web.get(f"{_BASE}/holds", holds),
        web.post(f"{_BASE}/holds", hold), web.post(_BASE + "/holds/{id}/release", release),
    ]


def _private(value: Any) -> web.Response:
    response = json_response(value)
    response.headers["Cache-Control"] = "no-store"
    return response


def _told(
    method: str, path: str, summary: str, answers: dict[int, tuple[str, Any]], *errors: str, **rest: Any
) -> Operation:
    return Operation(
        method=method, path=f"{_BASE}/{path}", tag="个人信息", security=("staff",), summary=summary, answers=answers,
        errors=("unauthenticated", "forbidden", "invalid_input", *errors), **rest,
    )


OPERATIONS: tuple[Operation, ...] = (
    _told("post", "export", "Everything kept under a phone, for its owner", {200: (_JSON, PersonFile)},
          body={_JSON: PersonBody}),
    _told("post", "erasure", "Erase the identity where the law allows; what stays is told with the reason",
          {200: (_JSON, Erased)}, body={_JSON: PersonBody}),
    _told("get", "holds", "Legal holds, the newest first", {200: (_JSON, HoldList)}),
    _told("post", "holds", "Put a legal hold on a ticket or a citizen", {201: (_JSON, Held)}, "not_found",
          body={_JSON: HoldBody}),
    _told("post", "holds/{id}/release", "Lift a hold", {204: ("", None)}, "not_found", body={_JSON: ReleaseBody}),
)
