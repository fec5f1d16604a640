"""Calls heard as they go: the transcript live in the console, triage as it grows, and the alarm for a word of danger.

Each side of a talk is tapped by itself. Nothing here can touch the call: what fails is logged, and the talk goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec
import structlog

from channels.funasr_codec import Said
from hotline.appeal import Triage
from hotline.errors import HotlineError
from hotline.ports import Clock, TriageBatch
from hotline.privacy import starred
from hotline.terms import Verdict
from routing.call_news import CallNews, CallWords, Suggestion, news_of
from routing.calls import Call, Phase, Role

log = structlog.get_logger(__name__)
SIDES = (Role.CITIZEN, Role.AGENT)
ALARMS = "alarms"
PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds until a tap that was refused, or has ended, is begun again: twice as long each time, up to the longest."""


class Taps(Protocol):
    """Lets the sound of a channel come here (`channels.ari.Ari`). Raises Unavailable."""

    async def tap(self, name: str, channel: str, id_: str) -> bool:
        """Begin; False where the channel is gone."""
        ...

    async def untap(self, name: str) -> None:
        """End."""
        ...


class Sounds(Protocol):
    """Where the sound comes in (`channels.audiosocket.AudioServer`)."""

    def expected(self, id_: str) -> AbstractAsyncContextManager[AsyncIterable[bytes]]:
        """Expect it while the block lasts."""
        ...


class Recogniser(Protocol):
    """Turns sound into sentences (`channels.funasr.FunAsr`)."""

    def sentences(self, sound: AsyncIterable[bytes]) -> AsyncIterator[Said]:
        """Yield what is said until the sound ends."""
        ...


class Begun(Protocol):
    """How far a transcript is."""

    @property
    def next(self) -> int:
        """Number of the next sentence."""
        ...

    @property
    def said(self) -> str:
        """What the citizen has said so far."""
        ...


class Transcripts(Protocol):
    """Where transcripts are kept and told (`hotline.store.transcripts.TranscriptStore`). Raises Unavailable."""

    async def heard(self, call: str) -> Begun:
        """Return how far a call's transcript is."""
        ...

    async def add(self, words: CallWords, *, now: datetime) -> None:
        """Keep a sentence."""
        ...

    async def tell(self, topic: str, news: CallNews | CallWords, *, now: datetime) -> None:
        """Tell consoles."""
        ...

    async def alarm(self, call: str, what: str) -> bool:
        """Note what was heard that is an emergency; False if one is noted already."""
        ...


class _Side(NamedTuple):
    call: str
    role: Role
    channel: str

    @property
    def name(self) -> str:
        """What its channels at the PBX are named after; see `channels.ari_codec.call_of`."""
        return f"{Role.SUPERVISOR}~{self.call}~tap~{self.role}"


class _Talk:
    """The transcript of one call: numbers, and the citizen's words."""

    def __init__(self, call: Call, begun: Begun) -> None:
        self.call, self.next, self.said = call, begun.next, begun.said
        self.open: dict[Role, int] = {}
        self.alarmed = False

    @property
    def with_agent(self) -> bool:
        """An agent takes part."""
        return self.call.of(Role.AGENT) is not None

    def number(self, side: Role, *, final: bool) -> int:
        """Return the number of the sentence that a side is at."""
        if side not in self.open:
            self.open[side], self.next = self.next, self.next + 1
        return self.open.pop(side) if final else self.open[side]


