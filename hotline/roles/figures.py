"""What the roles carry of the figures: the reader of the log behind them, their routes, the operation centre's feed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from agent_ui import auth, figures_api, figures_openapi
from agent_ui.accounts import Accounts
from agent_ui.staff import Staff
from channels.openapi_document import Operation
from hotline import ioc
from hotline.city import City
from hotline.config import named_secrets
from hotline.core import Core
from hotline.live import LiveFigures
from hotline.report import render
from hotline.report_data import gather
from hotline.store.metrics import MetricStore
from hotline.store.tally import catch_up

OPERATIONS: tuple[Operation, ...] = (*figures_openapi.OPERATIONS, *ioc.OPERATIONS)
PAUSE = 0.4
"""Seconds between two looks at the log: with the half second that an answer is kept, figures are under a second old."""


def metrics_of(core: Core) -> MetricStore:
    """Return the figures over the core's database."""
    return MetricStore(core.pool, categories=category_names(core.city))


def category_names(city: City) -> dict[tuple[str, str], str]:
    """Return names for people by (l1, l2)."""
    return {(one.l1, one.l2): f"{one.l1_name}/{one.l2}" for one in city.categories}


def l1_names(city: City) -> dict[str, str]:
    """Return names of first levels by code."""
    return {one.l1: one.l1_name for one in city.categories}


def routes(core: Core, accounts: Accounts, feed: ioc.Ioc) -> list[web.AbstractRouteDef]:
    """Return the routes of figures for staff and for the operation centre."""
    metrics = metrics_of(core)

    async def session(request: web.Request) -> Staff:
        return await accounts.session(auth.token_of(request))

    async def report(month: str) -> str:
        now = core.clock()
        return render(await gather(metrics, month, city=core.city.name, now=now, l1_names=l1_names(core.city)))

    api = figures_api.FiguresApi(metrics, session=session, report=report, clock=core.clock)
    return [*figures_api.routes(api), *ioc.routes(feed)]


def feed_of(core: Core) -> ioc.Ioc:
    """Return the operation centre's feed."""
    return ioc.Ioc(LiveFigures(metrics_of(core), core.clock), tokens=named_secrets(core.settings.ioc_tokens))


def sweeps(core: Core) -> dict[str, tuple[Callable[[], Awaitable[None]], float]]:
    """Return what keeps the figures."""
    step = partial(catch_up, core.pool, core.clock, busy=lambda: core.intake.waiting > 0)
    return {"figures": (step, PAUSE)}
