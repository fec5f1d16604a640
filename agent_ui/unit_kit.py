"""What the units' own side and their administrator's side share: pages of webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec
from aiohttp import web

from agent_ui.protocol import MAX_ROWS
from channels.kit import json_response
from hotline.errors import InvalidInput
from hotline.unit_ports import Delivery

PAGE = 100


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Webhooks, newest first. `next` asks for the page after, "" on the last."""

    deliveries: tuple[Delivery, ...]
    next: str = ""


class DeliveryBook(Protocol):
    """Webhooks as they stand (`hotline.store.units.UnitStore`)."""

    async def deliveries(self, *, unit: str = "", state: str = "dead", cursor: str = "", limit: int) -> list[Delivery]:
        """Return webhooks, newest first. Raises InvalidInput."""
        ...

    async def resend(self, id_: str, *, unit: str = "", now: datetime) -> None:
        """Try a webhook anew. Raises NotFound."""
        ...


def limit_of(request: web.Request) -> int:
    """Return `?limit=`, 1 to `MAX_ROWS`; raises InvalidInput."""
    text = request.query.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit() and len(text) < 19) or not 1 <= int(text) <= MAX_ROWS:
        raise InvalidInput(f"limit is a whole number from 1 to {MAX_ROWS}")
    return int(text)


async def delivery_page(book: DeliveryBook, request: web.Request, *, unit: str) -> web.Response:
    """Answer a list of webhooks in `?state=` (dead, pending or sent), of one unit or of all ("")."""
    state, limit = request.query.get("state", "dead"), limit_of(request)
    if state not in ("dead", "pending", "sent"):
        raise InvalidInput("state is dead, pending or sent")
    found = await book.deliveries(unit=unit, state=state, cursor=request.query.get("cursor", ""), limit=limit + 1)
    shown = tuple(found[:limit])
    last = shown[-1] if len(found) > limit else None
    return json_response(DeliveryPage(
        deliveries=shown, next=last.cursor if last is not None else "",
    ))
