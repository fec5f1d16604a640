"""Files of tickets for staff and for units' systems: keep what is uploaded, give out what belongs to a ticket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from agent_ui.masking import masked, may_see_citizen
from agent_ui.ports import ConsoleStore, Found
from agent_ui.staff import Staff, check_ticket
from channels.attachments import MAX_BYTES
from channels.kit import json_response, read_limited
from hotline.appeal import Attachment
from hotline.errors import NotFound
from hotline.events import Receive, TicketEvent

Keep = Callable[[bytes, str], Awaitable[Attachment]]
"""Keeps a file under a name; raises InvalidInput for what is not allowed (`hotline.front.Front.store_attachment`)."""


def attachments_of(events: Iterable[TicketEvent]) -> dict[str, Attachment]:
    """Return everything that was ever attached to a ticket, by key."""
    found: dict[str, Attachment] = {}
    for event in events:
        source = event.fact.appeal if isinstance(event.fact, Receive) else event.fact
        found |= {one.key: one for one in getattr(source, "attachments", ())}
    return found


class TicketFiles:
    """Uploads and downloads. `path_of` tells where the bytes of a key lie."""

    def __init__(self, *, store: ConsoleStore, keep: Keep, path_of: Callable[[str], Path]) -> None:
        self._store, self._keep, self._path_of = store, keep, path_of

    async def upload(self, request: web.Request) -> web.Response:
        """Keep the body as a file; its key then stands in a command."""
        data = await read_limited(request, MAX_BYTES)
        return json_response(await self._keep(data, request.query.get("name", "")), status=201)

    async def download(self, request: web.Request, staff: Staff) -> web.StreamResponse:
        """Give a file of a ticket out, to be saved and never to be run in the page's origin."""
        found: Found = await self._store.find(request.match_info["number"])
        check_ticket(staff, found.summary)
        attachment = attachments_of(found.events).get(request.match_info["key"])
        if attachment is None:
            raise NotFound("the ticket has no such file")
        response = web.FileResponse(self._path_of(attachment.key))
        response.content_type = attachment.media_type
        concealed = not may_see_citizen(staff, found.ticket)  # as it stands with the ticket: a name tells who sent it
        shown = masked(attachment, *found.ticket.names, concealed=concealed).name
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(shown, safe='')}"
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response.headers["Cache-Control"] = "private, no-store"
        return response


def routes(
    files: TicketFiles, *, authenticate: Callable[[web.Request], Awaitable[Staff]]
) -> list[web.AbstractRouteDef]:
    """Return the routes of staff; `authenticate` raises Unauthenticated, and Forbidden for administrators."""

    async def upload(request: web.Request) -> web.Response:
        await authenticate(request)
        return await files.upload(request)

    async def download(request: web.Request) -> web.StreamResponse:
        return await files.download(request, await authenticate(request))

    return [
        web.post("/api/v1/staff/attachments", upload),
        web.get("/api/v1/staff/tickets/{number}/attachments/{key}", download),
    ]
