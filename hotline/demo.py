"""Citizens for a demonstration: they send the shipped example appeals on every channel at a chosen rate.

Everything goes through the running service's front door, as real citizens' messages do.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import aiohttp
import msgspec

from agent_ui.auth import LoginAnswer
from channels.chat_codec import Ack, Failed, Hello, Say, decode_answer
from hotline.config import Settings
from hotline.errors import InvalidInput, Unavailable
from hotline.signing import signed_headers
from hotline.standins.wechat import signed_query, text_message
from hotline.trial import PASSWORD, STAFF

EXAMPLES = Path("triage/data/appeals")
_ANSWERED = range(200, 300)
_CHAT_SECONDS = 30.0
_NO_ANSWER = (aiohttp.ClientError, OSError, TimeoutError)


class Example(msgspec.Struct, frozen=True):
    """The part of a training text that a citizen sends."""

    text: str
    verdict: str = ""


class _Refused(Exception):
    """An answer that is none of success."""


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


async def check_service(session: aiohttp.ClientSession, url: str) -> None:
    """Raise Unavailable unless a hotline is ready at `url`, InvalidInput where that is no address."""
    try:
        async with session.get(f"{url.rstrip('/')}/readyz") as answer:
            if answer.status not in _ANSWERED:
                raise Unavailable(f"the service at {url} is not ready: {' '.join((await answer.text())[:200].split())}")
    except aiohttp.InvalidURL as error:
        raise InvalidInput(f"--url: {url!r} is no address such as http://127.0.0.1:8080") from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unavailable(f"nobody answers at {url}: start the service with `make run`") from error


class Citizens:
    """Senders for each channel over one HTTP session. `settings` names tokens and secrets."""

    def __init__(self, session: aiohttp.ClientSession, url: str, settings: Settings, *, seed: int) -> None:
        self._session, self._url, self._settings = session, url.rstrip("/"), settings
        self._rng = random.Random(seed)
        self.by_channel: dict[str, Tally] = {}
        self.refusals: Counter[str] = Counter()
        self.left_out: dict[str, str] = {}
        self.channels: dict[str, Callable[[str, str], Awaitable[object]]] = {
            "web": self._web, "chat": self._chat, "open311": self._open311,
        }
        if settings.tokens():
            self.channels["app"] = self._app
        if settings.wechat_token:
            self.channels["wechat"] = self._wechat
        if settings.police_secret:
            self.channels["police"] = self._police

    async def send(self, text: str) -> None:
        """Send one appeal on some channel, under a key of its own, and keep the tally."""
        name = self._rng.choice(sorted(self.channels))
        tally = self.by_channel.setdefault(name, Tally())
        tally.sent += 1
        started = time.monotonic()
        try:
            await self.channels[name](text, f"demo-{secrets.token_hex(8)}")
            tally.answered += 1
        except (_Refused, InvalidInput) as refusal:  # InvalidInput: a frame that is none of a chat
            tally.refused += 1
            self.refusals[f"{name}: {refusal}"] += 1
        except _NO_ANSWER as error:
            tally.refused += 1
            self.refusals[f"{name}: no answer ({type(error).__name__})"] += 1
        tally.seconds += time.monotonic() - started

    @asynccontextmanager
    async def with_agent(self) -> AsyncIterator[None]:
        """Log the demo's agent in while the block lasts, who writes down what callers say.

        Where that fails `left_out` says why, and nobody calls.
        """
        agent: dict[str, str] = {}
        try:
            agent["Authorization"] = f"Bearer {await self._log_in(STAFF[0].name)}"
            self.channels["call"] = partial(self._call, agent)
        except (_Refused, *_NO_ANSWER) as error:
            self.left_out["call"] = f"{STAFF[0].name} cannot log in: {str(error) or type(error).__name__}"
        try:
            yield
        finally:
            with suppress(_Refused, *_NO_ANSWER):  # a log-in that nobody uses ends by itself
                await self._log_out(agent)

    async def _log_in(self, name: str) -> str:
        answer = await self._post("/api/v1/login", json={"name": name, "password": PASSWORD})
        granted = msgspec.json.decode(answer, type=LoginAnswer)
        if granted.duties:
            raise _Refused(", ".join(granted.duties))
        return granted.token

    async def _log_out(self, agent: dict[str, str]) -> None:
        if agent:
            await self._post("/api/v1/logout", headers=agent)

    async def _post(self, path: str, **request: object) -> str:
        async with self._session.post(f"{self._url}{path}", **request) as answer:  # type: ignore[arg-type]
            text = await answer.text()
            if answer.status not in _ANSWERED:
                raise _Refused(f"{answer.status} {' '.join(text[:200].split())}")
            return text

    async def _call(self, agent: dict[str, str], text: str, key: str) -> None:
        # A withheld number: whatever number stood here could be somebody's, who would be sent the notices.
        await self._post("/api/v1/calls/appeals", json={"call": key, "id": "1", "text": text}, headers=agent)

    async def _chat(self, text: str, key: str) -> None:
        """Say it in a chat of its own, and wait until it is acknowledged."""
        async with asyncio.timeout(_CHAT_SECONDS), self._session.ws_connect(f"{self._url}/chat") as socket:
            for frame in (Hello(), Say(id=key, text=text)):
                await socket.send_str(msgspec.json.encode(frame).decode())
            async for message in socket:
                answer = decode_answer(message.data)
                if isinstance(answer, Ack):
                    return
                if isinstance(answer, Failed):
                    raise _Refused(f"{answer.error_id} {answer.detail}")
        raise _Refused("the chat ended before the message was acknowledged")

    async def _web(self, text: str, key: str) -> None:
        await self._post("/api/v1/appeals", data={"text": text}, headers={"Idempotency-Key": key})

    async def _app(self, text: str, key: str) -> None:
        token = next(iter(self._settings.tokens().values()))
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        await self._post("/api/v1/appeals", json={"text": text}, headers=headers)

    async def _open311(self, text: str, key: str) -> None:
        # What the texts are about is for triage to find: their senders chose "other".
        form = {"service_code": "2099", "description": text, "lat": "23.02", "long": "113.75"}
        await self._post("/open311/v2/requests.json", data=form, headers={"Idempotency-Key": key})

    async def _wechat(self, text: str, key: str) -> None:
        now = int(time.time())
        body = text_message(text, open_id=key, message_id=int(key[5:], 16), created=now)
        query = signed_query(self._settings.wechat_token, timestamp=now, nonce=key)
        await self._post("/wechat", params=query, data=body)

    async def _police(self, text: str, key: str) -> None:
        body = msgspec.json.encode({"incident": key, "text": text, "matter": "非警务警情"})
        headers = {
            "Content-Type": "application/json", "Idempotency-Key": key,
            **signed_headers(self._settings.police_secret, body, now=datetime.now(UTC)),
        }
        await self._post("/api/v1/police/transfers", data=body, headers=headers)


async def run(
    citizens: Citizens, texts: Sequence[str], *, rate: float, seconds: float, seed: int, sent: Callable[[], object]
) -> None:
    """Send `rate` appeals a second for `seconds`; `sent` is called after each. At most 200 wait for their answers."""
    room, rng, started = asyncio.Semaphore(200), random.Random(seed), time.monotonic()

    async def one(text: str) -> None:
        try:
            await citizens.send(text)
        finally:
            room.release()
            sent()

    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            await room.acquire()
            group.create_task(one(rng.choice(texts)))
