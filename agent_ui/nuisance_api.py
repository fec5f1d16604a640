"""HTTP for supervisors: contacts marked as malicious nuisance, lifted, and bundled as evidence for the police.

A contact is personal data: it stands in bodies only, never in addresses, and in answers masked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from agent_ui.staff import Staff
from channels.appeal_codec import Body, decode_json
from channels.kit import json_response, read_limited, require_json
from channels.openapi_document import Operation
from hotline.containment import MAX_DAYS, NuisanceDesk
from hotline.errors import NotFound
from hotline.nuisance import CaseShown, Mark

Known = Callable[[web.Request], Awaitable[Staff]]
_JSON, _ZIP = "application/json", "application/zip"
_BASE = "/api/v1/nuisance"
T = TypeVar("T")


class MarkBody(Body, frozen=True, kw_only=True):
    """Who is marked – a contact, or whom a ticket is about, one of the two –, why, and for how many days."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    contact: Annotated[str, Meta(max_length=200)] = ""
    number: Annotated[str, Meta(max_length=64)] = ""
    days: Annotated[int, Meta(ge=1, le=MAX_DAYS)] = 30


class LiftBody(Body, frozen=True, kw_only=True):
    """Which mark is lifted, by its contact or its id, one of the two, and why."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    contact: Annotated[str, Meta(max_length=200)] = ""
    id: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None


class ContactBody(Body, frozen=True, kw_only=True):
    """Who is bundled – a contact, or whom a ticket or a mark is about, one of the three –, and why."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    contact: Annotated[str, Meta(max_length=200)] = ""
    number: Annotated[str, Meta(max_length=64)] = ""
    id: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None


async def _body(request: web.Request, kind: type[T]) -> T:
    require_json(request)
    return decode_json(msgspec.json.Decoder(kind), await read_limited(request, 16 * 1024))


def _id(request: web.Request) -> int:
    text = request.match_info["id"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound("a mark is named by its number")
    return int(text)


def routes(desk: NuisanceDesk, *, known: Known) -> list[web.AbstractRouteDef]:
    """Return the routes."""

    async def marks(request: web.Request) -> web.Response:
        return json_response(await desk.marks(await known(request)))

    async def mark(request: web.Request) -> web.Response:
        staff = await known(request)
        given = await _body(request, MarkBody)
        marked = await desk.mark(staff, given.contact, given.reason, days=given.days, number=given.number)
        return json_response(marked, status=201)

    async def lift(request: web.Request) -> web.Response:
        staff = await known(request)
        given = await _body(request, LiftBody)
        return json_response(await desk.lift(staff, given.contact, given.reason, id_=given.id))

    async def evidence(request: web.Request) -> web.Response:
        staff = await known(request)
        given = await _body(request, ContactBody)
        case, act = await desk.evidence(staff, given.contact, given.reason, id_=given.id, number=given.number)
        packed = await asyncio.to_thread(desk.pack, case, act)
        name = f"evidence-{act.at:%Y%m%d-%H%M%S}.zip"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return web.Response(body=packed, content_type=_ZIP, headers=headers)

    async def case_of_mark(request: web.Request) -> web.Response:
        return json_response(await desk.case(await known(request), id_=_id(request)))

    async def case_of_ticket(request: web.Request) -> web.Response:
        return json_response(await desk.case(await known(request), number=request.match_info["number"]))

    return [
        web.get(f"{_BASE}/marks/{{id}}/case", case_of_mark),
        web.get(f"{_BASE}/tickets/{{number}}/case", case_of_ticket),
        web.get(f"{_BASE}/marks", marks), web.post(f"{_BASE}/marks", mark), web.post(f"{_BASE}/lifts", lift),
        web.post(f"{_BASE}/evidence", evidence),
    ]


def _told(
    method: str, path: str, summary: str, answers: dict[int, tuple[str, Any]], *errors: str, **rest: Any
) -> Operation:
    return Operation(
        method=method, path=f"{_BASE}/{path}", tag="恶意骚扰", security=("staff",), summary=summary, answers=answers,
        errors=("unauthenticated", "forbidden", *errors), **rest,
    )


OPERATIONS: tuple[Operation, ...] = (
    _told("get", "marks", "All marks, the newest first, with contacts masked", {200: (_JSON, list[Mark])}),
    _told(
        "post", "marks", "Mark a contact, or whom a ticket is about", {201: (_JSON, Mark)}, "rule_violation",
        "not_found", body={_JSON: MarkBody},
    ),
    _told("get", "marks/{id}/case", "What is kept of whom a mark is about, masked; audited", {200: (_JSON, CaseShown)}),
    _told(
        "get", "tickets/{number}/case", "What is kept of whom a ticket is about, masked, before a mark is put; audited",
        {200: (_JSON, CaseShown)},
    ),
    _told("post", "lifts", "Lift a mark", {200: (_JSON, Mark)}, "not_found", body={_JSON: LiftBody}),
    _told(
        "post", "evidence", "Everything kept of a contact, as a zip for the police",
        {200: (_ZIP, {"type": "string", "contentMediaType": _ZIP})}, "not_found", body={_JSON: ContactBody},
    ),
)
