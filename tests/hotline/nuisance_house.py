"""A house with intake, containment and the desk for malicious nuisance, over a real database."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import asyncpg
import msgspec

from agent_ui.staff import Staff, StaffRole
from channels.message import Inbound, Receipt
from hotline.appeal import Appeal, Attachment, Category, Citizen, Evidence, Triage
from hotline.containment import Containment, NuisanceDesk
from hotline.core import new_code
from hotline.evidence import bundle
from hotline.intake import Intake
from hotline.store.database import open_pool
from hotline.store.nuisance import NuisanceStore
from hotline.store.recordings import RecordingStore
from hotline.store.sealing import blind
from hotline.store.tickets import TicketStore
from hotline.store.uploads import Uploads
from hotline.terms import Channel, Service, Verdict
from tests.cities import NOW, RULES, STREET_LIGHT

WANG = Staff(name="wang", display_name="王芳", role=StaffRole.SUPERVISOR)
LI = Staff(name="li", display_name="李敏", role=StaffRole.AGENT)
PHONE = "+8613800138000"
OTHER = "+8613900139000"
FIRE = msgspec.structs.replace(
    STREET_LIGHT, verdict=Verdict.EMERGENCY, services=(Service.FIRE,),
    evidence=(Evidence(rule="fire", text="着火"),),
)
_keys = itertools.count()


def triaged(texts: Sequence[str]) -> list[Triage]:
    return [FIRE if "着火" in text else STREET_LIGHT for text in texts]


class House:
    def __init__(self, pool: asyncpg.Pool, home: Path) -> None:
        self.now, self.pool = NOW, pool
        self.rows = NuisanceStore(pool)
        self.files = Uploads(pool, files=home)
        self.tapes = RecordingStore(pool, files=home / "recordings", days=730)
        self.containment = Containment(self.rows, clock=lambda: self.now)
        self.desk = NuisanceDesk(
            self.rows, self.containment, clock=lambda: self.now,
            bundle=partial(bundle, path_of=self.files.path_of, tape_of=self.tapes.path_of),
        )
        self.store = TicketStore(pool, prefix="DG")
        self.intake = Intake(
            store=self.store, triage=triaged, rules=lambda: RULES, clock=lambda: self.now, new_code=new_code,
            containment=self.containment,
        )

    async def send(
        self, text: str = "路灯不亮", *, phone: str = PHONE, key: str = "", name: str = "",
        files: tuple[Attachment, ...] = (), category: Category | None = None,
    ) -> Receipt:
        self.now += timedelta(seconds=1)
        appeal = Appeal(text=text, citizen=Citizen(phone=phone, key=phone, name=name), attachments=files)
        return await self.intake.submit(Inbound(
            channel=Channel.APP, external_id=key or f"k{next(_keys)}", appeal=appeal, received_at=self.now,
            category=category,
        ))

    async def call(self, *, phone: str = PHONE, answered: bool = True, direction: str = "in") -> str:
        """Let somebody call; an agent takes it and writes no ticket."""
        self.now += timedelta(minutes=1)
        id_ = f"call-{next(_keys)}"
        await self.pool.execute(
            "INSERT INTO calls (id, direction, caller, started_at, answered_at, ended_at) "
            "VALUES ($1, $2, $3, $4, $5, $4)",
            id_, direction, blind(phone), self.now, self.now if answered else None,
        )
        return id_

    async def marked(self) -> None:
        for n in range(3):
            await self.send(f"骂人{n}")
        await self.desk.mark(WANG, "13800138000", "一天来电辱骂多次")

    async def tickets(self) -> int:
        return int(await self.pool.fetchval("SELECT count(*) FROM tickets"))


@asynccontextmanager
async def house(dsn: str, home: Path) -> AsyncIterator[House]:
    async with await open_pool(dsn, size=4) as pool:
        opened = House(pool, home)
        async with opened.intake:
            yield opened
