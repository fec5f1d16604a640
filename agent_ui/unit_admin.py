"""Registering units' own systems, and their webhooks: for the system administrator, who sees no tickets.

So that they cannot, the administrator says where a system is, and only the unit's own account makes its secrets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from agent_ui.staff import Staff, StaffRole
from agent_ui.unit_kit import DeliveryBook, delivery_page
from channels.appeal_codec import decode_json
from channels.kit import json_response, require_json
from hotline.errors import Forbidden
from hotline.ports import Clock
from hotline.unit_ports import UnitSystem
from hotline.units import Address, Registered

log = structlog.get_logger(__name__)


class SystemBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a unit's webhooks go ("" for none), and whether its system is switched on."""

    url: Annotated[str, Meta(max_length=2000)] = ""
    active: bool = True


class SystemList(msgspec.Struct, frozen=True, kw_only=True):
    """All units' systems."""

    systems: tuple[UnitSystem, ...]


class Registry(Protocol):
    """Registration (`hotline.units.Units`)."""

    async def place(self, unit: str, *, url: str, active: bool = True, by: str) -> Address:
        """Register a system or change where it is. Raises NotFound, InvalidInput."""
        ...

    async def renew(self, unit: str, *, by: str) -> Registered:
        """Make a registered unit's secrets anew. Raises NotFound."""
        ...

    async def systems(self) -> list[UnitSystem]:
        """Return all systems."""
        ...


_body = msgspec.json.Decoder(SystemBody)


def routes(
    registry: Registry, book: DeliveryBook, *, session: Callable[[web.Request], Awaitable[Staff]], clock: Clock
) -> list[web.AbstractRouteDef]:
    """Return the routes; `session` knows who is logged in, and raises Unauthenticated."""

    async def admin(request: web.Request) -> Staff:
        staff = await session(request)
        if staff.role is not StaffRole.SYSTEM_ADMIN:
            raise Forbidden("units' systems are registered by a system administrator")
        return staff

    async def systems(request: web.Request) -> web.Response:
        await admin(request)
        return json_response(SystemList(systems=tuple(await registry.systems())))

    async def register(request: web.Request) -> web.Response:
        staff = await admin(request)
        require_json(request)
        body = decode_json(_body, await request.read())
        return json_response(await registry.place(
            request.match_info["unit"], url=body.url, active=body.active, by=staff.name
        ))

    async def renew(request: web.Request) -> web.Response:
        staff, unit = await session(request), request.match_info["unit"]
        if staff.role is not StaffRole.DEPARTMENT or staff.department != unit:
            raise Forbidden("a unit's secrets are made by its own account, and by nobody else")
        response = json_response(await registry.renew(unit, by=staff.name))
        response.headers["Cache-Control"] = "no-store"
        return response

    async def deliveries(request: web.Request) -> web.Response:
        await admin(request)
        return await delivery_page(book, request, unit=request.query.get("unit", ""))

    async def resend(request: web.Request) -> web.Response:
        staff = await admin(request)
        await book.resend(request.match_info["id"], now=clock())
        log.info("webhook_resent", id=request.match_info["id"], by=staff.name)
        return web.Response(status=204)

    return [
        web.get("/api/v1/unit-systems", systems),
        web.put("/api/v1/unit-systems/{unit}", register),
        web.post("/api/v1/unit-systems/{unit}/secrets", renew),
        web.get("/api/v1/deliveries", deliveries),
        web.post("/api/v1/deliveries/{id}/resend", resend),
    ]
