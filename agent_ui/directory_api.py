"""HTTP for the owner of the dispatch directory: versions, differences, import and export, proposals, adoption.

Who works with tickets may read it; supervisors and the system administrator change it. Errors are raised as they are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from agent_ui.staff import Staff, StaffRole
from channels.appeal_codec import decode_json
from channels.kit import json_response, read_limited, require_json
from channels.openapi_document import Operation
from hotline.directories import DirectoryDesk
from hotline.errors import Forbidden, InvalidInput
from routing.directory import Unit
from routing.directory_diff import Change
from routing.directory_file import CSV_TYPE, MAX_BYTES, XLSX_TYPE, read, write_csv, write_xlsx
from routing.directory_office import Edit, Proposal, Scope, VersionRow
from routing.directory_table import cells_of, lines_of

Known = Callable[[web.Request], Awaitable[Staff]]
"""Returns who asks; raises Unauthenticated."""
_JSON = "application/json"
_BASE = "/api/v1/directory"


class AdoptBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which open proposals go into which new version, from which day on."""

    proposals: Annotated[list[int], Meta(min_length=1, max_length=500)]
    version: str
    effective_from: date
    scope: Scope = Scope.EXACT
    base: str = ""
    note: Annotated[str, Meta(max_length=500)] = ""
    dry_run: bool = False


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """The new version and what it changes; `dry_run`: nothing was kept."""

    version: str
    effective_from: date
    changes: tuple[Change, ...]
    dry_run: bool


class VersionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole version: rules as lines of the table, and units."""

    version: str
    effective_from: date
    rules: list[dict[str, str]]
    units: list[Unit]


_adopt = msgspec.json.Decoder(AdoptBody)


class DirectoryApi:
    """Handlers over the owner's desk."""

    def __init__(self, desk: DirectoryDesk, known: Known) -> None:
        self._desk, self._known = desk, known

    async def versions(self, request: web.Request) -> web.Response:
        """All versions, the oldest first."""
        await self._known(request)
        return json_response(await self._desk.versions())

    async def version(self, request: web.Request) -> web.Response:
        """One version as JSON, CSV or XLSX; `current` is the one in force."""
        await self._known(request)
        name = request.match_info["version"]
        directory = await self._desk.version("" if name == "current" else name)
        form = request.query.get("format", "json")
        file = f"directory-{directory.version}.{form}"
        match form:
            case "json":
                rules = [cells_of(rule) for rule in lines_of(directory)]
                return json_response(VersionAnswer(
                    version=directory.version, effective_from=directory.effective_from, rules=rules,
                    units=list(directory.units.values()),
                ))
            case "csv":
                return _file(write_csv(directory), CSV_TYPE, file)
            case "xlsx":
                return _file(write_xlsx(directory), XLSX_TYPE, file)
            case _:
                raise InvalidInput("format is json, csv or xlsx")

    async def diff(self, request: web.Request) -> web.Response:
        """What differs between the versions `old` and `new`."""
        await self._known(request)
        return json_response(await self._desk.diff(request.query.get("old", ""), request.query.get("new", "")))

    async def history(self, request: web.Request) -> web.Response:
        """Who changed what, of one category where `l1` and `l2` are given."""
        await self._known(request)
        query = request.query
        return json_response(await self._desk.history(l1=query.get("l1", ""), l2=query.get("l2", "")))

    async def proposals(self, request: web.Request) -> web.Response:
        """Open proposals that returns have made."""
        await self._known(request)
        return json_response(await self._desk.proposals())

    async def put(self, request: web.Request) -> web.Response:
        """Import a version: 201 with what it changes; with `dry_run=true` only tell it (200)."""
        owner = await self._owner(request)
        query = request.query
        table = read(await read_limited(request, MAX_BYTES))
        effective, dry = _day(query.get("effective_from", "")), query.get("dry_run") == "true"
        changes = await self._desk.import_table(
            table.rules, table.units, version=request.match_info["version"], effective_from=effective,
            author=owner.name, base=query.get("base", ""), note=query.get("note", "")[:500], dry_run=dry,
        )
        made = Made(version=request.match_info["version"], effective_from=effective, changes=changes, dry_run=dry)
        return json_response(made, status=200 if dry else 201)

    async def adopt(self, request: web.Request) -> web.Response:
        """Take proposals up into a new version: 201 with what it changes."""
        owner = await self._owner(request)
        require_json(request)
        body = decode_json(_adopt, await read_limited(request, 64 * 1024))
        changes = await self._desk.adopt(
            body.proposals, version=body.version, effective_from=body.effective_from, author=owner.name,
            scope=body.scope, base=body.base, note=body.note, dry_run=body.dry_run,
        )
        made = Made(version=body.version, effective_from=body.effective_from, changes=changes, dry_run=body.dry_run)
        return json_response(made, status=200 if body.dry_run else 201)

    async def withdraw(self, request: web.Request) -> web.Response:
        """Withdraw a version before its day."""
        owner = await self._owner(request)
        await self._desk.withdraw(request.match_info["version"], actor=owner.name)
        return web.Response(status=204)

    async def _owner(self, request: web.Request) -> Staff:
        staff = await self._known(request)
        if staff.role not in (StaffRole.SUPERVISOR, StaffRole.SYSTEM_ADMIN):
            raise Forbidden("the dispatch directory is changed by supervisors and the system administrator")
        return staff


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput("effective_from is a day such as 2027-01-01") from error


