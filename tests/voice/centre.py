"""A call centre around one real PBX, for the tests with real calls."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import asyncpg
import pytest

from channels.ari import Ari
from channels.ari_socket import Awaited
from channels.ari_wire import Dialled
from hotline.store.database import open_pool
from hotline.store.sealing import open_document
from hotline.store.telephone import TelephoneStore
from hotline.telephone import Telephone
from hotline.telephone_ports import Times
from routing import call_words as m
from routing.callbacks import MissedCall
from routing.calls import Call, Phase
from routing.queue_plan import Centre as Plan
from routing.queue_plan import Queue
from routing.queueing import Rung
from tests.ports import free_port
from tests.voice.pbx import PASSWORD, ROOT, USER, Pbx
from tests.voice.phones import Phones

NEEDS_PBX = pytest.mark.skipif(
    not (ROOT / "usr/sbin/asterisk").exists() or shutil.which("sipp") is None,
    reason="no Asterisk or sipp here: tests/voice/install.sh installs them (needs root and apt-get)",
)
EITHER_WAY = pytest.mark.parametrize("centre", [{}, {"dials": True}], ids=["we-dial", "pbx-dials"], indirect=True)
"""For tests that hold whoever dials whom."""
PLAN = Plan(queues={"general": Queue(steps=(Rung(0, "general"),))})


def now() -> datetime:
    return datetime.now(UTC)


async def _at_once() -> None:
    """The books answer."""


class Late(Dialled):
    """A line that takes its time until it is there."""

    late = 0.0

    async def events(self) -> AsyncIterator[str | None]:
        await asyncio.sleep(self.late)
        async for event in super().events():
            yield event


class Centre:
    """A call centre around one PBX."""

    def __init__(self, pbx: Pbx, phones: Phones, pool: asyncpg.Pool, session: aiohttp.ClientSession) -> None:
        self.pbx, self.phones, self.pool, self.session = pbx, phones, pool, session
        self.store = TelephoneStore(pool)
        self.plan, self.announce = PLAN, 0.0
        self.follow: Callable[[Call], None] = lambda _: None
        self.sound_to, self.late, self.deaf_after, self.ring = "", 0.0, 5.0, 3.0
        self.ari, self.trunk = pbx.ari, "PJSIP/phones/sip:{number}"
        self.before_books: Callable[[], Awaitable[None]] = _at_once
        self.owed: list[MissedCall] = []
        self.got_through: list[str] = []
        self.tries: list[tuple[Call, int]] = []
        self.spoke: list[Call] = []
        self.telephone = self.steering()
        self._running: asyncio.Task[None] | None = None

    def steering(self) -> Telephone:
        dialled = Late(self.session, base=self.ari, user=USER, password=PASSWORD, deaf_after=self.deaf_after)
        dialled.late = self.late
        self.awaited = Awaited(user=USER, password=PASSWORD, files=dialled) if self.pbx.dials else None
        self.ari_now = Ari(self.awaited or dialled, trunk=self.trunk, caller_id="12345", sound_to=self.sound_to)
        return Telephone(pbx=self.ari_now, store=self.store, books=self, centre=lambda: self.plan, clock=now,
                         follow=self.follow,
                         times=Times(ring=self.ring, wrap_up=0.5, tick=0.05, announce=self.announce))

    # ── the books ────────────────────────────────────────────────────────────────────────────────
    async def owe(self, missed: MissedCall, /) -> None:
        await self.before_books()
        self.owed.append(missed)

    async def through(self, caller: str, at: datetime, /) -> None:
        self.got_through.append(caller)

    async def tried(self, call: Call, cause: int, /) -> None:
        self.tries.append((call, cause))

    async def spoken(self, call: Call, /) -> None:
        self.spoke.append(call)

    def start(self) -> None:
        self._running = asyncio.create_task(self._run(self.telephone, self.awaited))

    async def _run(self, telephone: Telephone, awaited: Awaited | None) -> None:
        async with awaited.serving("127.0.0.1", self.pbx.dials) if awaited else nullcontext():
            await telephone.run()

    async def connected(self) -> None:
        """Wait until the PBX tells us what happens."""
        await self.until(lambda: self.telephone.hears)

    async def kill(self) -> None:
        """End the process that steers, in the middle of whatever it does."""
        assert self._running is not None
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def agent(self, name: str, scenario: str, skills: dict[str, int] | None = None) -> None:
        endpoint, self.phone = await self.phones.phone(scenario)
        await self.pool.execute(
            "INSERT INTO staff (name, display_name, role, password_hash, created_at) "
            "VALUES ($1, $1, 'agent', '', now())", name,
        )
        await self.pool.execute(
            "INSERT INTO presence (staff, state, since, lease_until) VALUES ($1, 'available', now(), now() + '1 hour')",
            name,
        )
        await self.store.give_phone(name, endpoint, skills or {"general": 1})

    async def again(self, *, connected: bool = True) -> None:
        """Let another process steer, as `plan`, `announce`, `trunk`, `ring`, `late` say; wait until `connected`."""
        await self.kill()
        self.telephone = self.steering()
        self.start()
        if connected:
            await self.connected()

    async def news(self, topic: str, kind: str = "call") -> list[dict[str, Any]]:
        """Return what consoles that follow a topic have been told."""
        found = await self.pool.fetch(
            "SELECT doc FROM presence_events WHERE topic = $1 AND type = $2 ORDER BY position", topic, kind
        )
        docs = [row["doc"] for row in found]
        if kind == "transcript":
            docs = [open_document(doc, context=f"told {topic}") for doc in docs]
        return [json.loads(doc) for doc in docs]

    async def state_of(self, name: str) -> str:
        row = await self.pool.fetchrow("SELECT state, reason FROM presence WHERE staff = $1", name)
        return f"{row['state']} {row['reason']}".strip()

    async def until(self, holds: Callable[[], object]) -> None:
        end = asyncio.get_running_loop().time() + 20
        while True:
            found = holds()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            if asyncio.get_running_loop().time() > end:
                raise AssertionError(await self._picture())
            await asyncio.sleep(0.05)

    async def _picture(self) -> str:
        agents = await self.pool.fetch("SELECT staff, state, reason, lease_until FROM presence")
        there = [f"{channel.id} {channel.state}" for channel in await self.ari_now.channels()]
        board = self.telephone.queues.board
        return (f"not within 20 s; under way: {dict(self.telephone.calls)}; at the PBX: {there}; "
                f"agents {[dict(row) for row in agents]}; waiting {dict(board.waiting)}; free {dict(board.agents)}")

    async def call(self, phase: Phase) -> Call:
        await self.until(lambda: any(call.phase is phase for call in self.telephone.calls.values()))
        return next(call for call in self.telephone.calls.values() if call.phase is phase)

    async def leaves(self, call: Call) -> None:
        """Let the citizen hang up, however long a busy machine has taken until here."""
        await self.ari_now.perform(m.Hang(call.id))

    async def recorded(self, call: Call, size: int) -> None:
        """Wait until so many bytes of a talk are recorded."""
        file = self.pbx.recordings / f"{call.id}.wav"
        await self.until(lambda: file.exists() and file.stat().st_size > size)

    async def closed(self, recording: str) -> Path:
        """Wait until the PBX has closed a recording; return where it lies."""
        url = f"{self.pbx.ari}/recordings/live/{quote(recording)}"
        log_in = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}

        async def gone() -> bool:
            async with self.session.get(url, headers=log_in) as answer:
                return answer.status == 404
        await self.until(gone)
        return self.pbx.recordings / f"{recording}.wav"

    async def over(self) -> asyncpg.Record:
        """Wait until no call is under way, and what its end asked for is done; return the last one's row."""
        await self.until(lambda: not self.telephone.calls)
        async with self.telephone._one:  # a call is taken off the list first, and then who is to be told is told
            pass
        return await self.pool.fetchrow("SELECT * FROM calls ORDER BY started_at DESC LIMIT 1")


@asynccontextmanager
async def centre_of(
    database: str, folder: Path, *, rtp_timeout: int = 0, dials: bool = False
) -> AsyncIterator[Centre]:
    """`dials`: the PBX dials us, instead of us the PBX."""
    pool = await open_pool(database, size=5)
    async with (
        Pbx(rtp_timeout=rtp_timeout, dials=free_port() if dials else 0) as pbx, aiohttp.ClientSession() as session,
        Phones(folder, pbx_port=pbx.sip_port) as phones,
    ):
        centre = Centre(pbx, phones, pool, session)
        centre.start()
        await centre.connected()
        try:
            yield centre
        finally:
            await centre.kill()
            await pool.close()


async def is_state(centre: Centre, name: str, state: str) -> bool:
    return await centre.state_of(name) == state
