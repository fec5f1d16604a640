"""What supervisors see of the telephone, and what was heard in calls."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from agent_ui.masking import mask_text
from hotline.store.answering import answering
from hotline.store.call_cards import CallCards
from hotline.store.database import statements
from hotline.store.queues import QueueStore
from hotline.store.sealing import caller_of, open_document, words_of
from routing.call_floor import floor_of
from routing.call_news import AgentRow, CallFloor, CallNews, CallRow, CallWords, news_of, row_of
from routing.calls import Call, Role

_SQL = statements("call_floor")
_calls = msgspec.json.Decoder(Call)
_skills = msgspec.json.Decoder(dict[str, int])
SHOWN = 1000
"""Calls that the floor shows, the oldest first."""
_SENTENCES = 2000
_AT_ONCE = 10
"""Calls that one agent may have under way: the one they are in, and what they left to others."""


class CallDeskStore(CallCards):
    """Reads on a pool. Fulfils `agent_ui.call_requests.CallReads`. Raises Unavailable."""

    def __init__(self, pool: asyncpg.Pool, queues: QueueStore) -> None:
        super().__init__(pool)
        self._queues = queues

    async def floor(self, now: datetime) -> CallFloor:
        """Return queues, calls and agents at this moment."""
        with answering():
            calls = [_call(row) for row in await self._pool.fetch(_SQL["calls"], SHOWN)]
            agents = [_agent(row) for row in await self._pool.fetch(_SQL["agents"])]
        return floor_of(self._queues.centre, calls, agents, now=now)

    async def under_way(self, *, call: str = "", agent: str = "") -> CallNews | None:
        """Return how a call stands, for `agent`, or the one they are in, else their latest; None where it is over, or
        there is none. One that they left to 110 may go on beside the one that they have now."""
        with answering():
            rows = await self._pool.fetch(_SQL["one"], call, agent, _AT_ONCE)
        found = [(_calls.decode(open_document(row["doc"], context=f"call {row['id']}")), row["alarm"]) for row in rows]
        if not found:
            return None
        one, alarm = min(found, key=lambda seen: all(leg.name != agent for leg in seen[0].legs))
        colleague = agent if agent == one.colleague else ""
        return msgspec.structs.replace(news_of(one, colleague=colleague), alarm=alarm)

    async def words(self, call: str) -> tuple[CallWords, ...]:
        """Return what was heard in a call."""
        with answering():
            found = await self._pool.fetch(_SQL["words"], call, _SENTENCES)
        return tuple(CallWords(call=call, n=row["n"], side=Role(row["side"]), text=words_of(row)) for row in found)


def _call(row: asyncpg.Record) -> CallRow:
    call = _calls.decode(open_document(row["doc"], context=f"call {row['id']}"))
    return row_of(call, caller=mask_text(caller_of(row)), alarm=row["alarm"])


def _agent(row: asyncpg.Record) -> AgentRow:
    return AgentRow(
        staff=row["staff"], state=row["state"], reason=row["reason"], since=row["since"],
        skills=_skills.decode(row["skills"]),
    )
