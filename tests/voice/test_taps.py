"""Taps end with the hearing. No PBX is needed; `test_speech` has a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec

from channels.funasr_codec import Said
from hotline.speech import Speech
from hotline.store.database import open_pool
from hotline.store.transcripts import TranscriptStore
from routing.calls import Call, Leg, Phase, Role
from tests.voice.test_speech import judged

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CALL = Call(
    id="c1", caller="13800138000", called="12345", queue="general", arrived=NOW, phase=Phase.TALKING, agent="wang",
    legs=(Leg(channel="c1", role=Role.CITIZEN, up=True, since=NOW),), answered_at=NOW,
)


class SlowLine:
    """A PBX that takes its time to end a tap, and a recogniser that hears nothing."""

    def __init__(self) -> None:
        self.begun, self.ended, self.let_end = asyncio.Event(), 0, asyncio.Event()

    async def tap(self, name: str, channel: str, id_: str) -> bool:
        self.begun.set()
        return True

    async def untap(self, name: str) -> None:
        await self.let_end.wait()
        self.ended += 1

    @asynccontextmanager
    async def expected(self, id_: str) -> AsyncIterator[AsyncIterable[bytes]]:
        yield self._silence()

    async def _silence(self) -> AsyncIterator[bytes]:
        return
        yield b""

    async def sentences(self, sound: AsyncIterable[bytes]) -> AsyncIterator[Said]:
        await asyncio.Event().wait()
        yield Said("", True)


async def test_closing_waits_for_the_tap_of_a_call_that_is_ending(database: str) -> None:
    async with await open_pool(database, size=3) as pool:
        line = SlowLine()
        speech = Speech(
            taps=line, sounds=line, recogniser=line, transcripts=TranscriptStore(pool), triage=judged,
            clock=lambda: NOW, new_id=lambda: "1",
        )
        speech.follow(CALL)
        await line.begun.wait()
        speech.follow(msgspec.structs.replace(CALL, phase=Phase.OVER))
        await asyncio.sleep(0)
        closing = asyncio.create_task(speech.close())
        await asyncio.wait([closing], timeout=0.05)
        assert not closing.done()
        line.let_end.set()
        await closing
        assert line.ended == 1
