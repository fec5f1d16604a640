"""Signs of life: who is still there, whose lease is renewed, whose log-in is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime

import structlog
from websockets.exceptions import ConnectionClosed

from agent_ui.connection import Console
from agent_ui.limits import Limits
from agent_ui.ports import ConsoleStore
from hotline.errors import HotlineError
from hotline.ports import Clock

log = structlog.get_logger(__name__)


async def keep_alive(console: Console, limits: Limits) -> None:
    """Ask for a sign of life below the page, which a hidden browser tab gives too; cut off who stays silent."""
    while True:
        await asyncio.sleep(limits.ping)
        try:
            async with asyncio.timeout(limits.lease):
                await (await console.socket.ping())
        except TimeoutError:
            console.socket.transport.abort()
            return
        except ConnectionClosed:
            return
        console.heard = asyncio.get_running_loop().time()


def leases(consoles: Collection[Console], *, lease: float, now: float) -> dict[str, float]:
    """Return for each person the seconds that their lease still runs, by the console heard last."""
    left: dict[str, float] = {}
    for console in consoles:
        name = console.session.staff.name
        left[name] = max(left.get(name, 0.0), lease - (now - console.heard))
    return left


async def look_after(
    consoles: Collection[Console], store: ConsoleStore, limits: Limits, *, now: datetime
) -> list[Console]:
    """Renew the leases of who was heard, end those of who was not; return consoles whose log-in is over."""
    left = leases(consoles, lease=limits.lease, now=asyncio.get_running_loop().time())
    await store.keep_leases({name: seconds for name, seconds in left.items() if seconds > 0}, lease=limits.lease)
    seats = {console.session.login for console in consoles} - {0}
    if not seats:
        return []
    busy = [console for console in consoles if console.active]
    for console in busy:
        console.active = False
    over = await store.watch(
        list(seats), {console.session.login for console in busy} - {0}, now=now, idle=limits.idle
    )
    return [console for console in consoles if console.session.login in over]


async def keep_house(
    consoles: Collection[Console], store: ConsoleStore, limits: Limits, *, clock: Clock, end: Callable[[Console], None]
) -> None:
    """Look after the consoles again and again, whatever goes wrong; `end` ends those whose log-in is over."""
    while True:
        try:
            for console in await look_after(consoles, store, limits, now=clock()):
                end(console)
        except HotlineError as error:
            log.warning("housekeeping_failed", error=error.detail)
        except Exception:  # ending would keep silent consoles, and their agents available, for ever
            log.exception("housekeeping_failed")
        await asyncio.sleep(limits.housekeeping)
