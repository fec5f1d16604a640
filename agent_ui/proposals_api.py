"""One proposal to the dispatch directory with its examples, and dismissing it: for supervisors, who own the directory.

Listing the open ones and taking them up into a new version is `agent_ui.directory_api`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Protocol

import msgspec
from aiohttp import web
from msgspec import Meta

from agent_ui.staff import Staff, StaffRole
from channels.appeal_codec import decode_json
from channels.kit import json_response, require_json
from channels.openapi_document import Operation
from hotline.errors import Forbidden, NotFound
from hotline.lessons import Proposed
from hotline.ports import Clock

_PATH = "/api/v1/directory/proposals/{id}"
_JSON = "application/json"


class DismissalBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the directory stays as it is."""

    note: Annotated[str, Meta(min_length=1, max_length=500)]


class ProposalBook(Protocol):
    """Proposals (`hotline.store.proposals.ProposalStore`)."""

    async def proposal(self, id_: int) -> Proposed:
        """Return one proposal. Raises NotFound."""
        ...

    async def dismiss(self, id_: int, *, by: str, note: str, now: datetime) -> None:
        """Dismiss an open proposal. Raises NotFound."""
        ...


_body = msgspec.json.Decoder(DismissalBody)


def _id(request: web.Request) -> int:
    text = request.match_info["id"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound("a proposal is named by its number")
    return int(text)


def routes(
    book: ProposalBook, *, session: Callable[[web.Request], Awaitable[Staff]], clock: Clock
) -> list[web.AbstractRouteDef]:
    """Return the routes; `session` knows who is logged in, and raises Unauthenticated."""

    async def owner(request: web.Request) -> Staff:
        staff = await session(request)
        if staff.role is not StaffRole.SUPERVISOR:
            raise Forbidden("the dispatch directory is changed by supervisors")
        return staff

    async def proposal(request: web.Request) -> web.Response:
        await owner(request)
        return json_response(await book.proposal(_id(request)))

    async def dismiss(request: web.Request) -> web.Response:
        staff = await owner(request)
        require_json(request)
        body = decode_json(_body, await request.read())
        await book.dismiss(_id(request), by=staff.name, note=body.note, now=clock())
        return json_response(await book.proposal(_id(request)))

    return [web.get(_PATH, proposal), web.post(f"{_PATH}/dismissal", dismiss)]


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path=_PATH, tag="派单目录", security=("staff",), parameters=("proposal",),
        summary="What returns propose, with the tickets that said so", answers={200: (_JSON, Proposed)},
        errors=("unauthenticated", "forbidden", "not_found"),
    ),
    Operation(
        method="post", path=f"{_PATH}/dismissal", tag="派单目录", security=("staff",), parameters=("proposal",),
        summary="Leave the directory as it is", body={_JSON: DismissalBody}, answers={200: (_JSON, Proposed)},
        errors=("unauthenticated", "forbidden", "not_found"),
    ),
)
