"""Adapter for the city's data platform: `GET /api/v1/export/tickets?after=CURSOR`, signed over path and query."""

from __future__ import annotations

import asyncio
from typing import Protocol

from aiohttp import web

from channels.openapi_document import Operation
from channels.signed import signed_body
from hotline.errors import InvalidInput
from hotline.export import MAX_ROWS, ExportRow
from hotline.export_file import JSON_LINES, PARQUET, json_lines, parquet
from hotline.ports import Clock

PATH = "/api/v1/export/tickets"
NEXT = "X-Next-Cursor"


class ExportRows(Protocol):
    """Where rows come from (`hotline.store.export.ExportStore`)."""

    async def page(self, after: int, limit: int) -> tuple[list[ExportRow], int]:
        """Return the next rows after a cursor, and the cursor to ask with next."""
        ...


def _number(text: str, *, name: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20) or not least <= int(text) <= most:
        raise InvalidInput(f"{name} is a whole number from {least} to {most}")
    return int(text)


def routes(rows: ExportRows, *, secret: str, clock: Clock) -> list[web.AbstractRouteDef]:
    """Return the route; with the secret "" every request is refused."""

    async def tickets(request: web.Request) -> web.Response:
        await signed_body(request, secret, clock)
        query = request.query
        after = _number(query.get("after", "0"), name="after", least=0, most=2**63 - 1)
        limit = _number(query.get("limit", "1000"), name="limit", least=1, most=MAX_ROWS)
        form = query.get("format", "jsonl")
        if form not in ("jsonl", "parquet"):
            raise InvalidInput("format is jsonl or parquet")
        found, cursor = await rows.page(after, limit)
        write, kind = (json_lines, JSON_LINES) if form == "jsonl" else (parquet, PARQUET)
        body = await asyncio.to_thread(write, found)
        headers = {NEXT: str(cursor), "Cache-Control": "no-store"}
        return web.Response(body=body, content_type=kind, headers=headers)

    return [web.get(PATH, tickets)]


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path=PATH, tag="数据平台", parameters=("timestamp", "hmac"), errors=("unauthenticated",),
        summary=f"Masked events after a cursor, signed over path and query; the next cursor is in {NEXT}",
        query={"after": "0 is the beginning", "limit": f"1 to {MAX_ROWS}, default 1000", "format": "jsonl or parquet"},
        answers={200: (JSON_LINES, ExportRow)},
    ),
)
