"""Roles: the edges that a process starts over its core.

    intake   HTTP: channels, pages, log-in      gateway  the console's WebSocket
    jobs     pushes, messages, sweeps           call     the PBX (off until ari_url is set)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from enum import StrEnum
from functools import partial
from typing import Any

import aiohttp
import asyncpg
import structlog
from aiohttp import web

from agent_ui import auth, figures, page
from agent_ui import openapi as log_in
from agent_ui.accounts import Accounts
from agent_ui.gateway import Gateway
from agent_ui.limits import Limits as GatewayLimits
from agent_ui.passwords import Passwords
from agent_ui.requests import Requests
from agent_ui.staff import acting_role
from channels import appeals, chat, open311, openapi, phone, police, police_updates, tickets, wechat
from channels.limits import Guesses, RateLimit
from channels.open311_codec import Jurisdiction, Service
from channels.wechat_api import WeChatApi
from channels.wechat_client import WeChatClient
from channels.wechat_codec import WeChatSettings
from hotline import web as house
from hotline.config import pairs, template
from hotline.core import Core
from hotline.handoff import HandOffs, Messages
from hotline.ids import StaffName
from hotline.jobs import run_jobs, supervised
from hotline.listening import listening
from hotline.ports import Sender
from hotline.senders import ChatSender, OutcomeSender
from hotline.store.accounts import AccountStore
from hotline.store.console import ConsoleStore
from hotline.store.indexer import index_all
from hotline.store.jobs import Job
from hotline.store.tail import Tail
from hotline.store.tokens import Tokens
from hotline.terms import Channel
from routing.police110 import PoliceDesk

log = structlog.get_logger(__name__)


class Role(StrEnum):
    """What a process does."""

    INTAKE = "intake"
    GATEWAY = "gateway"
    JOBS = "jobs"
    CALL = "call"


@asynccontextmanager
async def jobs_role(core: Core) -> AsyncIterator[None]:
    """Run jobs and sweeps while the block lasts."""
    settings = core.settings
    async with AsyncExitStack() as stack:
        desk = await _desk(core, stack)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        senders = _senders(core, desk, session)
        hand_offs = HandOffs(
            rows=core.rows, desk=desk, service=core.service, clock=core.clock,
            alarm_after=settings.police_alarm_after,
        )
        messages = Messages(rows=core.rows, senders=senders, service=core.service, clock=core.clock)
        handlers = {Job.PUSH_INCIDENT: hand_offs.push, Job.SEND_MESSAGE: messages.send}
        await stack.enter_async_context(_running(run_jobs(core.pool, handlers, {
            "silence": (hand_offs.alarm_on_silence, 1.0),
            "restore_jobs": (core.restore_jobs, 10.0),
            "forget": (core.forget, 3600.0),
            "search": (partial(index_all, core.pool, busy=lambda: core.intake.waiting > 0), 1.0),
        })))
        yield


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something beside the block; leaving the block cancels it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _desk(core: Core, stack: AsyncExitStack) -> PoliceDesk | None:
    settings = core.settings
    if not settings.police_url:
        return None
    desk = PoliceDesk(
        url=settings.police_url, secret=settings.police_secret, clock=core.clock, timeout=settings.police_timeout
    )
    stack.push_async_callback(desk.close)
    return desk


def _senders(core: Core, desk: PoliceDesk | None, session: aiohttp.ClientSession) -> dict[Channel, Sender]:
    senders: dict[Channel, Sender] = {Channel.WEB: ChatSender(core.front)}
    if desk is not None:
        senders[Channel.POLICE] = OutcomeSender(desk, read=core.store.read, clock=core.clock)
    if (client := _wechat_client(core, session)) is not None:
        senders[Channel.WECHAT] = client
    return senders


def _wechat_client(core: Core, session: aiohttp.ClientSession) -> WeChatClient | None:
    """Without app id and secret we can answer WeChat, but not call it."""
    settings = core.settings
    if not (settings.wechat_app_id and settings.wechat_secret):
        return None
    template_id, fields = template(settings.wechat_template)
    api = WeChatApi(
        base=settings.wechat_api.rstrip("/"), app_id=settings.wechat_app_id, secret=settings.wechat_secret,
        template_id=template_id, fields=fields,
    )
    return WeChatClient(session, api, Tokens(core.pool, clock=core.clock))


@asynccontextmanager
async def intake_role(core: Core) -> AsyncIterator[None]:
    """Serve HTTP while the block lasts; leaving it finishes the requests under way."""
    settings = core.settings
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        room = chat.room(core.front, proxies=settings.proxies)
        routes = [*_routes(core, session), web.get("/chat", room.connect)]
        document = openapi.rendered(*log_in.OPERATIONS, *house.OPERATIONS)
        app = house.application(routes, ready=partial(_ready, core), openapi=document)
        app.on_shutdown.append(room.close)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=10)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await stack.enter_async_context(_running(supervised("spool", core.spool.run)))
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


def _routes(core: Core, session: aiohttp.ClientSession) -> list[web.AbstractRouteDef]:
    settings, front = core.settings, core.front
    tokens, proxies = settings.tokens(), settings.proxies
    limit, guesses = RateLimit(settings.web_rate, 60), Guesses()
    accounts = accounts_of(core)
    found: list[web.AbstractRouteDef] = [
        *appeals.routes(front, tokens=tokens, limit=limit, proxies=proxies),
        *tickets.routes(front, tokens=tokens, guesses=guesses, proxies=proxies),
        *open311.routes(front, city=_jurisdiction(core), keys=tokens, limit=limit, proxies=proxies),
        *phone.routes(front, authenticate=partial(_agent, accounts)),
        *auth.routes(accounts, ws_port=settings.ws_port),
        *page.routes(units=tuple(core.city.directory.units)),
    ]
    if settings.police_secret:
        found += police.routes(front, secret=settings.police_secret)
        found += police_updates.routes(core.desk_updates.take, secret=settings.police_secret, clock=core.clock)
    if settings.wechat_token:
        found += _wechat_routes(core, session, guesses)
    return found


def _wechat_routes(core: Core, session: aiohttp.ClientSession, guesses: Guesses) -> list[web.AbstractRouteDef]:
    """WeChat's routes; what was spooled has its files fetched as what was answered at once."""
    settings, client = core.settings, _wechat_client(core, session)
    account = WeChatSettings(
        token=settings.wechat_token, app_id=settings.wechat_app_id, aes_key=settings.wechat_aes_key,
        plain=settings.wechat_plain, menu=pairs(settings.wechat_menu),
    )
    media = wechat.MediaFetcher(core.front, client.media) if client is not None else None
    core.media = media
    return wechat.routes(core.front, settings=account, media=media, guesses=guesses)


