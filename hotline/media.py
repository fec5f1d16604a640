"""Citizens' pictures and voices that still lie at WeChat, as jobs bring them home: each may run twice and counts once.

The job is written with the message that names the file, so neither a restart nor a flood loses it. Until it is through
the ticket names the file at WeChat; what can be had no more is told on the ticket. Of a citizen who was erased
meanwhile nothing is brought home.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import structlog

from channels.message import Inbound
from channels.port import ChannelPort
from channels.wechat_api import Refused
from channels.wechat_codec import MEDIA_KEY
from hotline import commands as c
from hotline.errors import HotlineError, Overloaded, RateLimited, Unavailable
from hotline.events import SYSTEM, Actor
from hotline.handoff import Later
from hotline.ids import TicketId, TicketNumber
from hotline.ports import Acted, Once, Stored
from hotline.privacy import NOBODY
from hotline.ticket import Ticket

log = structlog.get_logger(__name__)
KEPT = timedelta(days=3)
"""How long WeChat keeps a file."""
_SOON, _LATE = timedelta(seconds=5), timedelta(hours=1)
FetchMedia = Callable[[str], Awaitable[bytes]]


class MediaFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file at WeChat and the ticket, by its own number, that it belongs to: what the job carries."""

    number: TicketNumber
    key: str
    name: str
    since: datetime


class Tickets(Protocol):
    """Reads tickets (`hotline.store.tickets.TicketStore`)."""

    async def read(self, number: str) -> Stored:
        """Return a ticket. Raises NotFound."""
        ...

    async def read_id(self, id_: TicketId) -> Stored:
        """Return a ticket by its id. Raises NotFound."""
        ...


class ActsOnce(Protocol):
    """The one thing needed of `hotline.service.Service`."""

    async def act_once(
        self, number: str, command: c.Command, *, actor: Actor, once: Once,
        check: Callable[[Ticket], None] | None = None,
    ) -> Acted:
        """Carry out one command under a key, if `check`, asked under the ticket's lock, lets it pass."""
        ...


class Erased(Exception):
    """The citizen whose file this is was erased."""


def media_of(number: TicketNumber, inbound: Inbound) -> list[str]:
    """Return the jobs' payloads for a message's files that lie at WeChat."""
    files = [one for one in inbound.appeal.attachments if one.key.startswith(MEDIA_KEY)]
    return [
        msgspec.json.encode(MediaFile(number=number, key=one.key, name=one.name, since=inbound.received_at)).decode()
        for one in files
    ]


class Media:
    """Brings files home. `fetch` is `channels.wechat_client.WeChatClient.media`; None leaves them there."""

    def __init__(self, *, port: ChannelPort, tickets: Tickets, service: ActsOnce, fetch: FetchMedia | None) -> None:
        self._port, self._tickets, self._service, self._fetch = port, tickets, service, fetch

    async def bring_home(self, payload: str) -> None:
        """Fetch a file and add it to its ticket. Raises Later to try again, as long as WeChat keeps it."""
        file = msgspec.json.decode(payload, type=MediaFile)
        if self._fetch is None:
            log.info("wechat_media_left_there", number=file.number)
            return
        try:
            await self._leading(file.number)
            await self._add(file, await self._fetch(file.key.removeprefix(MEDIA_KEY)))
        except Erased:
            log.info("wechat_media_of_nobody", number=file.number)
        except Refused as error:  # the account's settings are mended sooner than the file is gone
            log.warning("wechat_media_refused", number=file.number, error=error.detail)
            await self._try_again(file, error)
        except (Unavailable, Overloaded, RateLimited, OSError) as error:
            await self._try_again(file, error)
        except HotlineError as error:
            await self._give_up(file, error)

    async def _add(self, file: MediaFile, data: bytes) -> None:
        """Add the file to its ticket as what it is: the message that named it was taken when it came.

        It says nothing anew and answers no question that was asked meanwhile.
        """
        number, note = await self._leading(file.number), f"诉求人的微信文件“{file.name}”"
        own = number == file.number
        kept = await self._port.store_attachment(data, file.name)
        attach = c.Attach(attachments=(kept,), note=note if own else f"[并单{file.number}] {note}")
        await self._service.act_once(
            number, attach, actor=SYSTEM, once=_once(file, "file"), check=_check_somebodys if own else None
        )

    async def _leading(self, number: TicketNumber) -> TicketNumber:
        """Return the ticket in which the matter is handled: the parent of a merged one. Raises Erased."""
        ticket = (await self._tickets.read(number)).ticket
        _check_somebodys(ticket)
        if ticket.parent is None:
            return number
        return (await self._tickets.read_id(ticket.parent)).ticket.number

    async def _try_again(self, file: MediaFile, error: HotlineError | OSError) -> None:
        waited = self._port.now() - file.since
        if waited > KEPT:
            await self._give_up(file, error)
            return
        asked = timedelta(seconds=error.retry_after if isinstance(error, Overloaded | RateLimited) else 0)
        raise Later(max(_SOON, asked, min(waited, _LATE)), str(error)) from error

    async def _give_up(self, file: MediaFile, error: HotlineError | OSError) -> None:
        log.warning("wechat_media_not_fetched", number=file.number, error=str(error))
        note = c.AddNote(text=f"微信文件“{file.name}”未能取回:{error}")
        await self._service.act_once(file.number, note, actor=SYSTEM, once=_once(file, "note"))


def _check_somebodys(ticket: Ticket) -> None:
    """Raise Erased where the citizen is known no more: who writes by WeChat is always known by their key."""
    if ticket.appeal.citizen == NOBODY:
        raise Erased


def _once(file: MediaFile, what: str) -> Once:
    """One of each for a file, for whatever reason."""
    return Once(unit="wechat", key=f"{file.number}:{file.key}:{what}", content_hash=b"")
