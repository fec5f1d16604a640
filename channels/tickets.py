"""Adapter for what citizens do with their tickets: look up, add, urge, rate, withdraw. Number and code open a ticket.

A code has six digits, so guessing is limited: wrong answers are counted by address and number.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from channels import appeal_codec, ticket_codec
from channels.kit import (
    MAX_WITH_FILES,
    client_network,
    client_of,
    idempotency_key,
    json_response,
    read_limited,
    require_json,
    stored,
)
from channels.limits import Guesses
from channels.port import ChannelPort
from hotline.errors import NotFound
from hotline.ids import TicketNumber

_SMALL = 64 * 1024


class Tickets:
    """Handlers over a port."""

    def __init__(self, port: ChannelPort, tokens: Mapping[str, str], guesses: Guesses, proxies: int) -> None:
        self._port, self._tokens, self._guesses, self._proxies = port, tokens, guesses, proxies

    async def _opened(self, request: web.Request, given: str) -> tuple[TicketNumber, str]:
        """Return number and code after checking them; a wrong pair counts against address and number."""
        number = self._number(request)
        code = ticket_codec.code_of(given, request.query.get("code", ""))
        try:
            await self._port.progress(number, code)
        except NotFound:
            self._guesses.wrong(self._network(request), number, self._port.now().timestamp())
            raise
        return number, code

    def _number(self, request: web.Request) -> TicketNumber:
        """Return the number, if whoever asks may try it."""
        client_of(request, self._tokens)
        number = ticket_codec.number_of(request.match_info["number"])
        self._guesses.check(self._network(request), number, self._port.now().timestamp())
        return number

    def _network(self, request: web.Request) -> str:
        return client_network(request, proxies=self._proxies)

    async def progress(self, request: web.Request) -> web.Response:
        """How the ticket stands."""
        number, code = await self._opened(request, "")
        return await self._standing(number, code)

    async def _standing(self, number: TicketNumber, code: str) -> web.Response:
        response = json_response(await self._port.progress(number, code))
        response.headers["Cache-Control"] = "no-store"
        return response

    async def message(self, request: web.Request) -> web.Response:
        """Add to the ticket: 201, or 200 with the same body for a repeated key."""
        require_json(request)
        self._number(request)  # whatever can be checked is, before a body is read that may be large, and anybody's
        asked = await self._opened(request, "") if request.query.get("code") else None
        body = ticket_codec.decode_message(await read_limited(request, MAX_WITH_FILES))
        number, code = asked if asked and not body.code else await self._opened(request, body.code)
        files = await stored(self._port, body.attachments or ())
        key = f"api:{client_of(request, self._tokens)}:{idempotency_key(request)}"
        receipt = await self._port.supplement(number, code, body.text, files, key)
        return json_response(appeal_codec.answer_of(receipt), status=200 if receipt.repeat else 201)

    async def rating(self, request: web.Request) -> web.Response:
        """Rate how it was handled."""
        require_json(request)
        body = ticket_codec.decode_rating(await read_limited(request, _SMALL))
        number, code = await self._opened(request, body.code)
        await self._port.rate(number, code, body.rating, body.solved, body.note or "")
        return await self._standing(number, code)

    async def urge(self, request: web.Request) -> web.Response:
        """催办."""
        require_json(request)
        body = ticket_codec.decode_urge(await read_limited(request, _SMALL))
        number, code = await self._opened(request, body.code)
        await self._port.urge(number, code, body.note or "")
        return await self._standing(number, code)

    async def withdrawal(self, request: web.Request) -> web.Response:
        """Withdraw the appeal."""
        require_json(request)
        body = ticket_codec.decode_withdrawal(await read_limited(request, _SMALL))
        number, code = await self._opened(request, body.code)
        await self._port.withdraw(number, code, body.reason or "")
        return await self._standing(number, code)


def routes(
    port: ChannelPort, *, tokens: Mapping[str, str], guesses: Guesses | None = None, proxies: int = 0
) -> list[web.AbstractRouteDef]:
    """Return the routes; `tokens` and `proxies` as for `channels.appeals.routes`, `guesses` shared with WeChat."""
    handlers = Tickets(port, tokens, guesses or Guesses(), proxies)
    return [
        web.get("/api/v1/tickets/{number}", handlers.progress),
        web.post("/api/v1/tickets/{number}/messages", handlers.message),
        web.post("/api/v1/tickets/{number}/rating", handlers.rating),
        web.post("/api/v1/tickets/{number}/urges", handlers.urge),
        web.post("/api/v1/tickets/{number}/withdrawal", handlers.withdrawal),
    ]