class Speech:
    """Hears calls. `follow` is given to the telephone; leaving `hearing` ends all."""

    def __init__(
        self, *, taps: Taps, sounds: Sounds, recogniser: Recogniser, transcripts: Transcripts, triage: TriageBatch,
        clock: Clock, new_id: Callable[[], str], pause: float = PAUSE,
    ) -> None:
        self._taps, self._sounds, self._recogniser, self._transcripts = taps, sounds, recogniser, transcripts
        self._triage, self._clock, self._new_id, self._pause = triage, clock, new_id, pause
        self._heard: dict[_Side, asyncio.Task[None]] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._talks: dict[str, _Talk] = {}

    def follow(self, call: Call) -> None:
        """Hear those who talk now, and no longer those who do not."""
        wanted = {_Side(call.id, leg.role, leg.channel) for leg in call.legs if leg.up and leg.role in SIDES}
        if call.phase is not Phase.TALKING:
            wanted = set()
        if call.id in self._talks:
            self._talks[call.id].call = call
        for side in [one for one in self._heard if one.call == call.id and one not in wanted]:
            self._heard.pop(side).cancel()
        for side in wanted - self._heard.keys():
            self._heard[side] = self._begin(self._hear(side, call))
        if call.phase is Phase.OVER:
            self._talks.pop(call.id, None)

    async def close(self) -> None:
        """Hear nobody any more: when this returns, the PBX was asked to end every tap, those of ended calls too."""
        for task in self._heard.values():
            task.cancel()
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _hear(self, side: _Side, call: Call) -> None:
        """Hear a side as long as that is wanted: the PBX may refuse a tap, still having one of a process that was
        killed, be away for a moment, or lose the sound."""
        pause = self._pause
        while True:
            await self._listen(side, call)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _listen(self, side: _Side, call: Call) -> None:
        id_ = self._new_id()
        try:
            if side.call not in self._talks:
                begun = await self._transcripts.heard(side.call)
                self._talks.setdefault(side.call, _Talk(call, begun))
            talk = self._talks[side.call]
            async with self._sounds.expected(id_) as sound:
                if await self._taps.tap(side.name, side.channel, id_):
                    async for said in self._recogniser.sentences(sound):
                        await self._take(talk, side.role, said)
        except HotlineError as error:
            log.warning("call_not_heard", call=side.call, side=side.role, error=error.detail)
        except Exception:  # the call goes on unheard; nobody awaits this task, so it is told here or nowhere
            log.exception("call_not_heard", call=side.call, side=side.role)
        finally:
            await asyncio.shield(self._begin(self._end(side)))

    async def _end(self, side: _Side) -> None:
        try:
            await self._taps.untap(side.name)
        except HotlineError as error:
            log.info("tap_left", call=side.call, error=error.detail)

    async def _take(self, talk: _Talk, side: Role, said: Said) -> None:
        """A sentence, or a piece of one; where the database is away it is lost, and the next is taken.

        What the citizen says to somebody outside once the agent has left is only judged: it is no agent's to read.
        """
        now, triage = self._clock(), None
        if side is Role.CITIZEN:
            [triage] = self._triage([talk.said + said.text])
            talk.said += said.text if said.final else ""
        words = CallWords(
            call=talk.call.id, n=talk.number(side, final=said.final), side=side, text=said.text, final=said.final,
            suggestion=suggestion_of(triage) if triage is not None else None,
        )
        try:
            if talk.with_agent and said.final:
                await self._transcripts.add(words, now=now)
            if talk.with_agent:
                await self._transcripts.tell(f"agent:{talk.call.agent}", words, now=now)
            if triage is not None and triage.verdict is Verdict.EMERGENCY and not talk.alarmed:
                await self._alarm(talk, triage, now)
        except HotlineError as error:
            log.warning("words_lost", call=talk.call.id, error=error.detail)

    async def _alarm(self, talk: _Talk, triage: Triage, now: datetime) -> None:
        what = alarm_of(triage)
        if await self._transcripts.alarm(talk.call.id, what):
            log.warning("call_emergency", call=talk.call.id, services=[*triage.services])
            news = msgspec.structs.replace(news_of(talk.call), alarm=what)
            for topic in (f"agent:{talk.call.agent}", ALARMS) if talk.with_agent else (ALARMS,):
                await self._transcripts.tell(topic, news, now=now)
        talk.alarmed = True


def alarm_of(triage: Triage) -> str:
    """Return what an emergency that was heard is told as, numbers starred out: it stays with the call in clear."""
    return starred(" ".join([*triage.services, triage.title]).strip()) or Verdict.EMERGENCY


def suggestion_of(triage: Triage) -> Suggestion:
    """Return what a console shows of it."""
    category = triage.category
    return Suggestion(
        title=triage.title, l1=category.l1 if category else "", l2=category.l2 if category else "", kind=triage.kind,
        verdict=triage.verdict, services=tuple(triage.services), department=triage.department, towns=triage.towns,
    )
