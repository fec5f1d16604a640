"""Links to rate: made when a message is sent, opened when a citizen comes with one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from channels import rating_link
from channels.message import Outbound
from hotline.ids import TicketNumber
from hotline.ports import Clock
from hotline.terms import Channel


class RatingLinks:
    """Makes and opens links. `key` fetches the database's key, once; `base` is the address citizens reach us at."""

    def __init__(self, *, key: Callable[[], Awaitable[bytes]], base: str, clock: Clock) -> None:
        self._fetch, self._base, self._clock = key, base.rstrip("/"), clock
        self._known: bytes | None = None

    async def _key(self) -> bytes:
        if self._known is None:
            self._known = await self._fetch()
        return self._known

    async def finish(self, message: Outbound) -> Outbound:
        """Give a message that asks for a rating a fresh link; 110 is asked for none."""
        if not message.rating or message.number is None or message.channel is Channel.POLICE:
            return message
        return msgspec.structs.replace(message, link=await self.link(message.number))

    async def link(self, number: TicketNumber) -> str:
        """Return a link with which the citizen of a ticket can rate it."""
        token = rating_link.token_for(number, now=self._clock(), key=await self._key())
        return f"{self._base}{rating_link.PATH}{token}"

    async def number_of(self, token: str) -> TicketNumber:
        """Return whose link it is. Raises NotFound."""
        return rating_link.number_of(token, now=self._clock(), key=await self._key())
