"""A side of a talk is heard as long as the talk lasts, whatever happens to its tap, and no tap outlives the hearing.

No PBX is needed; `test_speech` has a real one.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec

from channels.funasr_codec import Said
from hotline.errors import Unavailable
from hotline.speech import Speech
from hotline.store.database import open_pool
from hotline.store.sealing import words_of
from hotline.store.telephone import TelephoneStore
from hotline.store.transcripts import TranscriptStore
from routing.calls import Call, Leg, Phase, Role
from tests.voice.test_speech import judged

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CALL = Call(
    id="c1", caller="13800138000", called="12345", queue="general", arrived=NOW, phase=Phase.TALKING, agent="wang",
    legs=(Leg(channel="c1", role=Role.CITIZEN, up=True, since=NOW),), answered_at=NOW,
)


REFUSED, LOST, HEARD = "refused", "lost", "heard"


class Line:
    """A PBX and a recogniser: what becomes of each tap in turn; a tap ends when it may."""

    def __init__(self, *turns: str | Exception) -> None:
        self.turns, self.now, self.begun, self.ended = [*turns], "", 0, 0
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def tap(self, name: str, channel: str, id_: str) -> bool:
        self.begun += 1
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        self.now = turn
        return turn != REFUSED

    async def untap(self, name: str) -> None:
        await self.may_end.wait()
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


@asynccontextmanager
async def hearing(database: str, line: Line) -> AsyncIterator[Speech]:
    """The call, heard until its words of danger are noted."""
    async with await open_pool(database, size=3) as pool:
        speech = Speech(
            taps=line, sounds=line, recogniser=line, transcripts=TranscriptStore(pool), triage=judged,
            clock=lambda: NOW, new_id=lambda: "1", pause=0.0,
        )
        await TelephoneStore(pool).save(CALL, now=NOW)
        speech.follow(CALL)
        async with asyncio.timeout(20):
            while not await pool.fetchval("SELECT alarm FROM calls"):
                await asyncio.sleep(0.01)
        yield speech


async def test_a_tap_that_is_refused_fails_or_ends_is_begun_again(database: str) -> None:
    line = Line(REFUSED, Unavailable("no answer in time"), LOST, HEARD)
    async with hearing(database, line) as speech:
        assert (line.begun, line.ended) == (4, 3)
        await speech.close()
        assert (line.begun, line.ended) == (4, 4), "whoever stops hearing takes the tap away"


class Talk(Line):
    """A PBX and a recogniser: the citizen `says` something, nobody else is heard."""

    def __init__(self) -> None:
        super().__init__()
        self.says, self.taken = asyncio.Queue[str](), dict[str, str]()

    async def tap(self, name: str, channel: str, id_: str) -> bool:
        self.taken[id_] = channel
        return True

    @asynccontextmanager
    async def expected(self, id_: str) -> AsyncIterator[AsyncIterable[bytes]]:
        yield self._of(id_)

    async def _of(self, id_: str) -> AsyncIterator[bytes]:
        yield self.taken[id_].encode()

    async def sentences(self, sound: AsyncIterable[bytes]) -> AsyncIterator[Said]:
        [channel] = [piece async for piece in sound]
        while channel == b"c1":
            yield Said(await self.says.get(), True)
        await asyncio.Event().wait()


async def test_what_is_said_after_the_agent_has_left_is_not_theirs_to_see_but_raises_the_alarm(database: str) -> None:
    talk, ids = Talk(), itertools.count()
    agent = Leg(channel="agent~c1~1~wang", role=Role.AGENT, name="wang", up=True, since=NOW)
    police = Leg(channel="party~c1~2~110", role=Role.PARTY, name="110", up=True, since=NOW)
    three = msgspec.structs.replace(CALL, legs=(*CALL.legs, agent, police))
    async with await open_pool(database, size=3) as pool, asyncio.timeout(20):
        speech = Speech(
            taps=talk, sounds=talk, recogniser=talk, transcripts=TranscriptStore(pool), triage=judged,
            clock=lambda: NOW, new_id=lambda: str(next(ids)), pause=0.0,
        )
        await TelephoneStore(pool).save(three, now=NOW)
        speech.follow(three)
        talk.says.put_nowait("路灯坏了")
        while not await pool.fetchval("SELECT count(*) FROM presence_events"):
            await asyncio.sleep(0.01)
        speech.follow(msgspec.structs.replace(three, legs=(*CALL.legs, police)))
        talk.says.put_nowait("楼下有人持刀")
        while not await pool.fetchval("SELECT count(*) FROM presence_events WHERE topic = 'alarms'"):
            await asyncio.sleep(0.01)
        await speech.close()
        told = await pool.fetch("SELECT topic, type FROM presence_events ORDER BY position")
        kept = await pool.fetch("SELECT call, n, text FROM transcripts")
    assert [tuple(row) for row in told] == [("agent:wang", "transcript"), ("alarms", "call")]
    assert [words_of(row) for row in kept] == ["路灯坏了"]


async def test_closing_waits_for_the_tap_of_a_call_that_is_ending(database: str) -> None:
    line = Line(HEARD)
    async with hearing(database, line) as speech:
        line.may_end.clear()
        speech.follow(msgspec.structs.replace(CALL, phase=Phase.OVER))
        await asyncio.sleep(0)
        closing = asyncio.create_task(speech.close())
        await asyncio.wait([closing], timeout=0.05)
        assert not closing.done()
        line.may_end.set()
        await closing
        assert (line.begun, line.ended) == (1, 1)
