"""A service over a database and the people who act on its tickets."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from channels.message import Receipt
from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.events import Actor, Role
from hotline.intake import Intake
from hotline.service import Service
from hotline.store.sealing import open_document
from hotline.store.tickets import TicketStore
from hotline.store.uploads import Uploads
from hotline.terms import Channel
from tests.cities import NOW, RULES
from tests.hotline.test_intake import inbound, triage

AGENT, SUPERVISOR = Actor(Role.AGENT, "li"), Actor(Role.SUPERVISOR, "wang")
LEAD, HELP = Actor(Role.DEPARTMENT, "城管局"), Actor(Role.DEPARTMENT, "水务局")


class House:
    """A service over a database, with a clock that can be moved."""

    def __init__(self, pool: asyncpg.Pool, files: Path) -> None:
        self.pool, self.moment = pool, NOW
        self.store, self.files = TicketStore(pool, prefix="DG"), Uploads(pool, files=files)
        self.intake = Intake(
            store=self.store, triage=triage, rules=lambda: RULES, clock=self.now, new_code=lambda: "123456"
        )
        self.service = Service(
            store=self.store, intake=self.intake, rules=lambda: RULES, clock=self.now, files=self.files
        )

    def now(self) -> datetime:
        return self.moment

    async def appeal(
        self, text: str = "体育路路灯不亮", *, channel: Channel = Channel.WECHAT, **citizen: Any
    ) -> Receipt:
        who = Citizen(**citizen) if citizen else Citizen()
        return await self.intake.submit(inbound(text, channel=channel, appeal=Appeal(text=text, citizen=who)))

    async def act(self, number: str, *steps: tuple[Actor, c.Command]) -> Any:
        for actor, command in steps:
            found = await self.service.act(number, command, actor=actor)
        return found

    async def id_of(self, number: str) -> Any:
        return (await self.store.read(number)).id

    async def messages(self) -> list[dict[str, Any]]:
        found = await self.pool.fetch("SELECT key, message FROM outbox ORDER BY created_at, key")
        return [msgspec.json.decode(open_document(text, context=f"message {key}")) for key, text in found]
