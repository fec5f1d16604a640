"""What the intake role serves to citizens beside taking appeals in: similar reports, joining them, the towns."""

from __future__ import annotations

from aiohttp import web

from channels import similar
from channels.limits import RateLimit
from channels.openapi_document import Operation
from hotline.core import Core
from hotline.roles.likeness import teller_of
from hotline.similar import Similar
from hotline.store.similar import SimilarStore

OPERATIONS: tuple[Operation, ...] = similar.OPERATIONS
_BUSY = 200
"""Appeals that wait from which looks before sending are answered empty."""


def routes(core: Core, limit: RateLimit, looks: RateLimit) -> list[web.AbstractRouteDef]:
    """Return the routes; `limit` is the one of appeals without a token, `looks` of looks before sending."""
    reports = Similar(
        rows=SimilarStore(core.pool, teller_of(core)), intake=core.intake, service=core.service, triage=core.triage,
        clock=core.clock, busy=lambda: core.intake.waiting > _BUSY,
    )
    towns = [unit.name for unit in core.city.directory.units.values() if unit.is_place]
    return similar.routes(
        core.front, reports, city=core.city.name, towns=towns, limit=limit, looks=looks, proxies=core.settings.proxies
    )
