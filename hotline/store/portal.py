"""Whose tickets are whose, for the city's portal."""

from __future__ import annotations

import asyncpg
import msgspec

from channels.portal_codec import MyTicket, MyTickets
from hotline.errors import NotFound
from hotline.store.console import cursor_of, position_of
from hotline.store.database import statements
from hotline.store.sealing import blind
from hotline.summary import Summary
from hotline.terms import State, label

_SQL = statements("portal")
_summaries = msgspec.json.Decoder(Summary)


class PortalStore:
    """Fulfils `channels.portal.PortalRows`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def remember(self, citizen: str, number: str) -> None:
        """Note that a citizen has sent a ticket through the portal."""
        await self._pool.execute(_SQL["remember"], blind(citizen), number)

    async def mine(self, citizen: str, phone: str, *, cursor: str, limit: int) -> MyTickets:
        """Return a citizen's tickets, the newest first. Raises InvalidInput for a made-up cursor."""
        at, id_ = position_of(cursor)
        found = await self._pool.fetch(_SQL["mine"], blind(citizen), blind(phone), at, id_, limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return MyTickets(
            tickets=tuple(_shown(_summaries.decode(row["summary"])) for row in found[:limit]),
            next=cursor_of(last["created_at"], last["id"]) if last is not None else "",
        )

    async def code_of(self, citizen: str, phone: str, number: str) -> str:
        """Return the query code of a citizen's ticket. Raises NotFound."""
        code: str | None = await self._pool.fetchval(_SQL["code_of"], blind(citizen), blind(phone), number)
        if code is None:
            raise NotFound("the citizen has no ticket with this number")
        return code


def _shown(summary: Summary) -> MyTicket:
    return MyTicket(
        number=summary.number, status=summary.state, status_label=label(State(summary.state)), title=summary.title,
        category=summary.category.rpartition("/")[2], department=summary.lead, created_at=summary.created_at,
    )
