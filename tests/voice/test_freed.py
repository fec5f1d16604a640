"""Who becomes available is rung at once, without waiting for a tick. The PBX is a stand-in in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import pytest

from agent_ui.presence import NotReadyReason, PresenceState
from hotline.store.console import ConsoleStore
from hotline.store.database import open_pool
from hotline.store.steering import Owner, sole_owner
from hotline.store.telephone import TelephoneStore
from hotline.telephone import Telephone
from hotline.telephone_ports import Times
from routing import call_words as m
from routing.call_wait import GREETING
from routing.calls import Phase
from tests.voice.test_catching_up import Exchange, Failing, Floor

Way = Callable[[asyncpg.Pool], Awaitable[object]]


def now() -> datetime:
    return datetime.now(UTC)


async def chosen(pool: asyncpg.Pool) -> None:
    await ConsoleStore(pool).set_presence("wang", PresenceState.AVAILABLE, None, now=now(), lease=60)


async def forced(pool: asyncpg.Pool) -> None:
    await ConsoleStore(pool).force_presence("wang", PresenceState.AVAILABLE, None, by="boss", now=now())


async def wrapped_up(pool: asyncpg.Pool) -> None:
    await TelephoneStore(pool).set_presence("wang", "available", among=["wrap_up"], now=now())


@asynccontextmanager
async def waiting_for(pool: asyncpg.Pool, owner: Owner) -> AsyncIterator[Floor]:
    """One caller waits, `wang` wraps up, and the only tick has been."""
    floor = Floor(Exchange(), Failing(pool), pool, ring=15.0)
    floor.telephone = Telephone(
        pbx=floor.pbx, store=floor.store, books=floor.pbx, clock=now, times=Times(tick=3600.0, announce=0.0)
    )
    await floor.agent("wang")
    await pool.execute("UPDATE presence SET state = 'wrap_up'")
    steering = asyncio.create_task(floor.telephone.run(right=owner))
    try:
        await floor.until(lambda: "wang" in floor.telephone.queues.seen)
        floor.pbx.tells.put_nowait(None)
        floor.pbx.enter("c1")
        floor.pbx.tells.put_nowait(("c1", m.Played("c1", GREETING)))
        await floor.until(lambda: "c1" in floor.waiting)
        yield floor
    finally:
        steering.cancel()
        await asyncio.gather(steering, return_exceptions=True)


@pytest.mark.parametrize("becomes_available", [chosen, forced, wrapped_up])
async def test_who_becomes_available_is_rung_before_the_next_tick(database: str, becomes_available: Way) -> None:
    async with await open_pool(database, size=3) as pool, sole_owner(database) as owner:
        await owner.listen()
        async with waiting_for(pool, owner) as floor:
            await becomes_available(pool)
            call = await floor.with_agent("wang", Phase.RINGING)
            assert (call.id, await pool.fetchval("SELECT state FROM presence")) == ("c1", "ringing")


async def test_only_who_becomes_available_is_told_of(database: str) -> None:
    """A thousand agents change their presence all the time: who steers reads none of the others for it."""
    async with await open_pool(database, size=3) as pool, sole_owner(database) as owner:
        await owner.listen()
        floor = Floor(Exchange(), Failing(pool), pool, ring=15.0)
        for name in ("wang", "li"):
            await floor.agent(name)
        console, telephone = ConsoleStore(pool), TelephoneStore(pool)
        for name in ("wang", "li"):
            await console.set_presence(name, PresenceState.NOT_READY, NotReadyReason.MEAL, now=now(), lease=60)
        await telephone.set_presence("li", "ringing", among=["not_ready"], now=now())
        await chosen(pool)
        assert set(await owner.freed()) == {"wang"}
        assert set(await telephone.agents(among=["wang", "nobody"])) == {"wang"}
