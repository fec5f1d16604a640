"""A side of a talk is heard as long as the talk lasts, whatever happens to its tap. No PBX is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from channels.funasr_codec import Said
from hotline.errors import Unavailable
from hotline.speech import Speech
from hotline.store.database import open_pool
from hotline.store.telephone import TelephoneStore
from hotline.store.transcripts import TranscriptStore
from routing.calls import Call, Leg, Phase, Role
from tests.voice.test_speech import judged

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
REFUSED, LOST, HEARD = "refused", "lost", "heard"


class Line:
    """A PBX and a recogniser: what becomes of each tap in turn."""

    def __init__(self, *turns: str | Exception) -> None:
        self.turns, self.now, self.begun, self.ended = [*turns], "", 0, 0

    async def tap(self, name: str, channel: str, id_: str) -> bool:
        self.begun += 1
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        self.now = turn
        return turn != REFUSED

    async def untap(self, name: str) -> None:
        self.ended += 1

    @asynccontextmanager
    async def expected(self, id_: str) -> AsyncIterator[AsyncIterable[bytes]]:
        yield self._silence()

    async def _silence(self) -> AsyncIterator[bytes]:
        return
        yield b""

    async def sentences(self, sound: AsyncIterable[bytes]) -> AsyncIterator[Said]:
        if self.now == HEARD:
            yield Said("楼下有人持刀", True)
            await asyncio.Event().wait()


async def test_a_tap_that_is_refused_fails_or_ends_is_begun_again(database: str) -> None:
    async with await open_pool(database, size=3) as pool:
        line = Line(REFUSED, Unavailable("no answer in time"), LOST, HEARD)
        speech = Speech(
            taps=line, sounds=line, recogniser=line, transcripts=TranscriptStore(pool), triage=judged,
            clock=lambda: NOW, new_id=lambda: "1", pause=0.0,
        )
        leg = Leg(channel="c1", role=Role.CITIZEN, up=True, since=NOW)
        call = Call(id="c1", caller="13800138000", called="12345", queue="general", arrived=NOW, phase=Phase.TALKING,
                    agent="wang", legs=(leg,), answered_at=NOW)
        await TelephoneStore(pool).save(call, now=NOW)
        speech.follow(call)
        async with asyncio.timeout(20):
            while not await pool.fetchval("SELECT alarm FROM calls"):
                await asyncio.sleep(0.01)
        assert (line.begun, line.ended) == (4, 3)
        await speech.close()
        assert (line.begun, line.ended) == (4, 4), "whoever stops hearing takes the tap away"
