"""What the roles carry of the departments' side: their systems' API, webhooks, the families of merged tickets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

from aiohttp import web

from agent_ui import files, proposals_api, unit_admin, unit_api
from agent_ui.accounts import Accounts
from agent_ui.audited import AuditedRequests
from agent_ui.gate import known
from agent_ui.limits import Limits
from agent_ui.staff import Staff, acting_role
from hotline.core import Core
from hotline.deliveries import Deliveries
from hotline.families import Families
from hotline.jobs import Handler
from hotline.store import sealing
from hotline.store.console import ConsoleStore
from hotline.store.jobs import Job
from hotline.store.proposals import ProposalStore
from hotline.store.relatives import link_all
from hotline.store.unit_pages import UnitPages
from hotline.units import Units
from routing.addresses import networks
from routing.webhooks import Webhooks

Sweeps = dict[str, tuple[Callable[[], Awaitable[None]], float]]


def units_of(core: Core) -> Units:
    """Return the registry of units' systems."""
    return Units(
        store=core.units, directory=lambda: core.rules().directory, allowed=networks(core.settings.webhook_networks),
        clock=core.clock,
    )


def routes(core: Core, accounts: Accounts) -> list[web.AbstractRouteDef]:
    """Return the routes of units' systems, of their administrator, and of staff's files."""
    console, units = ConsoleStore(core.pool), units_of(core)
    ticket_files = files.TicketFiles(
        store=console, keep=core.front.store_attachment, path_of=core.uploads.path_of
    )
    requests = AuditedRequests(
        note=core.audit.note, blind=sealing.blind, store=console,
        act=core.service.act, submit=core.intake.submit, clock=core.clock, lease=Limits().lease,
        relatives=core.relatives,
    )
    api = unit_api.UnitApi(
        authenticate=units.authenticate, requests=requests, pages=UnitPages(core.pool, console),
        act_once=core.service.act_once, book=core.units, files=ticket_files, clock=core.clock,
        note=core.audit.note,
    )
    return [
        *unit_api.routes(api),
        *unit_admin.routes(units, core.units, session=partial(_session, accounts), clock=core.clock),
        *files.routes(ticket_files, authenticate=partial(_worker, accounts)),
        *proposals_api.routes(ProposalStore(core.pool), session=partial(_session, accounts), clock=core.clock),
    ]


async def _session(accounts: Accounts, request: web.Request) -> Staff:
    return await known(accounts)(request)


async def _worker(accounts: Accounts, request: web.Request) -> Staff:
    staff = await _session(accounts, request)
    acting_role(staff)
    return staff


def jobs(core: Core, stack: AsyncExitStack) -> tuple[dict[Job, Handler], Sweeps]:
    """Return handlers of jobs and sweeps; what they hold is closed with `stack`."""
    settings = core.settings
    webhooks = Webhooks(allowed=networks(settings.webhook_networks), timeout=settings.webhook_timeout)
    stack.push_async_callback(webhooks.close)
    deliveries = Deliveries(rows=core.units, post=webhooks, clock=core.clock)
    families = Families(children=core.relatives, service=core.service)

    async def gather() -> None:
        await core.units.gather_all(core.clock())

    return {Job.DELIVER: deliveries.deliver, Job.FREE_CHILDREN: families.free}, {
        "webhooks": (gather, 0.5), "repeats": (partial(link_all, core.pool), 2.0),
        "orphans": (core.relatives.restore_jobs, 60.0),
    }
