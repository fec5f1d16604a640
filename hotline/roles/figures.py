"""What the roles carry of the figures: the reader of the log behind them, their routes, the operation centre's feed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from agent_ui import board_api, drill_api, drill_openapi, figures_api, figures_openapi
from agent_ui.accounts import Accounts, token_hash
from agent_ui.gate import known, token_of
from agent_ui.staff import Staff
from channels.openapi_document import Operation
from hotline import ioc
from hotline.city import City
from hotline.config import named_secrets
from hotline.core import Core
from hotline.drill_views import Named
from hotline.live import LiveBoard, LiveFigures
from hotline.report import render
from hotline.report_data import gather
from hotline.roles.parts import accounts_of
from hotline.store.board import BoardStore
from hotline.store.drill import DrillStore
from hotline.store.likeness import LikenessStore
from hotline.store.metrics import MetricStore
from hotline.store.tally import catch_up

OPERATIONS: tuple[Operation, ...] = (
    *figures_openapi.OPERATIONS, *drill_openapi.OPERATIONS, *board_api.OPERATIONS, *ioc.OPERATIONS,
)
PAUSE = 0.4
"""Seconds between two looks at the log: with the half second that an answer is kept, figures are under a second old."""


def metrics_of(core: Core) -> MetricStore:
    """Return the figures over the core's database."""
    return MetricStore(core.pool, replica=core.replica)


def l1_names(city: City) -> dict[str, str]:
    """Return names of first levels by code."""
    return {one.l1: one.l1_name for one in city.categories}


def terms_of(city: City) -> drill_api.Terms:
    """Return the city's words for filters."""
    l2: dict[str, tuple[str, ...]] = {}
    for one in city.categories:
        l2[one.l1] = (*l2.get(one.l1, ()), one.l2)
    units = city.directory.units.values()
    return drill_api.Terms(
        l1=tuple(Named(code, name) for code, name in l1_names(city).items()), l2=l2,
        towns=tuple(unit.name for unit in units if unit.is_place), units=tuple(unit.name for unit in units),
    )


class Feeds:
    """What streams figures, and ends with the service."""

    def __init__(self, core: Core, accounts: Accounts) -> None:
        boards = BoardStore(core.pool)

        async def session(request: web.Request) -> Staff:
            return await known(accounts)(request)

        async def watching(request: web.Request) -> bool:
            return await boards.watching(token_hash(token_of(request)), core.clock())

        self.session = session
        live = LiveFigures(metrics_of(core), LikenessStore(core.pool).hotspots, core.clock)
        self.ioc = ioc.Ioc(live, tokens=named_secrets(core.settings.ioc_tokens))
        self.board = board_api.BoardApi(
            LiveBoard(boards.board, core.clock).board, session=session, watching=watching
        )

    async def close(self, app: web.Application) -> None:
        """End all streams."""
        await self.ioc.streams.close(app)
        await self.board.streams.close(app)


def routes(core: Core, accounts: Accounts, feed: Feeds) -> list[web.AbstractRouteDef]:
    """Return the routes of figures for staff and for the operation centre."""
    metrics = metrics_of(core)

    async def report(month: str) -> str:
        now = core.clock()
        return render(await gather(metrics, month, city=core.city.name, now=now, l1_names=l1_names(core.city)))

    api = figures_api.FiguresApi(metrics, session=feed.session, report=report, clock=core.clock)
    drills = drill_api.Drills(
        DrillStore(core.pool), session=feed.session, clock=core.clock, terms=lambda: terms_of(core.city),
        spots=LikenessStore(core.pool).hotspots,
    )
    return [
        *figures_api.routes(api), *drill_api.routes(drills), *board_api.routes(feed.board), *ioc.routes(feed.ioc),
    ]


def feed_of(core: Core) -> Feeds:
    """Return what streams figures."""
    return Feeds(core, accounts_of(core))


def sweeps(core: Core) -> dict[str, tuple[Callable[[], Awaitable[None]], float]]:
    """Return what keeps the figures."""
    step = partial(catch_up, core.pool, core.clock, busy=lambda: core.intake.waiting > 0)
    return {"figures": (step, PAUSE)}
