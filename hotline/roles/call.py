"""The call role: one process at a time steers the PBX and gives chats to agents; without a PBX it gives chats only."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import aiohttp
import structlog

from channels.ari import Ari
from channels.ari_socket import Awaited
from channels.ari_wire import Dialled, Wire
from hotline.call_books import CallBooks
from hotline.chat_queue import LOOK, Chats
from hotline.config import Settings, voice_on
from hotline.core import Core
from hotline.errors import HotlineError
from hotline.jobs import supervised
from hotline.listening import listening
from hotline.recordings import Collector
from hotline.roles.call_desk import marked
from hotline.roles.parts import running
from hotline.roles.recordings import fetch, recordings_of
from hotline.roles.speech import speech
from hotline.speech import Speech
from hotline.store.chats import ChatStore
from hotline.store.steering import sole_owner
from hotline.store.telephone import TelephoneStore
from hotline.telephone import Telephone
from hotline.telephone_ports import Times
from hotline.telephone_queue import Queues
from routing.call_words import Happening

log = structlog.get_logger(__name__)
TIDY_UP = 15
"""Seconds after which the PBX ends a ringing that we should have ended: what it ends is no try of ours."""


@asynccontextmanager
async def call_role(core: Core) -> AsyncIterator[None]:
    """Steer the PBX while the block lasts, as soon as no other process does."""
    if not voice_on(core.settings):
        log.info("voice_off", why="neither ari_url nor ari_listen is set")
    steer = _steer if voice_on(core.settings) else _give_chats
    async with running(supervised("telephone", lambda: steer(core))):
        yield


async def _give_chats(core: Core) -> None:
    """Give chats to agents where nobody telephones: by the same rules, but nobody's wrap-up ends by itself."""
    await core.queues.reload()
    async with sole_owner(core.dsn) as owner:
        queues = Queues(
            store=TelephoneStore(core.pool), centre=lambda: core.queues.centre, clock=core.clock, calls={},
            times=Times(wrap_up=math.inf), happen=_unheard, chats=_chats(core),
        )
        while True:
            await owner.still()
            try:
                await queues.tick(core.clock())
            except HotlineError as error:
                queues.look_anew()
                log.warning("chats_wait", error=error.detail)
            await asyncio.sleep(LOOK)


async def _unheard(call_id: str, event: Happening) -> None:
    """Nothing happens to calls where there are none."""


def _chats(core: Core) -> Chats:
    return Chats(store=ChatStore(core.pool), act=core.service.act)


async def _steer(core: Core) -> None:
    settings = core.settings
    await core.queues.reload()
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(sole_owner(core.dsn))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        wire = await stack.enter_async_context(_wire(settings, session))
        ring = math.ceil(max(settings.ring_seconds, settings.outside_ring_seconds)) + TIDY_UP
        pbx = Ari(wire, trunk=settings.ari_trunk, caller_id=settings.ari_caller_id, ring=ring, app=settings.ari_app)
        heard = await stack.enter_async_context(speech(core, pbx, session))
        collector = Collector(pbx, recordings_of(core), clock=core.clock)
        await stack.enter_async_context(running(fetch(collector)))
        await owner.listen()
        await _telephone(core, pbx, heard).run(right=owner)


@asynccontextmanager
async def _wire(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Wire]:
    """Yield the line to the PBX: the one it dials while the block lasts, or the one we do."""
    user, password, base, app = settings.ari_user, settings.ari_password, settings.ari_url, settings.ari_app
    dialled = Dialled(session, base=base, user=user, password=password, app=app) if base else None
    if not settings.ari_listen and dialled is not None:
        yield dialled
        return
    host, _, port = settings.ari_listen.rpartition(":")
    awaited = Awaited(user=user, password=password, files=dialled)
    async with AsyncExitStack() as stack:
        with listening("ari_listen", host, int(port)):
            await stack.enter_async_context(awaited.serving(host, int(port)))
        yield awaited


def _telephone(core: Core, pbx: Ari, heard: Speech | None) -> Telephone:
    settings = core.settings
    return Telephone(
        pbx=pbx, store=TelephoneStore(core.pool), books=CallBooks(core.callbacks, core.service.act), clock=core.clock,
        centre=lambda: core.queues.centre, marked=partial(marked, core),
        follow=heard.follow if heard is not None else lambda _: None, chats=_chats(core),
        times=Times(
            ring=settings.ring_seconds, outside=settings.outside_ring_seconds, wrap_up=settings.wrap_up_seconds,
            announce=settings.announce_seconds,
        ),
    )
