"""Citizens for a demonstration: they send the shipped example appeals on every channel at a chosen rate.

Everything goes through the running service's front door, as real citizens' messages do.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import aiohttp
import msgspec

from hotline.config import Settings
from hotline.errors import InvalidInput, Unavailable
from hotline.signing import signed_headers

EXAMPLES = Path("triage/data/appeals")
_ANSWERED = range(200, 300)


class Example(msgspec.Struct, frozen=True):
    """The part of a training text that a citizen sends."""

    text: str
    verdict: str = ""


class Tally(msgspec.Struct):
    """What became of one channel's messages; `seconds` is the sum of waiting times."""

    sent: int = 0
    answered: int = 0
    refused: int = 0
    seconds: float = 0.0


def examples(folder: Path = EXAMPLES, *, only: str = "") -> list[str]:
    """Return the shipped texts, `only` those with a verdict. Raises InvalidInput where there are none."""
    files = sorted(folder.glob("*.jsonl"))
    lines = [line for file in files for line in file.read_bytes().splitlines() if line]
    found = [msgspec.json.decode(line, type=Example) for line in lines]
    texts = [example.text for example in found if only in ("", example.verdict)]
    if not texts:
        raise InvalidInput(f"no example texts in {folder}: start from the project's folder")
    return texts


class Citizens:
    """Senders for each channel over one HTTP session. `settings` names tokens and secrets."""

    def __init__(self, session: aiohttp.ClientSession, url: str, settings: Settings, *, seed: int) -> None:
        self._session, self._url, self._settings = session, url.rstrip("/"), settings
        self._rng = random.Random(seed)
        self.by_channel: dict[str, Tally] = {}
        self.channels: dict[str, Callable[[str, str], Awaitable[int]]] = {"web": self._web, "open311": self._open311}
        if settings.tokens():
            self.channels["app"] = self._app
        if settings.wechat_token:
            self.channels["wechat"] = self._wechat
        if settings.police_secret:
            self.channels["police"] = self._police

    async def send(self, text: str) -> None:
        """Send one appeal on some channel and keep the tally. Raises Unavailable when nobody listens."""
        name = self._rng.choice(sorted(self.channels))
        tally = self.by_channel.setdefault(name, Tally())
        tally.sent += 1
        started = time.monotonic()
        try:
            status = await self.channels[name](text, f"demo-{self._rng.getrandbits(64):016x}")
        except aiohttp.ClientConnectorError as error:
            raise Unavailable(f"nobody listens at {self._url}: start the service with `make run`") from error
        tally.seconds += time.monotonic() - started
        if status in _ANSWERED:
            tally.answered += 1
        else:
            tally.refused += 1

    async def _post(self, path: str, **request: object) -> int:
        async with self._session.post(f"{self._url}{path}", **request) as answer:  # type: ignore[arg-type]
            await answer.read()
            return answer.status

    async def _web(self, text: str, key: str) -> int:
        return await self._post("/api/v1/appeals", data={"text": text}, headers={"Idempotency-Key": key})

    async def _app(self, text: str, key: str) -> int:
        token = next(iter(self._settings.tokens().values()))
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return await self._post("/api/v1/appeals", json={"text": text}, headers=headers)

    async def _open311(self, text: str, key: str) -> int:
        form = {"service_code": "0307", "description": text, "lat": "23.02", "long": "113.75"}
        return await self._post("/open311/v2/requests.json", data=form, headers={"Idempotency-Key": key})

    async def _wechat(self, text: str, key: str) -> int:
        now = str(int(time.time()))
        parts = "".join(sorted([self._settings.wechat_token, now, key]))
        signature = hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()
        body = (
            f"<xml><ToUserName>gh_demo</ToUserName><FromUserName>{key}</FromUserName><CreateTime>{now}</CreateTime>"
            f"<MsgType>text</MsgType><Content>{escape(text)}</Content><MsgId>{int(key[5:], 16)}</MsgId></xml>"
        )
        query = {"signature": signature, "timestamp": now, "nonce": key}
        return await self._post("/wechat", params=query, data=body.encode())

    async def _police(self, text: str, key: str) -> int:
        body = msgspec.json.encode({"incident": key, "text": text, "matter": "非警务警情"})
        headers = {
            "Content-Type": "application/json", "Idempotency-Key": key,
            **signed_headers(self._settings.police_secret, body, now=datetime.now(UTC)),
        }
        return await self._post("/api/v1/police/transfers", data=body, headers=headers)


async def run(
    citizens: Citizens, texts: Sequence[str], *, rate: float, seconds: float, sent: Callable[[], object]
) -> None:
    """Send `rate` appeals a second for `seconds`; `sent` is called after each. At most 200 wait for their answers."""
    waiting: set[asyncio.Task[None]] = set()
    started, rng = time.monotonic(), random.Random(0)
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
        if len(waiting) >= 200:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(citizens.send(rng.choice(texts)))
        waiting.add(task)
        task.add_done_callback(lambda done: sent())
        for finished in [one for one in waiting if one.done()]:
            waiting.discard(finished)
            finished.result()
    await asyncio.gather(*waiting)
