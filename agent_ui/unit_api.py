"""The API of units' own systems (`/api/v1/units/{unit}/…`): pull tickets by cursor, act on them, look after webhooks.

A unit's token opens its own path and nothing else. What a unit sees and may do is what it sees and may do at a console:
its own tickets, personal data masked unless a reason is given, and recorded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
from aiohttp import web

from agent_ui.audit_notes import Note, actor_text, noted
from agent_ui.files import TicketFiles
from agent_ui.protocol import Ok, Open, Opened
from agent_ui.requests import Requests
from agent_ui.staff import Staff, StaffRole, actor_of, check_command
from agent_ui.unit_kit import DeliveryBook, delivery_page, limit_of
from channels.appeal_codec import decode_json
from channels.clean import check_key
from channels.kit import json_response, read_limited, require_json
from hotline import commands as c
from hotline.audit import Record
from hotline.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from hotline.events import Actor
from hotline.ports import Acted, Clock, Once
from routing.unit_codec import ActAnswer, ActBody, UnitPage, act_hash

MAX_ACT = 64 * 1024
_acts = msgspec.json.Decoder(ActBody)


class Pages(Protocol):
    """The pull API's pages (`hotline.store.unit_pages.UnitPages`)."""

    async def page(self, unit: str, *, cursor: str = "", limit: int) -> UnitPage:
        """Return the page after `cursor`. Raises InvalidInput."""
        ...


class ActOnce(Protocol):
    """Carries out a command under a key (`hotline.service.Service.act_once`)."""

    async def __call__(
        self, number: str, command: c.Command, *, actor: Actor, once: Once, expected_version: int | None = None
    ) -> Acted:
        """Return what it led to. Raises the errors of `hotline.errors`."""
        ...


class UnitApi:
    """Handlers; `authenticate` turns a token into its unit."""

    def __init__(
        self, *, authenticate: Callable[[str], Awaitable[str]], requests: Requests, pages: Pages, act_once: ActOnce,
        book: DeliveryBook, files: TicketFiles, clock: Clock, note: Note,
    ) -> None:
        """`note` keeps the audit of what is refused and of files given out."""
        self._authenticate, self._requests, self._pages, self._act = authenticate, requests, pages, act_once
        self._book, self._files, self._clock, self._note = book, files, clock, note

    async def _unit(self, request: web.Request) -> Staff:
        """Return the unit as the member of staff that its system acts as."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("send `Authorization: Bearer TOKEN` with the unit's token")
        unit = await self._authenticate(token.strip())
        if unit != request.match_info["unit"]:
            raise Forbidden(f"this token is {unit}'s")
        return Staff(name=unit, display_name=f"{unit}系统", role=StaffRole.DEPARTMENT, department=unit)

    async def tickets(self, request: web.Request) -> web.Response:
        """The unit's open tickets, and then what happens to its tickets, by cursor."""
        staff = await self._unit(request)
        cursor = request.query.get("cursor", "")
        return json_response(await self._pages.page(staff.department, cursor=cursor, limit=limit_of(request)))

    async def ticket(self, request: web.Request) -> web.Response:
        """One ticket with its events; `?reason=` shows personal data in full, and is recorded."""
        staff = await self._unit(request)
        since = request.query.get("since_version", "0")
        if not (since.isascii() and since.isdigit() and len(since) < 10):
            raise InvalidInput("since_version is a whole number")
        answer = await self._requests.answer(staff, Open(
            id=0, number=request.match_info["number"], since_version=int(since),
            reason=request.query.get("reason", "")[:200],
        ))
        if not isinstance(answer, Ok) or not isinstance(answer.opened, Opened):
            raise NotFound("there is no such ticket")
        return json_response(answer.opened)

    async def act(self, request: web.Request) -> web.Response:
        """Act on a ticket; the `Idempotency-Key` makes a repeat harmless."""
        staff = await self._unit(request)
        require_json(request)
        key = check_key(request.headers.get("Idempotency-Key", ""))
        body = decode_json(_acts, await read_limited(request, MAX_ACT))
        number = request.match_info["number"]
        once = Once(unit=staff.department, key=key, content_hash=act_hash(number, body))
        record = self._record(staff, f"ticket.{c.tag_of(type(body.command))}", number)
        acted = await noted(self._note, record, self._acted(staff, number, body, once), only_refusals=True)
        return json_response(ActAnswer(
            number=acted.number, version=acted.version, state=acted.state, repeat=acted.repeat
        ))

    async def _acted(self, staff: Staff, number: str, body: ActBody, once: Once) -> Acted:
        check_command(staff, body.command)
        return await self._act(
            number, body.command, actor=actor_of(staff), once=once, expected_version=body.expected_version
        )

    def _record(self, staff: Staff, act: str, subject: str) -> Record:
        return Record(at=self._clock(), actor=actor_text(staff), act=act, subject=subject[:200])

    async def upload(self, request: web.Request) -> web.Response:
        """Keep a file, to be named by its key in an act."""
        await self._unit(request)
        return await self._files.upload(request)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Give out a file of one of the unit's tickets."""
        staff = await self._unit(request)
        subject = "/".join(request.match_info[part] for part in ("number", "key"))
        record = self._record(staff, "unit.download", subject)
        return await noted(self._note, record, self._files.download(request, staff))

    async def deliveries(self, request: web.Request) -> web.Response:
        """The unit's webhooks that were given up, wait, or were taken."""
        return await delivery_page(self._book, request, unit=(await self._unit(request)).department)

    async def resend(self, request: web.Request) -> web.Response:
        """Try one of the unit's webhooks anew."""
        staff = await self._unit(request)
        await self._book.resend(request.match_info["id"], unit=staff.department, now=self._clock())
        return web.Response(status=204)


def routes(api: UnitApi) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    base = "/api/v1/units/{unit}"
    return [
        web.get(f"{base}/tickets", api.tickets),
        web.get(f"{base}/tickets/{{number}}", api.ticket),
        web.post(f"{base}/tickets/{{number}}/commands", api.act),
        web.post(f"{base}/attachments", api.upload),
        web.get(f"{base}/tickets/{{number}}/attachments/{{key}}", api.download),
        web.get(f"{base}/deliveries", api.deliveries),
        web.post(f"{base}/deliveries/{{id}}/resend", api.resend),
    ]
