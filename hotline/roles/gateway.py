"""The gateway role: the console's WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from agent_ui import figures
from agent_ui.audited import AuditedRequests
from agent_ui.gateway import Gateway
from agent_ui.limits import Limits
from agent_ui.protocol import ServerFrame
from agent_ui.requests import Request
from agent_ui.staff import Staff
from hotline.core import Core
from hotline.errors import InvalidInput
from hotline.listening import listening
from hotline.roles.aids import aids_of
from hotline.roles.call_desk import call_desk
from hotline.roles.parts import accounts_of, origins_of
from hotline.store import sealing
from hotline.store.console import ConsoleStore
from hotline.store.database import UNFIT
from hotline.store.likeness import LikenessStore
from hotline.store.tail import Tail


class _Fitting(AuditedRequests):
    """Tells a value that no column can hold (NUL in a text) as the console's mistake."""

    async def answer(self, staff: Staff, ask: Request) -> ServerFrame:
        """Carry a request out; raises as `Requests.answer`."""
        try:
            return await super().answer(staff, ask)
        except UNFIT as error:
            raise InvalidInput(f"a value cannot be what it is meant to be: {error}") from error


@asynccontextmanager
async def gateway_role(core: Core) -> AsyncIterator[None]:
    """Serve consoles while the block lasts."""
    settings = core.settings
    store = ConsoleStore(core.pool)
    limits = Limits(idle=settings.session_idle * 60.0)
    requests = _Fitting(
        note=core.audit.note, blind=sealing.blind, store=store,
        act=core.service.act, submit=core.intake.submit, clock=core.clock, lease=limits.lease,
        relatives=core.relatives, callbacks=core.callbacks, likeness=LikenessStore(core.pool),
        library=core.library,
        calls=call_desk(core, store), aids=aids_of(core),
    )
    async with Tail(core.dsn, hosts=core.hosts) as feed:
        gateway = Gateway(
            feed=feed, start=feed.status.cursor, store=store, requests=requests, redeem=accounts_of(core).redeem,
            clock=core.clock, limits=limits,
        )
        figures.publish(
            consoles=lambda: gateway.consoles, connected=lambda: feed.status.connected,
            held_back=lambda: feed.status.held_back,
        )
        async with AsyncExitStack() as stack:
            with listening("ws_port", settings.host, settings.ws_port):
                await stack.enter_async_context(gateway.serving(
                    settings.host, settings.ws_port, origins=sorted(origins_of(settings)), reuse_port=core.shared_ports
                ))
            yield
