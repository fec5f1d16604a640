"""A full queue sends away who comes, never who waits already; and who chooses no language waits too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from hotline.store.database import open_pool
from routing import call_words as m
from routing.call_wait import GREETING
from routing.calls import Phase
from routing.queue_plan import Centre, Queue
from routing.queueing import Rung
from tests.voice.test_catching_up import Exchange, Failing, Floor, running

STEPS = (Rung(0, "general"),)
PLAN = Centre(queues={"general": Queue(steps=STEPS), "small": Queue(steps=STEPS, most=1)})


@asynccontextmanager
async def steering(pbx: Exchange, pool: asyncpg.Pool) -> AsyncIterator[Floor]:
    """A process that steers, with a queue that lets one wait."""
    floor = Floor(pbx, Failing(pool), pool, ring=15.0)
    floor.plan = PLAN
    async with running(floor):
        yield floor


async def test_who_is_moved_to_a_full_queue_waits_there_also_when_another_process_takes_over(database: str) -> None:
    pbx, calls = Exchange(), ("other", "noted")
    async with await open_pool(database, size=3) as pool:
        async with steering(pbx, pool) as floor:
            await floor.fill()
            for call in calls:
                await floor.telephone.order(call, m.Move("small"))
            assert [(floor.calls[call].queue, floor.calls[call].full) for call in calls] == [("small", False)] * 2
            assert floor.waiting >= set(calls)
        async with steering(pbx, pool) as after:
            pbx.tells.put_nowait(None)
            await after.until(lambda: after.waiting >= {"greeted", *calls})  # told that its greeting is over
            assert {after.calls[call].phase for call in calls} == {Phase.WAITING}


async def test_who_chooses_no_language_waits_in_the_queue_of_the_line(database: str) -> None:
    pbx = Exchange()
    async with await open_pool(database, size=3) as pool:
        floor = Floor(pbx, Failing(pool), pool, ring=15.0, choose=0.05)
        floor.plan = Centre(queues=PLAN.queues, menu={"1": "zh", "2": "yue"})
        async with running(floor):
            pbx.tells.put_nowait(None)
            for id_ in ("heard", "hears"):
                pbx.enter(id_)
            pbx.tells.put_nowait(("heard", m.Played("heard", GREETING)))
            await floor.until(lambda: "heard" in floor.waiting)
            assert floor.calls["hears"].phase is Phase.GREETING
