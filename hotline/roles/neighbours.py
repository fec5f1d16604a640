"""What the roles carry of the neighbours' side: cities, grid, portal, wishes, data; and of the directory's owner."""

from __future__ import annotations

from functools import partial

import aiohttp
from aiohttp import web

from agent_ui import directory_api, knowledge_api, nuisance_api
from agent_ui.accounts import Accounts
from agent_ui.gate import known
from agent_ui.staff import Staff
from channels import data_export, neighbours, portal, wishes
from channels.openapi_document import Operation
from hotline.core import Core
from hotline.courier import Courier
from hotline.jobs import Handler
from hotline.roles.departments import Sweeps
from hotline.store.export import AuditedExport
from hotline.store.jobs import Job
from hotline.store.portal import PortalStore
from hotline.store.wishes import WishStore
from routing.neighbour_post import NeighbourPost

OPERATIONS: tuple[Operation, ...] = (
    *neighbours.OPERATIONS, *portal.OPERATIONS, *wishes.OPERATIONS, *data_export.OPERATIONS,
    *directory_api.OPERATIONS, *knowledge_api.OPERATIONS, *nuisance_api.OPERATIONS,
)


def routes(core: Core, accounts: Accounts) -> list[web.AbstractRouteDef]:
    """Return the routes of neighbours, and of the directory's owner."""
    secrets = {neighbour.code: neighbour.secret for neighbour in core.neighbours.values()}
    known, clock, pool = partial(_session, accounts), core.clock, core.pool
    return [
        *neighbours.routes(core.neighbour_desk, secrets=secrets, clock=clock),
        *portal.routes(core.front, PortalStore(pool), secret=secrets.get("portal", ""), clock=clock),
        *wishes.routes(
            core.front, WishStore(pool), core.service.act_once, secret=secrets.get("wishes", ""), clock=clock
        ),
        *data_export.routes(AuditedExport(pool, clock=clock), secret=secrets.get("data", ""), clock=clock),
        *directory_api.routes(core.directory_desk, known=known),
        *knowledge_api.routes(core.library, known=known),
        *nuisance_api.routes(core.nuisance_desk, known=known),
    ]


async def _session(accounts: Accounts, request: web.Request) -> Staff:
    return await known(accounts)(request)


def jobs(core: Core, session: aiohttp.ClientSession) -> tuple[dict[Job, Handler], Sweeps]:
    """Return handlers of jobs and sweeps."""
    courier = Courier(
        rows=core.parcels, post=NeighbourPost(session, clock=core.clock), service=core.service,
        neighbours=core.neighbours, clock=core.clock,
    )
    return {Job.PUSH_PARCEL: courier.deliver}, {"neighbours": (core.read_for_neighbours, 0.5)}
