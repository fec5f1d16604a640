"""Adapter for the city's portal (一体化政务服务, 粤省事): submit, list mine, supplement, query for a citizen. Signed.

A citizen's are the tickets that came through the portal under their id, and those of their verified phone from any
other channel, except confidential ones and 举报: a phone can change hands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from aiohttp import web

from channels.appeal_codec import AppealAnswer, answer_of
from channels.kit import json_response, stored
from channels.openapi_document import Operation
from channels.port import ChannelPort
from channels.portal_codec import (
    Mine,
    MyTickets,
    OfTicket,
    PortalAppeal,
    PortalMessage,
    PortalRating,
    PortalWithdrawal,
    decode,
    inbound_of,
    phone_of,
    ticket_number_of,
)
from channels.signed import signed_body
from channels.views import Progress
from hotline.ids import TicketNumber
from hotline.ports import Clock

MAX_BODY = 16 * 1024 * 1024
_BASE = "/api/v1/portal"
T = TypeVar("T")


class PortalRows(Protocol):
    """Whose tickets are whose (`hotline.store.portal.PortalStore`)."""

    async def remember(self, citizen: str, number: str) -> None:
        """Note that a citizen has sent a ticket through the portal."""
        ...

    async def mine(self, citizen: str, phone: str, *, cursor: str, limit: int) -> MyTickets:
        """Return a citizen's tickets. Raises InvalidInput for a made-up cursor."""
        ...

    async def code_of(self, citizen: str, phone: str, number: str) -> str:
        """Return the query code of a citizen's ticket. Raises NotFound for a ticket that is not theirs."""
        ...


class Portal:
    """Handlers over the port and the rows."""

    def __init__(self, port: ChannelPort, rows: PortalRows, secret: str, clock: Clock) -> None:
        self._port, self._rows, self._secret, self._clock = port, rows, secret, clock

    async def _asked(self, request: web.Request, kind: type[T]) -> T:
        return decode(await signed_body(request, self._secret, self._clock, limit=MAX_BODY), kind)

    async def appeal(self, request: web.Request) -> web.Response:
        """Take an appeal: 201, or 200 with the same body for a repeated key."""
        given = await self._asked(request, PortalAppeal)
        files = await stored(self._port, given.appeal.attachments) if given.appeal.attachments else ()
        receipt = await self._port.submit(inbound_of(given, files, now=self._port.now()))
        await self._rows.remember(given.citizen.id, receipt.number)
        return json_response(answer_of(receipt), status=200 if receipt.repeat else 201)

    async def mine(self, request: web.Request) -> web.Response:
        """The citizen's tickets."""
        asked = await self._asked(request, Mine)
        found = await self._rows.mine(
            asked.citizen.id, phone_of(asked.citizen), cursor=asked.cursor, limit=asked.limit
        )
        return json_response(found)

    async def progress(self, request: web.Request) -> web.Response:
        """How a ticket stands."""
        return await self._standing(await self._opened(await self._asked(request, OfTicket)))

    async def message(self, request: web.Request) -> web.Response:
        """Add to a ticket: 201, or 200 with the same body for a repeated key."""
        given = await self._asked(request, PortalMessage)
        number, code = await self._opened(given)
        key = f"portal:{given.citizen.id}:{given.key}"
        receipt = await self._port.supplement(number, code, given.text, (), key)
        return json_response(answer_of(receipt), status=200 if receipt.repeat else 201)

    async def rating(self, request: web.Request) -> web.Response:
        """好差评."""
        given = await self._asked(request, PortalRating)
        number, code = await self._opened(given)
        await self._port.rate(number, code, given.rating, given.solved, given.note)
        return await self._standing((number, code))

    async def withdrawal(self, request: web.Request) -> web.Response:
        """撤单."""
        given = await self._asked(request, PortalWithdrawal)
        number, code = await self._opened(given)
        await self._port.withdraw(number, code, given.reason)
        return await self._standing((number, code))

    async def _opened(self, asked: OfTicket) -> tuple[TicketNumber, str]:
        number = ticket_number_of(asked)
        return number, await self._rows.code_of(asked.citizen.id, phone_of(asked.citizen), number)

    async def _standing(self, opened: tuple[TicketNumber, str]) -> web.Response:
        return json_response(await self._port.progress(*opened))


def routes(port: ChannelPort, rows: PortalRows, *, secret: str, clock: Clock) -> list[web.AbstractRouteDef]:
    """Return the routes; with the secret "" every request is refused."""
    portal = Portal(port, rows, secret, clock)
    return [
        web.post(f"{_BASE}/appeals", portal.appeal), web.post(f"{_BASE}/tickets", portal.mine),
        web.post(f"{_BASE}/progress", portal.progress), web.post(f"{_BASE}/messages", portal.message),
        web.post(f"{_BASE}/ratings", portal.rating), web.post(f"{_BASE}/withdrawals", portal.withdrawal),
    ]


_JSON = "application/json"
_TAKEN = {201: (_JSON, AppealAnswer), 200: (_JSON, AppealAnswer)}


def _told(path: str, summary: str, body: type, answers: Mapping[int, tuple[str, type]], *errors: str) -> Operation:
    return Operation(
        method="post", path=f"{_BASE}/{path}", tag="政务平台", summary=f"{summary}, signed", body={_JSON: body},
        parameters=("timestamp", "hmac"), answers=answers, errors=("unauthenticated", *errors),
    )


_STANDING: dict[int, tuple[str, type]] = {200: (_JSON, Progress)}
OPERATIONS: tuple[Operation, ...] = (
    _told("appeals", "The portal submits an appeal", PortalAppeal, _TAKEN, "not_found", "idempotency_key_reused",
          "overloaded"),
    _told("tickets", "The citizen's tickets", Mine, {200: (_JSON, MyTickets)}),
    _told("progress", "How a ticket stands", OfTicket, _STANDING, "not_found"),
    _told(
        "messages", "Add to a ticket", PortalMessage, _TAKEN, "not_found", "illegal_transition", "overloaded",
        "idempotency_key_reused",
    ),
    _told("ratings", "好差评", PortalRating, _STANDING, "not_found", "illegal_transition"),
    _told("withdrawals", "撤单", PortalWithdrawal, _STANDING, "not_found", "illegal_transition"),
)
