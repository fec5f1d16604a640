"""Citizens of one matter, no water at 巷头, over a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from hotline.service import Service
from hotline.store.database import open_pool
from hotline.store.likeness import LikenessStore
from hotline.store.tickets import TicketStore
from tests.cities import RULES
from tests.hotline.test_intake import NOW, inbound, intake_over

TOLD = (
    "大朗镇巷头社区从昨晚九点停水到现在,没有任何通知",
    "请问大朗巷头几时来水?停咗成晚,打水务电话冇人听",
    "巷头这边自来水一滴都没有,大朗,开早餐店的生意都做不了",
)
OTHER = ("大朗镇巷头毛织市场门口占道停车堵人行道", "长安镇霄边社区从昨晚停水到现在", "南城鸿福路工地半夜打桩")


@asynccontextmanager
async def house(dsn: str) -> AsyncIterator[tuple[asyncpg.Pool, LikenessStore, Service]]:
    async with intake_over(dsn) as intake, await open_pool(dsn) as pool:
        service = Service(store=TicketStore(pool, prefix="DG"), intake=intake, rules=lambda: RULES, clock=lambda: NOW)
        yield pool, LikenessStore(pool), service


async def submit(dsn: str, *texts: str) -> list[str]:
    async with intake_over(dsn) as intake:
        return [(await intake.submit(inbound(text))).number for text in texts]
