"""What several roles are made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec

from agent_ui.accounts import Accounts
from agent_ui.identity import AccountPolicy
from agent_ui.passwords import Passwords
from agent_ui.staff import StaffRole
from channels.wechat_api import WeChatApi
from channels.wechat_client import WeChatClient
from hotline.city import City, EmergencyTimers
from hotline.config import Settings, listed, template
from hotline.config_text import origin_of
from hotline.core import Core
from hotline.store.accounts import AccountStore
from hotline.store.tokens import Tokens


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something beside the block; leaving the block cancels it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def emergency_timers(city: City, settings: Settings) -> EmergencyTimers:
    """Return the timers of the hand-off to 110 in force: the city's, where the settings do not say otherwise."""
    own = city.emergency
    return msgspec.structs.replace(
        own, acknowledge_within=settings.police_alarm_after or own.acknowledge_within,
        sign_within=settings.police_sign_alarm_after or own.sign_within,
    )


def account_policy(settings: Settings) -> AccountPolicy:
    """Return the figures of the identity."""
    return AccountPolicy(
        idle=timedelta(minutes=settings.session_idle), life=timedelta(hours=settings.session_hours),
        password_age=timedelta(days=settings.password_days), history=settings.password_history,
        second_factor=frozenset(StaffRole(role) for role in listed(settings.second_factor)),
    )


def accounts_of(core: Core) -> Accounts:
    """Return the accounts over the core's database."""
    return Accounts(
        store=AccountStore(core.pool), passwords=Passwords(), clock=core.clock, policy=account_policy(core.settings)
    )


def origins_of(settings: Settings) -> frozenset[str]:
    """Return the Origins whose pages are ours: those allowed, and where citizens reach us."""
    own = origin_of(settings.public_url)
    return listed(settings.allowed_origins) | ({own} if own else frozenset())


def wechat_client(core: Core, session: aiohttp.ClientSession) -> WeChatClient | None:
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
