"""Figures for staff over HTTP: live, by whatever splits them, as tables; exclusions; the month's report.

The centre (agents and supervisors) sees every figure, a department its own. Exclusions are a supervisor's to make, and
for the audit administrator to read too. The other administrators see no figures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import quote

import msgspec
from aiohttp import web
from msgspec import Meta

from agent_ui.figures_kit import Session, department_of, question_of, whole
from agent_ui.masking import mask_text
from agent_ui.staff import StaffRole, actor_of
from channels.appeal_codec import decode_json
from channels.kit import json_response, require_json
from hotline import sheets
from hotline.errors import Forbidden, InvalidInput
from hotline.figure_ports import Figures
from hotline.metric_tables import EXCLUSION_HEADER, Row, exclusion_row, figure_table
from hotline.metric_views import By, Exclusion, Figure, local_day, month_of
from hotline.metrics import FROM_TICKETS, Metric, Reason, name_of
from hotline.ports import Clock

Report = Callable[[str], Awaitable[str]]
MAX_PAGE = 500


class FigureList(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a time, split by something."""

    first: date
    last: date
    by: By
    figures: tuple[Figure, ...]


class ExclusionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Leave a ticket out of a metric (`excluded`), or count it again; why is kept for ever."""

    number: Annotated[str, Meta(min_length=1, max_length=40)]
    metric: Metric
    excluded: bool = True
    reason: Reason = Reason.OTHER
    note: Annotated[str, Meta(min_length=2, max_length=1000)]


class ExclusionMade(msgspec.Struct, frozen=True, kw_only=True):
    """The record's position in the log."""

    position: int


class ExclusionPage(msgspec.Struct, frozen=True, kw_only=True):
    """What was excluded or counted again, the newest first; `next` is `before` of the page after, 0 on the last."""

    exclusions: tuple[Exclusion, ...]
    next: int = 0


_body = msgspec.json.Decoder(ExclusionBody)


class FiguresApi:
    """Handlers over the figures."""

    def __init__(self, figures: Figures, *, session: Session, report: Report, clock: Clock) -> None:
        self._figures, self._session, self._report, self._clock = figures, session, report, clock

    async def live(self, request: web.Request) -> web.Response:
        """Return the figures of this moment."""
        department = department_of(await self._session(request))
        town = request.query.get("town", "")
        return json_response(await self._figures.live(self._clock(), department=department, town=town))

    async def figures(self, request: web.Request) -> web.Response:
        """Return figures as JSON, CSV or XLSX."""
        department = department_of(await self._session(request))
        asked = question_of(request, today=local_day(self._clock()), department=department)
        found = await self._figures.figures(asked)
        found += await self._figures.telephone(asked, self._clock())
        if (form := request.query.get("format", "json")) == "json":
            return json_response(FigureList(first=asked.first, last=asked.last, by=asked.by, figures=found))
        header, rows = figure_table(found, asked.by)
        return await _table(form, f"指标-{asked.first}-{asked.last}-{asked.by}", header, rows)

    async def exclusions(self, request: web.Request) -> web.Response:
        """Return exclusions as JSON, CSV or XLSX; telephone numbers in notes are masked."""
        staff = await self._session(request)
        if staff.role not in (StaffRole.SUPERVISOR, StaffRole.AUDIT_ADMIN):
            raise Forbidden("exclusions are read by supervisors and the audit administrator")
        query = request.query
        limit, before = whole(query.get("limit"), 100, MAX_PAGE), whole(query.get("before"), 2**62, 2**62)
        found = await self._figures.exclusions(
            number=query.get("number", ""), metric=query.get("metric", ""), before=before, limit=limit
        )
        found = tuple(msgspec.structs.replace(entry, note=mask_text(entry.note)) for entry in found)
        if (form := query.get("format", "json")) == "json":
            following = found[-1].position if len(found) == limit else 0
            return json_response(ExclusionPage(exclusions=found, next=following))
        return await _table(form, "剔除记录", EXCLUSION_HEADER, [exclusion_row(entry) for entry in found])

    async def exclude(self, request: web.Request) -> web.Response:
        """Leave a ticket out of a metric, or count it again."""
        staff = await self._session(request)
        if staff.role is not StaffRole.SUPERVISOR:
            raise Forbidden("a supervisor leaves tickets out of figures")
        require_json(request)
        body = decode_json(_body, await request.read())
        if body.metric not in FROM_TICKETS:
            raise InvalidInput(f"{name_of(body.metric)} is counted from calls: no ticket can be left out of it")
        position = await self._figures.exclude(
            body.number, body.metric, excluded=body.excluded, reason=body.reason, note=body.note,
            actor=actor_of(staff), now=self._clock(),
        )
        return json_response(ExclusionMade(position=position), status=201)

    async def report(self, request: web.Request) -> web.Response:
        """Return a month's report as a page to print."""
        if department_of(await self._session(request)):
            raise Forbidden("the month's report is the centre's")
        last_month = (local_day(self._clock()).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
        month = request.query.get("month", last_month)
        month_of(month)
        page = await self._report(month)
        return web.Response(text=page, content_type="text/html", headers={
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store",
        })


async def _table(form: str, name: str, header: list[str], rows: Sequence[Row]) -> web.Response:
    """Answer with a table as a file. Raises InvalidInput for an unknown form."""
    if form == "csv":
        body, kind = b"".join(sheets.csv_lines(header, rows)), sheets.CSV
    elif form == "xlsx":
        body, kind = await asyncio.to_thread(sheets.xlsx, name, header, rows), sheets.XLSX
    else:
        raise InvalidInput("format is json, csv or xlsx")
    response = web.Response(body=body, content_type=kind, headers={"Cache-Control": "no-store"})
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{name}.{form}')}"
    return response


def routes(api: FiguresApi) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    return [
        web.get("/api/v1/figures", api.figures), web.get("/api/v1/figures/live", api.live),
        web.get("/api/v1/figures/report", api.report),
        web.get("/api/v1/figures/exclusions", api.exclusions), web.post("/api/v1/figures/exclusions", api.exclude),
    ]
