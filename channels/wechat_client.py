"""Calls to WeChat's API: customer-service and subscription messages, files. One access token for all processes.

WeChat has no idempotency key here: a call whose answer is lost is tried again, so in that rare case a citizen may read
a message twice; within a process a key that was delivered is never sent again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec
import structlog

from channels import wechat_api
from channels.bounded import read_up_to
from channels.message import Outbound
from channels.wechat_api import TOKEN_NAME, FreshToken, TokenStore, WeChatApi
from hotline.errors import RuleViolation, Unavailable

log = structlog.get_logger(__name__)
MAX_MEDIA = 20 * 1024 * 1024
_LONGEST = 64 * 1024
_TRIES, _REMEMBERED = 4, 10_000
_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)
_FILE = aiohttp.ClientTimeout(total=600, connect=5, sock_read=10)
"""Of a file: many share a slow link, so it may take long, as long as it comes."""


class _Got(msgspec.Struct, frozen=True):
    """An answer: JSON, or a file's bytes."""

    answer: dict[str, Any] = {}
    data: bytes = b""


class WeChatClient:
    """Sends for the channel `wechat` (`hotline.ports.Sender`). `pause` is the first back-off in seconds."""

    def __init__(
        self, session: aiohttp.ClientSession, api: WeChatApi, tokens: TokenStore, *, pause: float = 0.3
    ) -> None:
        self._session, self._api, self._tokens, self._pause = session, api, tokens, pause
        self._sent: OrderedDict[str, None] = OrderedDict()

    async def send(self, message: Outbound) -> None:
        """Send as a customer-service message; where the citizen must write first as a subscription notice.

        Raises:
            Unavailable: WeChat does not answer or stays busy; try again.
            RateLimited: the account's calls are used up; try again after `retry_after` seconds.
            OutsideWindow: not this way. RuleViolation: refused for good.
        """
        if message.key in self._sent:
            return
        answer = await self._call("message/custom/send", wechat_api.customer_message(message))
        if wechat_api.code_of(answer) in wechat_api.UNTIL_THEY_WRITE and self._api.template_id:
            log.info("wechat_fallback_to_subscription", key=message.key)
            answer = await self._call("message/subscribe/bizsend", wechat_api.notice(message, self._api))
        wechat_api.raise_for(answer)
        self._sent[message.key] = None
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)

    async def media(self, media_id: str) -> bytes:
        """Return a file that a citizen sent, of at most 20 MiB.

        Of a video WeChat answers only where it lies, each time anew; that address never gets our token.

        Raises:
            Unavailable, RateLimited: try again. Refused: people may mend it. RuleViolation: not to be had.
        """
        async def get(token: str) -> _Got:
            query = {"access_token": token, "media_id": media_id}
            async with self._session.get(self._url("media/get"), params=query, timeout=_FILE) as got:
                return await (_answer(got) if got.content_type in ("application/json", "text/plain") else _file(got))
        found = await self._attempts(get)
        wechat_api.raise_for(found.answer)
        if address := wechat_api.video_address(found.answer):
            found = await _reached(self._video(address))
        if not found.data:
            raise Unavailable("WeChat answered without the file")
        return found.data

    async def _video(self, address: str) -> _Got:
        async with self._session.get(address, timeout=_FILE) as got:
            return await _file(got)

    async def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        data = msgspec.json.encode(body)
        return (await self._attempts(lambda token: self._ask("POST", path, {"access_token": token}, data))).answer

    async def _ask(self, method: str, path: str, query: dict[str, str], data: bytes | None = None) -> _Got:
        async with self._session.request(method, self._url(path), params=query, data=data, timeout=_TIMEOUT) as got:
            return await _answer(got)

    async def _attempts(self, call: Callable[[str], Awaitable[_Got]]) -> _Got:
        """Call with a valid token: refreshed once when stale, tried again when busy."""
        token = await self._tokens.get(TOKEN_NAME) or await self._refreshed(None)
        refreshed, pause, got = False, self._pause, _Got()
        for _ in range(_TRIES):
            got = await _reached(call(token))
            code = wechat_api.code_of(got.answer)
            if code in wechat_api.STALE_TOKEN and not refreshed:
                token, refreshed = await self._refreshed(token), True
            elif code == wechat_api.BUSY:
                await asyncio.sleep(pause)
                pause *= 2
            else:
                return got
        return got

    async def _refreshed(self, stale: str | None) -> str:
        return await self._tokens.refresh(TOKEN_NAME, self.fetch_token, stale=stale)

    async def fetch_token(self) -> FreshToken:
        """Ask WeChat for a new access token; raises Unavailable."""
        query = {"grant_type": "client_credential", "appid": self._api.app_id, "secret": self._api.secret}
        return wechat_api.read_token((await _reached(self._ask("GET", "token", query))).answer)

    def _url(self, path: str) -> str:
        return f"{self._api.base}/cgi-bin/{path}"


async def _answer(got: aiohttp.ClientResponse) -> _Got:
    """Return the JSON; what is longer than any answer of WeChat's is none."""
    return _Got(wechat_api.read_answer(await read_up_to(got.content, _LONGEST)))


async def _file(got: aiohttp.ClientResponse) -> _Got:
    """Return the file; the page of a gateway that fails is none."""
    if got.status != HTTPStatus.OK:
        raise Unavailable(f"WeChat answered HTTP {got.status} instead of the file")
    data = await read_up_to(got.content, MAX_MEDIA + 1)
    if len(data) > MAX_MEDIA:
        raise RuleViolation("the file at WeChat is too large")
    return _Got(data=data)


async def _reached(call: Awaitable[_Got]) -> _Got:
    try:
        return await call
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unavailable(f"WeChat does not answer: {type(error).__name__}") from error
