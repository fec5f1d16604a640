"""Who looks at which ticket: told to those who follow it, kept for minutes, never part of the ticket's history."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import msgspec

from agent_ui.aids import Looking
from hotline.errors import Unavailable
from hotline.store import rows
from hotline.store.console import ConsoleStore
from hotline.store.database import LOST, statements
from hotline.ticket import Ticket

_SQL = statements("looks")
HEARD = timedelta(seconds=90)
"""Who has not said so again for this long has gone; consoles say it every minute."""
_KEPT = timedelta(minutes=10)
_looks = msgspec.json.Decoder(Looking)


class LookStore:
    """Fulfils `agent_ui.aid_requests.Looks` on a pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool, self._console = pool, ConsoleStore(pool)

    async def ticket(self, number: str) -> Ticket:
        """Return a ticket. Raises NotFound, Unavailable."""
        return (await self._console.find(number)).ticket

    async def look(self, look: Looking) -> list[Looking]:
        """Tell it to those who follow the ticket; return the last word on everybody of late, this one included."""
        topic, doc = f"ticket:{look.number}", msgspec.to_builtins(look) | {"actor": f"staff:{look.staff}"}
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_SQL["forget_looks"], look.at - _KEPT)
                await connection.execute(_SQL["tell_look"], look.at, topic, rows.to_json(doc))
                found = await connection.fetch(_SQL["looks"], topic, look.at - HEARD)
        except LOST as error:
            raise Unavailable("the database does not answer; please repeat in a moment") from error
        return [_looks.decode(row["doc"]) for row in found]
