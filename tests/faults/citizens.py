"""Citizens on every way in: forms, Open311, 110, pictures, besides the app, WeChat, the chat and the telephone."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import aiohttp
import msgspec

from channels.open311_codec import token_of
from hotline.signing import signed_headers
from tests.fuzz.test_raw import PNG
from tests.load import ORDINARY
from tests.processes import POLICE_SECRET, TOKEN
from tests.talkers import Talkers


class MoreCitizens(Talkers):
    """The same on the other channels too, and with pictures."""

    refused = 0

    async def web(self, session: aiohttp.ClientSession, who: int) -> None:
        """A citizen with the web form."""
        await self._go_on(session, who, "web", self._form)

    async def open311(self, session: aiohttp.ClientSession, who: int) -> None:
        """A civic app that speaks Open311."""
        await self._go_on(session, who, "o", self._civic)

    async def police(self, session: aiohttp.ClientSession, who: int) -> None:
        """110 hands over what is no matter for the police."""
        await self._go_on(session, who, "p", self._transfer)

    async def pictures(self, session: aiohttp.ClientSession, who: int) -> None:
        """An app that sends a picture first: an upload that was answered can be used."""
        await self._go_on(session, who, "pic", self._picture)

    async def _go_on(
        self, session: aiohttp.ClientSession, who: int, mark: str, send: Callable[..., Awaitable[str | None]]
    ) -> None:
        rng = random.Random(f"{self._seed}-{mark}{who}")
        while not self.stop.is_set():
            n = next(self._numbers)
            text, key = rng.choice(ORDINARY).format(n=n), f"{mark}-{n}"
            if mark == "o":
                key = token_of("test\0", f"o-{n}")
            await self._until_acknowledged(key, lambda key, n=n, text=text: send(session, key, n, text), rng)

    async def _number(self, sending: object) -> str | None:
        async with sending as answer:  # type: ignore[attr-defined]
            if answer.status not in (200, 201):
                return None
            told = await answer.json(content_type=None)
            return str(told[0]["service_request_id"] if isinstance(told, list) else told["number"])

    async def _form(self, session: aiohttp.ClientSession, key: str, n: int, text: str) -> str | None:
        headers = {"Idempotency-Key": key}
        return await self._number(
            session.post(f"{self._house.url}/api/v1/appeals", data={"text": text}, headers=headers))

    async def _civic(self, session: aiohttp.ClientSession, key: str, n: int, text: str) -> str | None:
        form = {"service_code": "0307", "api_key": TOKEN, "description": text, "address_string": f"体育路{n}号"}
        headers = {"Idempotency-Key": f"o-{n}"}
        return await self._number(
            session.post(f"{self._house.url}/open311/v2/requests.json", data=form, headers=headers))

    async def _transfer(self, session: aiohttp.ClientSession, key: str, n: int, text: str) -> str | None:
        body = msgspec.json.encode({"text": text, "matter": "路灯"})
        headers = signed_headers(POLICE_SECRET, body, now=datetime.now(UTC)) | {"Idempotency-Key": key}
        return await self._number(
            session.post(f"{self._house.url}/api/v1/police/transfers", data=body, headers=headers))

    async def _picture(self, session: aiohttp.ClientSession, key: str, n: int, text: str) -> str | None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        picture = PNG + key.encode()  # the same again when it is repeated: a key stands for one content
        async with session.post(f"{self._house.url}/api/v1/attachments", data=picture, headers=headers) as answer:
            if answer.status != 201:
                self.refused += 1
                return None
            kept = (await answer.json())["key"]
        appeal = {"text": text, "attachments": [{"key": kept}]}
        return await self._number(session.post(
            f"{self._house.url}/api/v1/appeals", json=appeal, headers=headers | {"Idempotency-Key": key}))
