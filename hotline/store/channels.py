"""What channels keep beside tickets: chats, nonces, first sightings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from channels.message import Receipt
from channels.port import ChatLine, ChatStanding, PublicTicket, RequestFilter
from channels.views import ChatPhase
from hotline.events import TicketEvent
from hotline.ids import DepartmentCode
from hotline.lifecycle import OPEN_STATES
from hotline.progress import shown_reply
from hotline.store import rows
from hotline.store.database import statements
from hotline.store.sealing import line_of, seal_text
from hotline.terms import Channel, State
from hotline.ticket import replay

_SQL = statements("channels")
_CLOSED_STATES = [state.value for state in State if state not in OPEN_STATES]
_WITH_THE_CENTRE = frozenset({State.RECEIVED, State.PENDING_DISPATCH})
_MOST_AHEAD = 1000
_NONCES_KEPT = timedelta(days=1)


class ChannelStore:
    """Small durable records of the channels."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find(self, channel: Channel, external_id: str) -> Receipt | None:
        """Return the receipt of a delivery, None where it is not known."""
        receipt = await self._pool.fetchval(_SQL["find_receipt"], channel, external_id)
        return None if receipt is None else msgspec.json.decode(receipt, type=Receipt)

    async def first_seen(self, key: str, now: datetime, *, within: timedelta) -> datetime:
        """Return when `key` was first seen, anew once that is longer ago than `within`; atomic."""
        moment: datetime = await self._pool.fetchval(_SQL["first_seen"], key, now, now - within)
        return moment

    async def take_nonce(self, nonce: str, holder: str, now: datetime) -> bool:
        """Take a nonce; True if it was free or is `holder`'s already."""
        return bool(await self._pool.fetchval(_SQL["take_nonce"], nonce, holder, now))

    async def forget(self, now: datetime) -> None:
        """Delete nonces and sightings that no repeat can meet any more."""
        await self._pool.execute(_SQL["forget"], now - _NONCES_KEPT)

    # ── chats ────────────────────────────────────────────────────────────────────────────────────
    async def chat_add(self, session: str, key: str, author: str, text: str, now: datetime) -> ChatLine:
        """Append a line and number it; a repeat of `key` returns the line that is there."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["lock_chat"], session)
            row = await connection.fetchrow(_SQL["chat_line"], session, key)
            if row is None:
                sealed = seal_text(text, context=f"chat {session} {key}")
                row = await connection.fetchrow(_SQL["add_chat_line"], session, key, author, sealed, now)
                await connection.execute("NOTIFY hotline_chat")
        return _line(row)

    async def chat_since(self, sessions: dict[str, int]) -> list[ChatLine]:
        """Return the lines above each session's `seq`, at most 200 of each."""
        found = await self._pool.fetch(_SQL["chat_since"], list(sessions), list(sessions.values()))
        return [_line(row) for row in found]

    async def chat_standings(self, sessions: Sequence[str]) -> list[ChatStanding]:
        """Return how chats stand; none for a session in which nothing was said."""
        return [_standing(row) for row in await self._pool.fetch(_SQL["chat_standings"], list(sessions))]

    # ── public tickets ───────────────────────────────────────────────────────────────────────────
    async def public(self, wanted: RequestFilter) -> list[PublicTicket]:
        """Return public tickets, the newest first; a merged one stands as its parent does."""
        found: Sequence[asyncpg.Record] = await self._pool.fetch(*_asked(wanted))
        histories: dict[int, list[asyncpg.Record]] = {id_: [] for row in found for id_ in (row["id"], row["leading"])}
        for event in await self._pool.fetch(_SQL["histories"], list(histories)):
            histories[event["ticket_id"]].append(event)
        seen = []
        for row in found:
            await asyncio.sleep(0)  # anybody may ask for this: appeals have their turn between two tickets
            own = _events(histories[row["id"]])
            leading = own if row["leading"] == row["id"] else _events(histories[row["leading"]])
            seen.append(_public(own, leading, shared=row["shared"]))
        return seen


def _asked(wanted: RequestFilter) -> tuple[Any, ...]:
    """Return the statement that finds a page, and its parameters."""
    if wanted.numbers:
        return _SQL["public_numbered"], list(wanted.numbers), wanted.limit
    states = {None: None, True: _CLOSED_STATES, False: [state.value for state in OPEN_STATES]}[wanted.closed]
    page = (wanted.start, wanted.end, states, wanted.limit, wanted.offset)
    if not wanted.categories:
        return _SQL["public"], *page
    return _SQL["public_of"], *page, sorted({f"{l1}/{l2}" for l1, l2 in wanted.categories})


def _line(row: asyncpg.Record) -> ChatLine:
    return ChatLine(**dict(row) | {"text": line_of(row)})


def _events(history: Sequence[asyncpg.Record]) -> list[TicketEvent]:
    return [rows.event_from(event["doc"], event["sealed"]) for event in history]


def _public(own: Sequence[TicketEvent], leading: Sequence[TicketEvent], *, shared: bool) -> PublicTicket:
    """Return a ticket as anybody sees it; who handles the matter and what they say, only where that is `shared`."""
    ticket = replay(own)
    led = ticket if leading is own else replay(leading)
    return PublicTicket(
        number=ticket.number, status=led.state, closed=led.state not in OPEN_STATES, category=ticket.category,
        department=led.lead if shared else DepartmentCode(""), town=ticket.town, requested_at=ticket.created_at,
        updated_at=max(own[-1].at, leading[-1].at), expected_by=led.clocks.completion_due,
        public_reply=shown_reply(led) if shared else "",
    )


def _standing(row: asyncpg.Record) -> ChatStanding:
    state, session = State(row["state"]), row["session"]
    if state not in OPEN_STATES:
        return ChatStanding(session=session, phase=ChatPhase.OVER)
    if row["taken"]:
        return ChatStanding(session=session, phase=ChatPhase.WITH_AGENT)
    if state not in _WITH_THE_CENTRE:
        return ChatStanding(session=session, phase=ChatPhase.HANDLED)
    ahead = _MOST_AHEAD if row["ahead"] is None else row["ahead"]
    return ChatStanding(session=session, phase=ChatPhase.WAITING, ahead=ahead)
