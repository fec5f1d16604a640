"""The screen-pop: who calls, their open and earlier tickets and calls, read in a few look-ups by index."""

from __future__ import annotations

import asyncpg
import msgspec

from agent_ui.masking import mask_name, mask_text
from channels.phone_codec import caller_key
from hotline.errors import NotFound
from hotline.lifecycle import OPEN_STATES
from hotline.particulars import who
from hotline.store import rows
from hotline.store.answering import answering
from hotline.store.database import statements
from hotline.store.sealing import blind, caller_of
from routing.call_news import CallCard, CallSeen, EarlierCall

_SQL = statements("call_cards")
TICKETS, CALLS = 20, 10
"""How many of the newest a card shows."""


class CallCards:
    """Reads cards on a pool. Raises Unavailable."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def card(self, caller: str, *, call: str = "", marked: str = "", full: bool = False) -> CallCard:
        """Return who calls; `full` without masks."""
        number = caller_key(caller)
        with answering():
            tickets = await self._pool.fetch(_SQL["tickets"], blind(number), TICKETS)
            earlier = await self._pool.fetch(_SQL["earlier"], blind(number), call, CALLS)
            named = await self._pool.fetch(_SQL["names"], tickets[0]["id"]) if tickets else []
        name = who(rows.event_from(row["doc"], row["sealed"]) for row in named).name
        return CallCard(
            phone=number if full else mask_text(number), name=name if full else mask_name(name), marked=marked,
            masked=not full,
            open=tuple(_raw(row) for row in tickets if row["state"] in OPEN_STATES),
            history=tuple(_raw(row) for row in tickets if row["state"] not in OPEN_STATES),
            earlier=tuple(
                EarlierCall(at=row["started_at"], agent=row["agent"], answered=row["answered"], number=row["number"])
                for row in earlier
            ),
        )

    async def call(self, id_: str) -> CallSeen:
        """Return whose call it is. Raises NotFound."""
        with answering():
            row = await self._pool.fetchrow(_SQL["call"], id_)
        if row is None:
            raise NotFound(f"there is no call {id_}")
        return CallSeen(
            id=row["id"], caller=caller_of(row), agent=row["agent"], had=tuple(row["agents"]),
            colleague=row["colleague"],
        )

    async def link(self, call: str, number: str) -> None:
        """Note that a ticket came of a call."""
        with answering():
            await self._pool.execute(_SQL["link"], call, number)


def _raw(row: asyncpg.Record) -> msgspec.Raw:
    return msgspec.Raw(row["summary"].encode())
