"""The front of the house: everything that channels may ask, answered by intake, service and stores.

The only place where the channels' port (`channels.port.ChannelPort`) is put together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial

from channels import attachments
from channels.message import Inbound, Receipt
from channels.port import ChatLine, ChatStanding, Progress, PublicTicket, RequestFilter
from channels.repeats import Repeats
from hotline import figures
from hotline.appeal import Attachment
from hotline.errors import Overloaded, RateLimited
from hotline.ids import TicketNumber
from hotline.intake import Intake
from hotline.ports import Clock
from hotline.rating_links import RatingLinks
from hotline.service import Service
from hotline.spool import Spool
from hotline.store.channels import ChannelStore
from hotline.store.uploads import Uploads
from hotline.terms import Channel, Rating

_LIMITED = frozenset({Channel.WEB, Channel.APP, Channel.WECHAT})
"""Channels that citizens' own devices send through; an agent on the telephone and 110 are never refused."""


class Front:
    """Implements `channels.port.ChannelPort` and `channels.port.RatingPort`."""

    def __init__(
        self, *, intake: Intake, service: Service, records: ChannelStore, uploads: Uploads, spool: Spool,
        clock: Clock, links: RatingLinks,
    ) -> None:
        self._intake, self._service, self._records, self._uploads = intake, service, records, uploads
        self._spool, self._clock, self._links = spool, clock, links
        self.limit: Repeats | None = None
        """Of appeals by one citizen; the intake role sets it, and shares it with the other processes."""

    def now(self) -> datetime:
        """Return the present moment."""
        return self._clock()

    async def submit(self, inbound: Inbound) -> Receipt:
        """Take an appeal; return after the commit. Raises RateLimited for a flood of one citizen's new ones."""
        if self.limit is None or not inbound.appeal.citizen.key or inbound.channel not in _LIMITED:
            return await self._taken(inbound)
        with await self._admit(self.limit, inbound):
            return await self._taken(inbound)

    async def _admit(self, limit: Repeats, inbound: Inbound) -> AbstractContextManager[None]:
        delivery = f"{inbound.channel}\n{inbound.external_id}"
        known = partial(self._records.find, inbound.channel, inbound.external_id)
        try:
            return await limit.admit(inbound.appeal.citizen.key, delivery, known, inbound.received_at.timestamp())
        except RateLimited as error:
            if inbound.channel is not Channel.WECHAT:
                raise
            # WeChat sends no message again that we refuse: told to wait, its adapter puts it into the spool.
            raise Overloaded(error.detail, retry_after=error.retry_after) from error

    async def _taken(self, inbound: Inbound) -> Receipt:
        with figures.taken(inbound.channel) as outcome:
            receipt = await self._intake.submit(inbound)
            outcome.receipt(receipt)
        return receipt

    def spool(self, inbound: Inbound) -> None:
        """Put a delivery safely on disk, to be submitted later."""
        self._spool.put(inbound)

    async def find(self, channel: Channel, external_id: str) -> Receipt | None:
        """Return the receipt of a delivery."""
        return await self._records.find(channel, external_id)

    async def first_seen(self, key: str, *, within: timedelta) -> datetime:
        """Return when a key was first seen."""
        return await self._records.first_seen(key, self._clock(), within=within)

    async def store_attachment(self, data: bytes, name: str) -> Attachment:
        """Keep a file; raises InvalidInput for what is not allowed."""
        attachment = await asyncio.to_thread(attachments.describe, data, name)  # hashes up to 20 MiB
        await self._uploads.keep_attachment(attachment, data, self._clock())
        return attachment

    async def attachment(self, key: str) -> Attachment:
        """Return a stored file's description."""
        return await self._uploads.attachment(key, self._clock())

    async def progress(self, number: TicketNumber, code: str) -> Progress:
        """Return how a ticket stands."""
        return await self._service.progress(number, code)

    async def supplement(
        self, number: TicketNumber, code: str, text: str, attachments: Sequence[Attachment], key: str
    ) -> Receipt:
        """Add to a ticket."""
        return await self._service.supplement(number, code, text, attachments, key)

    async def urge(self, number: TicketNumber, code: str, note: str) -> None:
        """催办."""
        await self._service.urge(number, code, note)

    async def withdraw(self, number: TicketNumber, code: str, reason: str) -> None:
        """撤单."""
        await self._service.withdraw(number, code, reason)

    async def rate(self, number: TicketNumber, code: str, rating: Rating, solved: bool | None, note: str) -> None:
        """好差评."""
        await self._service.rate(number, code, rating, solved, note)

    async def linked(self, token: str) -> Progress:
        """Return how the ticket of a link stands."""
        return await self._service.standing(await self._links.number_of(token))

    async def rate_linked(self, token: str, rating: Rating, solved: bool | None, note: str) -> Progress:
        """好差评 by link."""
        return await self._service.rate_linked(await self._links.number_of(token), rating, solved, note)

    async def requests(self, wanted: RequestFilter) -> list[PublicTicket]:
        """Return public tickets."""
        return await self._records.public(wanted)

    async def chat_add(self, session: str, key: str, author: str, text: str) -> ChatLine:
        """Append a line to a chat."""
        return await self._records.chat_add(session, key, author, text, self._clock())

    async def chat_since(self, sessions: dict[str, int]) -> list[ChatLine]:
        """Return new lines of chats."""
        return await self._records.chat_since(sessions)

    async def chat_standings(self, sessions: Sequence[str]) -> list[ChatStanding]:
        """Return how chats stand."""
        return await self._records.chat_standings(sessions)

    async def take_nonce(self, nonce: str, holder: str) -> bool:
        """Take a nonce."""
        return await self._records.take_nonce(nonce, holder, self._clock())

