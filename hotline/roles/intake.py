"""The intake role: HTTP with channels, pages and log-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import aiohttp
import asyncpg
from aiohttp import web

from agent_ui import page
from agent_ui.accounts import Accounts
from agent_ui.gate import known
from agent_ui.staff import acting_role
from channels import appeals, chat, open311, phone, police, police_updates, ratings, tickets, wechat
from channels.kit import ROOM, Bodies
from channels.limits import Guesses
from channels.open311_codec import Jurisdiction, jurisdiction_of
from channels.repeats import Repeats
from channels.wechat_codec import WeChatSettings
from hotline import web as house
from hotline.config import pairs
from hotline.core import Core
from hotline.ids import StaffName
from hotline.jobs import supervised
from hotline.listening import listening
from hotline.malformed import Runner
from hotline.operation import Operation
from hotline.pace import Pace
from hotline.roles import citizens, departments, figures, identity, neighbours, privacy, recordings, setup
from hotline.roles.document import openapi_document
from hotline.roles.parts import accounts_of, running
from hotline.roles.rates import Rates, rates_of, share
from hotline.store import sealing
from hotline.store.database import LOST, UNFIT


@asynccontextmanager
async def intake_role(core: Core) -> AsyncIterator[None]:
    """Serve HTTP while the block lasts; leaving it finishes the requests under way."""
    settings = core.settings
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        rates = rates_of(settings)
        core.front.limit = Repeats(rates.citizen) if rates.citizen else None
        room = chat.room(core.front, proxies=settings.proxies, limit=rates.chat)
        feed = figures.feed_of(core)
        routes = [
            *_routes(core, session, rates), *figures.routes(core, accounts_of(core), feed),
            web.get("/chat", room.connect),
        ]
        operation = Operation(core.pool, clock=core.clock, spooled=core.spool.count)
        pace = Pace()
        app = house.application(
            routes, ready=partial(_ready, core), openapi=openapi_document(), lost=LOST, refresh=operation.refresh,
            gate=identity.guard(core, accounts_of(core), limit=rates.token),
            outermost=[pace.middleware, Bodies(ROOM).middleware], unfit=UNFIT,
        )
        app.on_shutdown.extend([room.close, feed.close])
        runner = Runner(app, shutdown_timeout=10)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await stack.enter_async_context(running(supervised("spool", core.spool.run)))
        await stack.enter_async_context(running(share(core, rates)))
        await stack.enter_async_context(running(supervised("pace", pace.run)))
        with listening("http_port", settings.host, settings.http_port):
            await web.TCPSite(runner, settings.host, settings.http_port, reuse_port=core.shared_ports).start()
        yield


async def _ready(core: Core) -> dict[str, str]:
    try:
        await asyncio.wait_for(core.pool.fetchval("SELECT 1"), 2)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return {"database": f"does not answer ({type(error).__name__})"}
    full = core.intake.waiting >= core.settings.max_waiting
    return {"database": "ok", "intake": "full" if full else "ok"}


def _routes(core: Core, session: aiohttp.ClientSession, rates: Rates) -> list[web.AbstractRouteDef]:
    settings, front = core.settings, core.front
    tokens, proxies = settings.tokens(), settings.proxies
    limit, guesses = rates.web, rates.guesses
    accounts = accounts_of(core)
    found: list[web.AbstractRouteDef] = [
        *appeals.routes(front, tokens=tokens, limit=limit, proxies=proxies),
        *tickets.routes(front, tokens=tokens, guesses=guesses, proxies=proxies),
        *ratings.routes(front),
        *citizens.routes(core, limit, rates.looks),
        *open311.routes(
            front, city=_jurisdiction(core), keys=tokens, limit=limit, proxies=proxies, prove=_proof_of_token,
            looks=rates.open311, calls=rates.token,
        ),
        *phone.routes(front, authenticate=partial(_agent, accounts)),
        *identity.routes(core, accounts, session, limit=rates.login, sso_limit=rates.sso),
        *setup.routes(core, accounts),
        *departments.routes(core, accounts),
        *neighbours.routes(core, accounts),
        *recordings.routes(core, accounts),
        *privacy.routes(core, accounts),
        *page.routes(),
    ]
    if settings.police_secret:
        found += police.routes(front, secret=settings.police_secret)
        found += police_updates.routes(core.desk_updates.take, secret=settings.police_secret, clock=core.clock)
    if settings.wechat_token:
        found += _wechat_routes(core, guesses)
    return found


def _proof_of_token(token: str) -> str:
    return sealing.blind(f"open311 {token}").lstrip("~")


def _wechat_routes(core: Core, guesses: Guesses) -> list[web.AbstractRouteDef]:
    settings = core.settings
    account = WeChatSettings(
        token=settings.wechat_token, app_id=settings.wechat_app_id, aes_key=settings.wechat_aes_key,
        plain=settings.wechat_plain, menu=pairs(settings.wechat_menu),
    )
    return wechat.routes(core.front, settings=account, guesses=guesses)


async def _agent(accounts: Accounts, request: web.Request) -> StaffName:
    staff = await known(accounts)(request)
    acting_role(staff)
    return StaffName(staff.name)


def _jurisdiction(core: Core) -> Jurisdiction:
    city = core.city
    categories = [(category.code, category.l1, category.l1_name, category.l2) for category in city.categories]
    return jurisdiction_of(
        city.code, categories, [unit.name for unit in city.directory.units.values() if unit.is_place]
    )
