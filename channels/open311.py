"""Adapter for Open311 GeoReport v2 at `/open311/v2/`, so that civic apps made for it can report here.

Open311 knows no idempotency keys. `Idempotency-Key` is honoured; without it the same content from the same sender
(api_key, device and address) is one delivery for `SAME_CONTENT`: retries and double taps make one ticket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

import structlog
from aiohttp import web

from channels import open311_codec, open311_kit, open311_wire
from channels.clean import check_key
from channels.kit import client_address, client_network
from channels.limits import RateLimit
from channels.message import Inbound, Receipt
from channels.open311_codec import Jurisdiction, Prove
from channels.open311_kit import FORM, Keys, handler, limited, nowhere, requests_response, rows_response, sent, typed
from channels.port import ChannelPort, RequestFilter
from channels.repeats import Repeats
from channels.ticket_codec import number_of
from hotline.appeal import Appeal
from hotline.errors import Forbidden, NotFound
from hotline.terms import Channel

log = structlog.get_logger(__name__)
SAME_CONTENT = timedelta(minutes=10)
WAIT, MAX_BODY = 10.0, 256 * 1024


class Open311:
    """Handlers over a port."""

    def __init__(
        self, port: ChannelPort, city: Jurisdiction, keys: Keys, limit: RateLimit, proxies: int, prove: Prove,
    ) -> None:
        self._port, self._city, self._keys, self._proxies, self._prove = port, city, keys, proxies, prove
        self._repeats = Repeats(limit)

    async def services(self, _: web.Request, form: str) -> web.Response:
        """All services."""
        rows = [open311_codec.service_row(service, self._city) for service in self._city.services.values()]
        return rows_response(rows, form, many="services", one="service")

    async def service(self, request: web.Request, form: str) -> web.Response:
        """One service's attributes."""
        found = open311_codec.definition(self._city.service(request.match_info["code"]), self._city)
        return typed(open311_wire.encode_definition(found, form=form), form)

    async def create(self, request: web.Request, form: str) -> web.Response:
        """Take a request: its number, or a token where asked for (`token=true`) or the core is slow."""
        given = await sent(request, MAX_BODY)
        self._city.check(given.get("jurisdiction_id", ""))
        name, sender = self._sender(request, given)
        appeal, matter = open311_codec.decode_request(given, self._city)
        ask = partial(self._token, request, appeal, sender)
        address = "" if name else client_network(request, proxies=self._proxies)
        content, now = open311_codec.content_key(appeal, sender), self._port.now().timestamp()
        with await self._repeats.admit(address, content, partial(self._receipt, ask), now):
            token = await ask()
            inbound = open311_codec.inbound_of(appeal, matter, token=token, source=name, now=self._port.now())
            row = await self._submitted(inbound, token, asked=given.get("token") in ("true", "1"))
        return requests_response([row], form, status=201)

    def _sender(self, request: web.Request, given: Mapping[str, str]) -> tuple[str, str]:
        """Return the app's name ("" without a key) and what tells senders apart; raises Forbidden."""
        device = given.get("device_id") or given.get("account_id") or ""
        if not given.get("api_key"):
            return "", f"\0{client_address(request, proxies=self._proxies)}\0{device}"
        name = self._keys.named(given["api_key"])
        if not name:
            raise Forbidden("api_key is not known")
        return name, f"{name}\0{device}"

    async def _receipt(self, token: Callable[[], Awaitable[str]]) -> Receipt | None:
        return await self._port.find(Channel.APP, open311_codec.external_id(await token()))

    async def _token(self, request: web.Request, appeal: Appeal, sender: str) -> str:
        if (key := request.headers.get("Idempotency-Key")) is not None:
            return open311_codec.token_of(sender, check_key(key))
        content = open311_codec.content_key(appeal, sender)
        first = await self._port.first_seen(f"open311:{content}", within=SAME_CONTENT)
        return open311_codec.token_of(sender, f"{content}:{first.timestamp():.6f}")

    async def _submitted(self, inbound: Inbound, token: str, *, asked: bool) -> open311_wire.Row:
        receipt: Receipt | None = None
        try:
            async with asyncio.timeout(WAIT):
                receipt = await self._port.submit(inbound)
        except TimeoutError:
            log.warning("open311_spooled", external_id=inbound.external_id)
            await asyncio.to_thread(self._port.spool, inbound)
        return open311_codec.taken_row(receipt, "" if receipt and not asked else token + self._prove(token))

    async def token(self, request: web.Request, form: str) -> web.Response:
        """The number behind a token."""
        told = request.match_info["token"]
        token, proven = open311_codec.read_token(told, self._prove)
        receipt = await self._port.find(Channel.APP, open311_codec.external_id(token))
        if receipt is None:
            raise NotFound("the token is not known, or its request is not yet taken; ask again later")
        return requests_response([open311_codec.found_row(told, receipt, proven=proven)], form)

    async def requests(self, request: web.Request, form: str) -> web.Response:
        """Public requests, the newest first."""
        wanted = open311_codec.decode_filter(open311_kit.asked(request), self._city, self._port.now())
        return await self._list(wanted, form)

    async def request(self, request: web.Request, form: str) -> web.Response:
        """One public request."""
        number = number_of(request.match_info["number"])
        return await self._list(RequestFilter(numbers=(number,)), form, needed=True)

    async def _list(self, wanted: RequestFilter, form: str, *, needed: bool = False) -> web.Response:
        found = await self._port.requests(wanted)
        if needed and not found:
            raise NotFound("there is no public request with this number")
        return requests_response([open311_codec.request_row(ticket, self._city) for ticket in found], form)


def routes(
    port: ChannelPort, *, city: Jurisdiction, keys: Mapping[str, str], limit: RateLimit | None = None, proxies: int = 0,
    prove: Prove = lambda token: "", looks: RateLimit | None = None, calls: RateLimit | None = None,
) -> list[web.AbstractRouteDef]:
    """Return the routes.

    Args:
        keys: api_keys by the name of the app; requests without one are the public's, limited by address.
        limit: of those, 20 a minute where not given; looks: of what they read, 60 a minute.
        calls: of whatever an app asks by its api_key, shared with its bearer token.
        prove: a keyed hash, the same in every process; without it /tokens tells no query code.
    """
    apps = Keys(keys, calls, port.now)
    made = Open311(port, city, apps, limit or RateLimit(20, 60), proxies, prove)
    read = partial(limited, looks=looks or RateLimit(60, 60), keys=apps, proxies=proxies, now=port.now)
    base, page = "/open311/v2", f".{FORM}"
    return [
        web.get(f"{base}/services{page}", handler(city, made.services)),
        web.get(f"{base}/services/{{code}}{page}", handler(city, made.service)),
        web.post(f"{base}/requests{page}", handler(city, made.create)),
        web.get(f"{base}/tokens/{{token}}{page}", handler(city, made.token)),
        web.get(f"{base}/requests{page}", handler(city, read(made.requests))),
        web.get(f"{base}/requests/{{number}}{page}", handler(city, read(made.request))),
        web.route("*", base + "/{tail:(?s:.*)}", handler(city, nowhere)),
    ]
