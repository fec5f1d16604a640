"""Adapter for a WeChat official account at `/wechat`. The answer always goes out inside WeChat's 5 seconds.

A slow or full service never costs a message: after `WAIT` seconds it is spooled to disk, WeChat hears `success`, and
the citizen hears from us by a customer-service message when the spool is worked off.
"""

from __future__ import annotations

import asyncio
import secrets

import msgspec
import structlog
from aiohttp import web

from channels import wechat_codec, wording
from channels.kit import read_limited
from channels.limits import Guesses
from channels.message import Inbound
from channels.port import ChannelPort, submitted
from channels.ticket_codec import number_of
from channels.wechat_codec import SUCCESS, Event, Lookup, Message, Query, Unknown, WeChatSettings
from channels.wechat_crypto import verify
from channels.wechat_lookup import lacks_code
from hotline.errors import KeyReused, NotFound, RateLimited
from hotline.ids import TicketNumber
from hotline.opening import starts_anew

log = structlog.get_logger(__name__)
WAIT = 4.0
MAX_BODY = 256 * 1024


class WeChat:
    """Handlers over a port."""

    def __init__(self, port: ChannelPort, settings: WeChatSettings, guesses: Guesses, wait: float) -> None:
        self._port, self._settings, self._guesses, self._wait = port, settings, guesses, wait

    async def verification(self, request: web.Request) -> web.Response:
        """WeChat checks that the address is ours."""
        query = _query(request)
        verify(query.signature, self._settings.token, query.timestamp, query.nonce)
        return web.Response(text=request.query.get("echostr", ""))

    async def post(self, request: web.Request) -> web.Response:
        """A message or an event."""
        deadline = asyncio.get_running_loop().time() + self._wait
        query = _query(request)
        fields = wechat_codec.unseal(await read_limited(request, MAX_BODY), query, self._settings)
        message = wechat_codec.decode(fields, now=self._port.now())
        answer = await self._answer(message, deadline)
        if not answer:
            return web.Response(body=SUCCESS, content_type="text/plain")
        return web.Response(body=self._reply(message, answer, query), content_type="text/xml", charset="utf-8")

    def _reply(self, message: Message, answer: str, query: Query) -> bytes:
        created = int(self._port.now().timestamp())
        reply = wechat_codec.encode_reply(message, answer, created=created)
        if not query.encrypted:
            return reply
        nonce, random = secrets.token_hex(8), secrets.token_bytes(16)
        return wechat_codec.seal(reply, self._settings, timestamp=created, nonce=nonce, random=random)

    async def _answer(self, message: Message, deadline: float) -> str:
        """Return the text of the answer, "" for a bare `success`."""
        match message.content:
            case Inbound() as inbound:
                answer = await self._submit(inbound, deadline)
                return f"{answer}\n{wording.CODE_NEEDED}" if answer and lacks_code(inbound.appeal.text) else answer
            case Lookup() as lookup:
                return await self._look_up(lookup, message.open_id, deadline)
            case Event() as event:
                log.info("wechat_event", event_name=event.name, external_id=event.external_id, status=event.status)
                return wechat_codec.event_answer(event, self._settings)
            case Unknown():
                return wording.UNSUPPORTED

    async def _submit(self, inbound: Inbound, deadline: float) -> str:
        try:
            async with asyncio.timeout_at(deadline):
                receipt = await submitted(self._port.submit, inbound)
        except KeyReused:
            log.warning("wechat_message_id_reused", external_id=inbound.external_id)
            return ""
        except RateLimited:
            return wording.TOO_FAST
        except Exception:  # whatever fails here must not cost the citizen's message: it goes to the disk
            log.warning("wechat_spooled", external_id=inbound.external_id, exc_info=True)
            await asyncio.to_thread(self._port.spool, inbound)
            return ""
        return wording.receipt_text(receipt)

    async def _look_up(self, lookup: Lookup, open_id: str, deadline: float) -> str:
        """Tell how the ticket stands; what else was said is added to it, or taken as any message, and never lost."""
        number, told = await self._standing(lookup, open_id, deadline)
        if lookup.more is None:
            return told
        more = lookup.more
        if number is not None and not starts_anew(more):  # who has the code need not be the ticket's own citizen:
            more = msgspec.structs.replace(more, continues=number, conversation="")  # their conversation stays theirs
        return f"{await self._submit(more, deadline)}\n{told}".strip()

    async def _standing(self, lookup: Lookup, open_id: str, deadline: float) -> tuple[TicketNumber | None, str]:
        """Return the ticket that number and code open, None for none, and what the citizen is told of it."""
        now = self._port.now().timestamp()
        try:
            self._guesses.check(open_id, lookup.number, now)
            async with asyncio.timeout_at(deadline):
                return await self._opened(lookup, open_id, now)
        except RateLimited:
            return None, wording.TOO_FAST
        except Exception:  # whatever fails here must not cost what else was said
            log.warning("wechat_lookup_failed", exc_info=True)
            return None, wording.LOOK_LATER

    async def _opened(self, lookup: Lookup, open_id: str, now: float) -> tuple[TicketNumber | None, str]:
        try:
            number = number_of(lookup.number)
            return number, wording.progress_text(await self._port.progress(number, lookup.code))
        except NotFound:
            first = True  # where that cannot be told it counts
            try:  # WeChat sends a message again where the answer is late or lost: it is one guess all the same
                first = await self._port.take_nonce(f"wechat:{lookup.external_id}", secrets.token_hex(8))
            finally:
                if first:
                    self._guesses.wrong(open_id, lookup.number, now)
            return None, wording.NOT_FOUND


def _query(request: web.Request) -> Query:
    given = request.query
    return Query(
        signature=given.get("signature", ""), timestamp=given.get("timestamp", ""), nonce=given.get("nonce", ""),
        msg_signature=given.get("msg_signature", ""), encrypted=given.get("encrypt_type", "raw") == "aes",
    )


def routes(
    port: ChannelPort, *, settings: WeChatSettings, guesses: Guesses | None = None, wait: float = WAIT,
) -> list[web.AbstractRouteDef]:
    """Return the routes; `wait` is how long the core may take, in seconds (WeChat waits 5)."""
    handlers = WeChat(port, settings, guesses or Guesses(), wait)
    return [web.get("/wechat", handlers.verification), web.post("/wechat", handlers.post)]
