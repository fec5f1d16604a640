"""Recordings for staff: the calls of a ticket, and listening, which needs a reason and is audited.

Supervisors listen to every recording, agents to those of their own calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec
from aiohttp import web

from agent_ui.call_requests import Note
from agent_ui.staff import Staff, StaffRole, actor_of
from channels.kit import json_response
from channels.openapi_document import Operation
from hotline.audit import Record
from hotline.errors import Forbidden, InvalidInput
from hotline.ports import Clock
from hotline.privacy import starred
from hotline.recordings import CallOfTicket, Recording
from routing.call_news import CallSeen

Authenticate = Callable[[web.Request], Awaitable[Staff]]
_JSON, _AUTH = "application/json", ("unauthenticated", "forbidden", "unavailable")


class TicketCalls(msgspec.Struct, frozen=True, kw_only=True):
    """The calls of a ticket, the newest first."""

    calls: tuple[CallOfTicket, ...]


class Tapes(Protocol):
    """Recordings that are kept (`hotline.store.recordings.RecordingStore`)."""

    async def of(self, call: str) -> Recording:
        """Return a call's recording. Raises NotFound."""
        ...

    async def of_ticket(self, number: str) -> tuple[CallOfTicket, ...]:
        """Return the calls of a ticket."""
        ...

    def path_of(self, sha256: str) -> Path:
        """Return where the bytes lie."""
        ...


class Listening:
    """Lets staff listen. `call` finds a call (raises NotFound), `note` keeps the audit."""

    def __init__(
        self, *, tapes: Tapes, call: Callable[[str], Awaitable[CallSeen]], note: Note, clock: Clock
    ) -> None:
        self._tapes, self._call, self._note, self._clock = tapes, call, note, clock

    async def calls(self, number: str) -> TicketCalls:
        """Return the calls of a ticket."""
        return TicketCalls(calls=await self._tapes.of_ticket(number))

    async def listen(self, staff: Staff, id_: str, reason: str) -> Path:
        """Return the file. Raises InvalidInput without a reason, Forbidden, NotFound; every attempt is recorded."""
        if not reason.strip():
            raise InvalidInput("listening to a recording needs a reason")
        call, actor = await self._call(id_), actor_of(staff)
        allowed = staff.role is StaffRole.SUPERVISOR or (staff.role is StaffRole.AGENT and call.agent == staff.name)
        await self._note(Record(
            at=self._clock(), actor=f"{actor.role}:{actor.name}", act="recording.listen", subject=id_,
            result="ok" if allowed else "forbidden", detail={"reason": starred(reason.strip())[:200]},
        ))
        if not allowed:
            raise Forbidden("this call belongs to another agent")
        return self._tapes.path_of((await self._tapes.of(id_)).sha256)


def routes(listening: Listening, *, authenticate: Authenticate) -> list[web.AbstractRouteDef]:
    """Return the routes."""

    async def calls(request: web.Request) -> web.Response:
        await authenticate(request)
        return json_response(await listening.calls(request.match_info["number"]))

    async def recording(request: web.Request) -> web.StreamResponse:
        staff = await authenticate(request)
        path = await listening.listen(staff, request.match_info["call"], request.query.get("reason", ""))
        response = web.FileResponse(path)
        response.content_type = "audio/wav"
        response.headers["Cache-Control"] = "private, no-store"
        return response

    return [
        web.get("/api/v1/staff/tickets/{number}/calls", calls),
        web.get("/api/v1/staff/calls/{call}/recording", recording),
    ]


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path="/api/v1/staff/tickets/{number}/calls", tag="坐席", security=("staff",), errors=_AUTH,
        summary="The calls of a ticket with their recordings; telephones masked", answers={200: (_JSON, TicketCalls)},
    ),
    Operation(
        method="get", path="/api/v1/staff/calls/{call}/recording", tag="坐席", security=("staff",),
        errors=(*_AUTH, "not_found", "invalid_input"), query={"reason": "why one listens; it is audited"},
        summary="Listen to a recording: supervisors to any, agents to those of their own calls",
        answers={200: ("audio/wav", None)},
    ),
)