async def _agent(accounts: Accounts, request: web.Request) -> StaffName:
    staff = await accounts.session(auth.token_of(request))
    acting_role(staff)
    return StaffName(staff.name)


def _jurisdiction(core: Core) -> Jurisdiction:
    city = core.city
    return Jurisdiction(
        id=city.code, towns=tuple(unit.name for unit in city.directory.units.values() if unit.is_place),
        services={
            category.code: Service(code=category.code, l1=category.l1, name=category.l2, group=category.l1_name)
            for category in city.categories
        },
    )


def accounts_of(core: Core) -> Accounts:
    """Return the accounts over the core's database."""
    return Accounts(store=AccountStore(core.pool), passwords=Passwords(), clock=core.clock)


@asynccontextmanager
async def gateway_role(core: Core) -> AsyncIterator[None]:
    """Serve consoles while the block lasts."""
    settings = core.settings
    store = ConsoleStore(core.pool)
    limits = GatewayLimits()
    requests = Requests(
        store=store, act=core.service.act, submit=core.intake.submit, clock=core.clock, lease=limits.lease
    )
    async with Tail(core.dsn) as feed:
        gateway = Gateway(
            feed=feed, start=feed.status.cursor, store=store, requests=requests, redeem=accounts_of(core).redeem,
            clock=core.clock, limits=limits,
        )
        figures.publish(
            consoles=lambda: gateway.consoles, connected=lambda: feed.status.connected,
            held_back=lambda: feed.status.held_back,
        )
        origins = [origin.strip() for origin in settings.allowed_origins.split(",") if origin.strip()]
        async with AsyncExitStack() as stack:
            with listening("ws_port", settings.host, settings.ws_port):
                await stack.enter_async_context(gateway.serving(
                    settings.host, settings.ws_port, origins=origins, reuse_port=core.shared_ports
                ))
            yield


@asynccontextmanager
async def call_role(core: Core) -> AsyncIterator[None]:
    """The PBX comes with an issue of its own; until then the role says that voice is off."""
    log.info("voice_off", ari_url=core.settings.ari_url or "not set")
    yield


ROLES: dict[Role, Callable[[Core], AbstractAsyncContextManager[None]]] = {
    Role.INTAKE: intake_role, Role.GATEWAY: gateway_role, Role.JOBS: jobs_role, Role.CALL: call_role,
}
