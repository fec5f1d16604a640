"""Adapter for appeals from apps and the web page: JSON, forms, and files sent beforehand.

`POST /api/v1/appeals` with `Authorization: Bearer …` is an app; without it, the web: rate-limited by address.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from aiohttp import BodyPartReader, web

from channels import appeal_codec, attachments, form_codec
from channels.clean import check_key
from channels.kit import (
    JSON,
    MAX_WITH_FILES,
    client_network,
    client_of,
    idempotency_key,
    json_response,
    read_limited,
    read_part,
    require_json,
    stored,
)
from channels.limits import RateLimit
from channels.message import Receipt
from channels.port import ChannelPort
from channels.repeats import Repeats
from hotline.appeal import Attachment
from hotline.errors import InvalidInput
from hotline.terms import Channel

_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_FIELD_BYTES = 64 * 1024
_FORM_BYTES = 256 * 1024
_MAX_PARTS = 40


class Appeals:
    """Handlers over a port. `tokens` maps the names of apps to their secrets."""

    def __init__(self, port: ChannelPort, tokens: Mapping[str, str], limit: RateLimit, proxies: int) -> None:
        self._port, self._tokens, self._limit, self._proxies = port, tokens, limit, proxies
        self._repeats = Repeats(limit)

    async def post(self, request: web.Request) -> web.Response:
        """Take an appeal: 201, or 200 with the same body for a repeated key."""
        client = client_of(request, self._tokens)
        if client or "Idempotency-Key" not in request.headers:
            self._count(request, client)
            return await self._take(request, client)
        delivery = appeal_codec.external_id(client, idempotency_key(request))
        known = partial(self._port.find, Channel.WEB, delivery)
        address = client_network(request, proxies=self._proxies)
        with await self._repeats.admit(address, delivery, known, self._port.now().timestamp()):
            return await self._take(request, client)

    def _count(self, request: web.Request, client: str) -> None:
        if not client:
            self._limit.take(client_network(request, proxies=self._proxies), self._port.now().timestamp())

    async def _take(self, request: web.Request, client: str) -> web.Response:
        if request.content_type == _MULTIPART:
            pairs, files = await self._multipart(request)
            return await self._form(request, client, pairs, files)
        if request.content_type == _URLENCODED:
            data = await read_limited(request, _FORM_BYTES)
            if not data.lstrip().startswith(b"{"):
                return await self._form(request, client, form_codec.decode_urlencoded(data), [])
        else:
            require_json(request)
            data = await read_limited(request, MAX_WITH_FILES)
        return await self._json(request, client, data)

    async def _json(self, request: web.Request, client: str, data: bytes) -> web.Response:
        """Take JSON, also under curl's default type (`curl -d '{…}'`): no form of ours begins with a brace."""
        key = idempotency_key(request)
        body = appeal_codec.decode_appeal(data)
        files = await stored(self._port, body.attachments) if body.attachments else ()
        appeal = appeal_codec.appeal_of(body, files)
        receipt = await self._port.submit(
            appeal_codec.inbound_of(appeal, client=client, key=key, now=self._port.now())
        )
        return _answer(receipt)

    async def _form(
        self, request: web.Request, client: str, pairs: list[tuple[str, str]], files: list[Attachment]
    ) -> web.Response:
        body, form_key = form_codec.decode_fields(pairs)
        key = check_key(form_key) if form_key else idempotency_key(request)
        appeal = appeal_codec.appeal_of(body, files)
        receipt = await self._port.submit(
            appeal_codec.inbound_of(appeal, client=client, key=key, now=self._port.now())
        )
        if "text/html" in request.headers.get("Accept", ""):
            page = form_codec.encode_page(receipt)
            return web.Response(status=200 if receipt.repeat else 201, body=page, content_type="text/html")
        return _answer(receipt)

    async def _multipart(self, request: web.Request) -> tuple[list[tuple[str, str]], list[Attachment]]:
        pairs: list[tuple[str, str]] = []
        files: list[Attachment] = []
        try:
            async for part in await request.multipart():
                if len(pairs) + len(files) >= _MAX_PARTS:
                    raise InvalidInput(f"the form has more than {_MAX_PARTS} parts", error_id="too_large")
                if not isinstance(part, BodyPartReader):
                    raise InvalidInput("a multipart form holds no multipart within")
                if part.filename is None:
                    pairs.append((part.name or "", (await read_part(request, part, _FIELD_BYTES)).decode()))
                elif data := await read_part(request, part, attachments.MAX_BYTES):
                    attachments.check_together([file.size for file in files] + [len(data)])
                    files.append(await self._port.store_attachment(data, part.filename))
        except (ValueError, AssertionError, LookupError, RuntimeError) as error:
            raise InvalidInput(f"the form cannot be read: {error}") from error
        return pairs, files

    async def upload(self, request: web.Request) -> web.Response:
        """Keep one file (the raw body; name in `?name=`) and answer its key for a later appeal."""
        self._count(request, client_of(request, self._tokens))
        data = await read_limited(request, attachments.MAX_BYTES)
        kept = await self._port.store_attachment(data, request.query.get("name", ""))
        return json_response(kept, status=201)


def _answer(receipt: Receipt) -> web.Response:
    return web.Response(
        status=200 if receipt.repeat else 201, body=appeal_codec.encode_answer(receipt), content_type=JSON
    )


def routes(
    port: ChannelPort, *, tokens: Mapping[str, str], limit: RateLimit | None = None, proxies: int = 0
) -> list[web.AbstractRouteDef]:
    """Return the routes.

    Args:
        tokens: secrets of apps by name (`HOTLINE_APP_TOKENS`).
        limit: of appeals without a token, per address; 20 a minute where not given.
        proxies: how many trusted proxies stand in front and append to `X-Forwarded-For`.
    """
    handlers = Appeals(port, tokens, limit or RateLimit(20, 60), proxies)
    return [
        web.post("/api/v1/appeals", handlers.post),
        web.post("/api/v1/attachments", handlers.upload),
    ]