def _file(data: bytes, kind: str, name: str) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return web.Response(body=data, content_type=kind, headers=headers)


def routes(desk: DirectoryDesk, *, known: Known) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    api = DirectoryApi(desk, known)
    return [
        web.get(f"{_BASE}/versions", api.versions), web.get(f"{_BASE}/versions/{{version}}", api.version),
        web.put(f"{_BASE}/versions/{{version}}", api.put), web.delete(f"{_BASE}/versions/{{version}}", api.withdraw),
        web.get(f"{_BASE}/diff", api.diff), web.get(f"{_BASE}/history", api.history),
        web.get(f"{_BASE}/proposals", api.proposals), web.post(f"{_BASE}/adoptions", api.adopt),
    ]


_XLSX = {"type": "string", "contentMediaType": XLSX_TYPE}
_READ = ("unauthenticated", "not_found")
_WRITE = ("unauthenticated", "forbidden", "not_found")
_MADE = {201: (_JSON, Made), 200: (_JSON, Made)}


def _told(method: str, path: str, summary: str, **rest: Any) -> Operation:
    defaults = {"errors": _READ, "tag": "派单目录", "security": ("staff",)}
    return Operation(method=method, path=f"{_BASE}{path}", summary=summary, **(defaults | rest))


OPERATIONS: tuple[Operation, ...] = (
    _told("get", "/versions", "All versions of the dispatch directory", answers={200: (_JSON, list[VersionRow])}),
    _told(
        "get", "/versions/{version}", "One version; `current` is the one in force",
        query={"format": "json (default), csv or xlsx"}, answers={200: (_JSON, VersionAnswer)},
    ),
    _told(
        "put", "/versions/{version}", "Import a version, CSV or XLSX",
        body={CSV_TYPE: {"type": "string"}, XLSX_TYPE: _XLSX}, query={
            "effective_from": "the day it begins, today or later", "note": "why",
            "dry_run": "true: only tell what changes",
            "base": "what it is compared with; default: the version in force on that day",
        }, answers=_MADE, errors=_WRITE,
    ),
    _told(
        "delete", "/versions/{version}", "Withdraw a version before its day", answers={204: ("", None)},
        errors=("unauthenticated", "forbidden", "not_found", "illegal_transition"),
    ),
    _told(
        "get", "/diff", "What differs between two versions", query={"old": "default: in force", "new": "likewise"},
        answers={200: (_JSON, list[Change])},
    ),
    _told(
        "get", "/history", "Who changed what", query={"l1": "first level", "l2": "second level"},
        answers={200: (_JSON, list[Edit])},
    ),
    _told("get", "/proposals", "What approved returns propose", answers={200: (_JSON, list[Proposal])}),
    _told(
        "post", "/adoptions", "Take proposals up into a new version", body={_JSON: AdoptBody}, answers=_MADE,
        errors=(*_WRITE, "version_conflict"),
    ),
)
