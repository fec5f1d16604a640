"""What the recogniser heard: sentences kept with their call, told live, and the alarm raised once."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import asyncpg

from hotline.store.answering import answering
from hotline.store.database import statements
from hotline.store.sealing import seal_text, words_of
from hotline.store.telephone import TelephoneStore
from routing.call_news import CallNews, CallWords
from routing.calls import Role

_SQL = statements("call_floor")


class Heard(NamedTuple):
    """Number of the next sentence of a call, and what the citizen has said so far."""

    next: int
    said: str


class TranscriptStore:
    """Fulfils `hotline.speech.Transcripts`. Raises Unavailable."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool, self._telephone = pool, TelephoneStore(pool)

    async def heard(self, call: str) -> Heard:
        """Return how far a call's transcript is."""
        with answering():
            found = await self._pool.fetch(_SQL["heard"], call)
        said = "".join(words_of(row) for row in found if row["side"] == Role.CITIZEN)
        return Heard(found[-1]["n"] + 1 if found else 1, said)

    async def add(self, words: CallWords, *, now: datetime) -> None:
        """Keep a sentence."""
        sealed = seal_text(words.text, context=f"words {words.call} {words.n}")
        with answering():
            await self._pool.execute(_SQL["add_words"], words.call, words.n, words.side, now, sealed)

    async def tell(self, topic: str, news: CallNews | CallWords, *, now: datetime) -> None:
        """Tell consoles."""
        await self._telephone.tell_topic(topic, news, now=now)

    async def alarm(self, call: str, what: str) -> bool:
        """Note what was heard that is an emergency; False if one is noted already."""
        with answering():
            return await self._pool.fetchval(_SQL["alarm"], call, what) is not None

    async def forget(self, before: datetime) -> None:
        """Delete what was heard before a moment."""
        with answering():
            await self._pool.execute(_SQL["forget_words"], before)
