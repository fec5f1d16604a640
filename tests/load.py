"""Citizens who send appeals and repeat each until it is acknowledged, as real ones do, and the ledger they keep."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import random
import time
from typing import Any

import aiohttp

from tests.processes import TOKEN, WECHAT_TOKEN, House

ORDINARY = [
    "体育路第{n}盏路灯不亮", "小区{n}栋物业不清理垃圾", "公交{n}路等了很久", "工厂{n}号晚上排放刺鼻气味",
    "停车场{n}号乱收费",
]
URGENT = "厂房{n}楼着火了,有人被困在里面,快来救人"
GONE = (aiohttp.ClientError, OSError, TimeoutError)


class Ledger:
    """What citizens know: key → number, and which keys were ever sent."""

    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.acknowledged: dict[str, str] = {}
        self.contradictions: list[str] = []
        self.conversations: dict[str, str] = {}
        """Key → what it belongs to, for what is said in several messages and is one appeal."""

    def acknowledge(self, key: str, number: str) -> None:
        """Note an answer; another number for the same key is a contradiction."""
        if self.acknowledged.setdefault(key, number) != number:
            self.contradictions.append(key)

    def silent(self, *ways: str) -> int:
        """Return on how many of these ways in (`chat` for keys `chat-…`) nothing was ever acknowledged."""
        return sum(not any(key.startswith(f"{way}-") for key in self.acknowledged) for way in ways)


class Citizens:
    """Load: each citizen sends one appeal after another, repeating each until it is acknowledged."""

    def __init__(self, house: House, ledger: Ledger, *, seed: int) -> None:
        self._house, self._ledger, self._seed = house, ledger, seed
        self._numbers = itertools.count()
        self.stop = asyncio.Event()

    async def app(self, session: aiohttp.ClientSession, who: int) -> None:
        """A citizen with the app."""
        rng = random.Random(f"{self._seed}-{who}")
        while not self.stop.is_set():
            n = next(self._numbers)
            text = (URGENT if rng.random() < 0.05 else rng.choice(ORDINARY)).format(n=n)
            await self._until_acknowledged(f"key-{n}", lambda key, text=text: self._post(session, key, text), rng)

    async def wechat(self, session: aiohttp.ClientSession, who: int) -> None:
        """A citizen on WeChat, each message from another open id."""
        rng = random.Random(f"{self._seed}-w{who}")
        while not self.stop.is_set():
            n = next(self._numbers)
            text = rng.choice(ORDINARY).format(n=n)
            key = str(10**15 + n)
            await self._until_acknowledged(key, lambda key, text=text: self._message(session, key, text), rng)

    async def _until_acknowledged(self, key: str, send: Any, rng: random.Random) -> None:
        self._ledger.sent.add(key)
        while True:
            with contextlib.suppress(*GONE):
                number = await send(key)
                if number:
                    self._ledger.acknowledge(key, number)
                    if rng.random() > 0.1:  # now and then an acknowledged delivery is repeated all the same
                        return
            await asyncio.sleep(rng.uniform(0.01, 0.1))

    async def _post(self, session: aiohttp.ClientSession, key: str, text: str) -> str | None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
        async with session.post(f"{self._house.url}/api/v1/appeals", json={"text": text}, headers=headers) as answer:
            return str((await answer.json())["number"]) if answer.status in (200, 201) else None

    async def _message(self, session: aiohttp.ClientSession, key: str, text: str) -> str | None:
        now = str(int(time.time()))
        signature = hashlib.sha1("".join(sorted([WECHAT_TOKEN, now, "n"])).encode(), usedforsecurity=False).hexdigest()
        body = (
            f"<xml><ToUserName>gh</ToUserName><FromUserName>open-{key}</FromUserName><CreateTime>{now}</CreateTime>"
            f"<MsgType>text</MsgType><Content>{text}</Content><MsgId>{key}</MsgId></xml>"
        )
        query = {"signature": signature, "timestamp": now, "nonce": "n"}
        async with session.post(f"{self._house.url}/wechat", params=query, data=body.encode()) as answer:
            words = await answer.text()
        return words.split("工单号:")[1][:19].split("\n")[0].strip() if "工单号:" in words else None
