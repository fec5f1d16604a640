"""A hotline over a pool of the test's own: appeals in, tickets out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from channels.message import Receipt
from hotline.appeal import Appeal, Citizen
from hotline.intake import Intake
from hotline.store.tickets import TicketStore
from tests.cities import NOW, RULES
from tests.hotline.test_intake import inbound, triage

ZHANG = Citizen(name="张三丰", phone="+8613800138000", key="app:zhang")


def intake(pool: asyncpg.Pool, *, store: TicketStore | None = None, now: datetime = NOW) -> Intake:
    """Return an intake that triages as tests do."""
    return Intake(
        store=store or TicketStore(pool, prefix="DG"), triage=triage, rules=lambda: RULES, clock=lambda: now,
        new_code=lambda: "123456",
    )


async def opened(
    pool: asyncpg.Pool, keys: Sequence[str], *, text: str = "体育路路灯不亮", citizen: Citizen = ZHANG,
    confidential: bool = False,
) -> list[Receipt]:
    """Take an appeal in for each key."""
    appeal = Appeal(text=text, citizen=citizen, confidential=confidential)
    async with intake(pool) as taking:
        return [await taking.submit(inbound(key=key, appeal=appeal)) for key in keys]
