"""Chats in the queues: one that waits is given to an agent with room, as a call is, and taken back from who has gone.

A chat is a ticket whose citizen sits in the web chat; the agent who has claimed it answers. Giving is a `Claim` on the
version that was seen, so of several processes, and of agents who take chats by hand, one gets it. It takes room of its
agent (`routing.queue_plan.Centre`) as long as it waits for their word: until it is answered, dispatched, or they ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Protocol

import msgspec
import structlog

from agent_ui.ports import Act
from hotline import commands as c
from hotline.errors import HotlineError
from hotline.events import SYSTEM

log = structlog.get_logger(__name__)
LOOK = 1.0
"""Seconds between two looks at the chats."""


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat that waits for an agent's word `since` (seconds of the epoch). `agent` has it; `gone`: is offline."""

    number: str
    version: int
    since: float
    agent: str = ""
    gone: bool = False

    @property
    def id(self) -> str:
        """Its name in the queue."""
        return f"chat:{self.number}"


class ChatStore(Protocol):
    """What is read of chats (`hotline.store.chats.ChatStore`). Raises Unavailable."""

    async def chats(self) -> list[Chat]:
        """Return the chats that wait for an agent's word, those nobody has first, the longest waiting first."""
        ...

    async def is_available(self, agent: str) -> bool:
        """Tell whether somebody is available at this moment."""
        ...


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Since the last look: chats that have come, ids of those that wait no more, agents who have more or fewer."""

    come: tuple[Chat, ...] = ()
    left: tuple[str, ...] = ()
    changed: frozenset[str] = frozenset()


class Chats:
    """Who waits in a chat, and who has how many."""

    def __init__(self, *, store: ChatStore, act: Act) -> None:
        self._store, self._act = store, act
        self._waiting: dict[str, Chat] = {}
        self._held: Mapping[str, int] = Counter[str]()
        self._given: dict[str, float] = {}
        self._next_look = 0.0

    def held(self, agent: str) -> int:
        """Return how many chats an agent has."""
        return self._held.get(agent, 0)

    def given(self, agent: str) -> float:
        """Return when an agent got the last chat, in seconds of the epoch; 0 for never."""
        return self._given.get(agent, 0.0)

    def forget(self, *, but: Container[str] = ()) -> None:
        """Tell all that wait as news again, but those of these ids."""
        self._waiting = {id_: chat for id_, chat in self._waiting.items() if id_ in but}

    async def look(self, now: datetime) -> News:
        """Return what is new; nothing when it is not time to look yet. Chats whose agent is offline wait again."""
        if now.timestamp() < self._next_look:
            return News()
        self._next_look = now.timestamp() + LOOK
        chats = await self._store.chats()
        for chat in chats:
            if chat.gone:
                await self._give_back(chat)
        waiting = {chat.id: chat for chat in chats if not chat.agent}
        held = Counter(chat.agent for chat in chats if chat.agent and not chat.gone)
        before, self._waiting = self._waiting, waiting
        told, self._held = self._held, held
        return News(
            come=tuple(chat for id_, chat in waiting.items() if id_ not in before),
            left=tuple(id_ for id_ in before if id_ not in waiting),
            changed=frozenset(name for name in {*held, *told} if held[name] != told.get(name, 0)),
        )

    async def give(self, id_: str, agent: str, *, now: datetime) -> bool:
        """Give a chat to an agent; False where either is not there any more: the next look tells."""
        chat = self._waiting.pop(id_, None)
        try:
            if chat is None or not await self._store.is_available(agent):
                return False
            await self._act(chat.number, c.Claim(agent=agent), actor=SYSTEM, expected_version=chat.version)
        except HotlineError as error:
            log.info("chat_not_given", chat=id_, agent=agent, why=error.error_id)
            return False
        self._held = Counter(self._held) + Counter((agent,))
        self._given[agent] = now.timestamp()
        return True

    async def _give_back(self, chat: Chat) -> None:
        try:
            await self._act(chat.number, c.Release(), actor=SYSTEM, expected_version=chat.version)
        except HotlineError as error:
            log.info("chat_not_given_back", chat=chat.id, agent=chat.agent, why=error.error_id)
