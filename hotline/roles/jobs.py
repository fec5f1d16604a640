"""The jobs role: pushes to 110, messages to citizens, sweeps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import aiohttp

from channels.sms import Gateway
from channels.wechat_client import WeChatClient
from hotline.core import Core
from hotline.handoff import HandOffs
from hotline.jobs import Handler, run_jobs
from hotline.media import Media
from hotline.messages import Messages
from hotline.ports import Sender
from hotline.roles import departments, figures, likeness, neighbours, privacy, recordings
from hotline.roles.parts import emergency_timers, running, wechat_client
from hotline.senders import ChatSender, OutcomeSender
from hotline.store.indexer import index_all
from hotline.store.jobs import Job
from hotline.store.sweep import SweepStore
from hotline.sweep import Sweep
from hotline.terms import Channel
from routing.police110 import PoliceDesk


@asynccontextmanager
async def jobs_role(core: Core) -> AsyncIterator[None]:
    """Run jobs and sweeps while the block lasts."""
    async with AsyncExitStack() as stack:
        desk = await _desk(core, stack)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        client = wechat_client(core, session)
        senders = _senders(core, desk, session, client)
        timers = emergency_timers(core.city, core.settings)
        hand_offs = HandOffs(
            rows=core.rows, desk=desk, service=core.service, clock=core.clock,
            acknowledge_within=timers.acknowledge_within, sign_within=timers.sign_within,
        )
        messages = Messages(
            rows=core.rows, senders=senders, service=core.service, clock=core.clock, finish=core.links.finish
        )
        sweep = Sweep(rows=SweepStore(core.pool), rules=core.rules, clock=core.clock)
        theirs, their_sweeps = departments.jobs(core, stack)
        media = Media(
            port=core.front, tickets=core.store, service=core.service, fetch=client.media if client else None
        )
        handlers: dict[Job, Handler] = {
            Job.PUSH_INCIDENT: hand_offs.push, Job.SEND_MESSAGE: messages.send, Job.FETCH_MEDIA: media.bring_home,
        }
        couriers, their_readers = neighbours.jobs(core, session)
        sweeps = privacy.sweeps(core) | their_sweeps | their_readers | figures.sweeps(core) | likeness.sweeps(core)
        sweeps |= recordings.sweeps(core)
        await stack.enter_async_context(running(run_jobs(core.pool, handlers | theirs | couriers, sweeps | {
            "silence": (hand_offs.alarm_on_silence, 1.0),
            "clocks": (sweep.run, 1.0),
            "callbacks": (core.callbacks.sweep, 5.0),
            "restore_jobs": (core.restore_jobs, 10.0),
            "forget": (core.forget, 3600.0),
            "search": (partial(index_all, core.pool, busy=lambda: core.intake.waiting > 0), 1.0),
        })))
        yield


async def _desk(core: Core, stack: AsyncExitStack) -> PoliceDesk | None:
    settings = core.settings
    if not settings.police_url:
        return None
    desk = PoliceDesk(
        url=settings.police_url, secret=settings.police_secret, clock=core.clock, timeout=settings.police_timeout
    )
    stack.push_async_callback(desk.close)
    return desk


def _senders(
    core: Core, desk: PoliceDesk | None, session: aiohttp.ClientSession, client: WeChatClient | None
) -> dict[Channel, Sender]:
    senders: dict[Channel, Sender] = {Channel.WEB: ChatSender(core.front)}
    if desk is not None:
        senders[Channel.POLICE] = OutcomeSender(
            desk, read=core.store.read, read_id=core.store.read_id, clock=core.clock
        )
    for channel, name, url, secret in (
        (Channel.CALL, "the SMS gateway", core.settings.sms_url, core.settings.sms_secret),
        (Channel.APP, "the app's push", core.settings.push_url, core.settings.push_secret),
    ):
        if url:
            senders[channel] = Gateway(session, name=name, url=url, secret=secret, clock=core.clock)
    if client is not None:
        senders[Channel.WECHAT] = client
    return senders
