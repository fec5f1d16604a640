"""What tests of the citizens' pages share: ways through the pages, and a look at what the service made of it."""

from __future__ import annotations

import asyncio
import json
import struct
import zlib
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import aiohttp
import asyncpg
from playwright.async_api import FilePayload, Locator, Page, expect
from websockets.asyncio.client import connect

from tests.processes import PASSWORD
from tests.web.conftest import PHONE, Site

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
LAMP = "南城街道鸿福路88号附近的路灯从前天晚上开始全都不亮,晚上走路很不安全,希望尽快维修"
SPOT = "南城鸿福路"


def png(width: int = 64, height: int = 48) -> bytes:
    """Return a picture of a lamp post at night."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            lamp = ((x / width - 0.5) / 0.12) ** 2 + ((y / height - 0.25) / 0.09) ** 2 < 1
            post = abs(x / width - 0.5) < 0.02 and y > 0.25 * height
            night = (20 + 40 * y // height, 32 + 46 * y // height, 64 + 50 * y // height)
            rows += bytes((240, 214, 120) if lamp else (120, 120, 120) if post else night)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows)))
            + chunk(b"IEND", b""))


def picture(name: str = "路灯.png") -> FilePayload:
    """Return a picture as a citizen picks it."""
    return {"name": name, "mimeType": "image/png", "buffer": png()}


class Ways:
    """A citizen's ways, and the house behind them."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def visit(self, path: str = "/", *, size: dict[str, int] = PHONE, **context: Any) -> Page:
        """Open the citizens' page."""
        page: Page = await self.site.visit(path, size=size, **context)
        await expect(page.locator("main")).to_be_visible()
        return page

    async def reborn(self, page: Page) -> Page:
        """Kill the browser's context; open the same page in a new one with what the device had kept."""
        kept = Path(mkdtemp()) / "state.json"
        await page.context.storage_state(path=kept)
        path = page.url.removeprefix(self.site.house.url)
        await page.context.close()
        fresh = await self.visit(path, storage_state=json.loads(kept.read_text(encoding="utf-8")))
        kept.unlink()
        kept.parent.rmdir()
        return fresh

    async def sent(self, page: Page) -> dict[str, str]:
        """Wait for number and code and return them."""
        await expect(page.locator(".slip .big").first).to_be_visible(timeout=20_000)
        number, code = await page.locator(".slip .big").all_inner_texts()
        return {"number": number, "code": code}

    async def follow(self, ticket: dict[str, Any]) -> Page:
        """Look a ticket up by number and code."""
        page = await self.visit("/?at=track")
        await page.get_by_label("工单号").fill(ticket["number"])
        await page.get_by_label("查询码").fill(ticket["code"])
        await page.get_by_role("button", name="查询", exact=True).click()
        await expect(page.locator(".track")).to_be_visible()
        return page

    def now(self, page: Page) -> Locator:
        """The station at which a ticket is."""
        return page.locator(".track [aria-current=step]")

    async def refreshed(self, page: Page, text: str) -> None:
        """Refresh until a text is there."""
        await page.get_by_role("button", name="刷新").click()
        await expect(page.get_by_text(text).first).to_be_visible()

    async def talked(self, page: Page) -> dict[str, str]:
        """Wait until a chat has its ticket and return number and code, as the device keeps them."""
        await expect(page.locator("li.theirs").first).to_be_visible()
        await expect(page.get_by_text("本次咨询的工单号")).to_be_visible()
        kept = json.loads(await page.evaluate("localStorage.getItem('hotline.talk')"))
        return {"number": kept["number"], "code": kept["code"]}

    async def chatted(self, text: str) -> dict[str, str]:
        """Let a citizen begin a chat and go on sitting in it; return number and code."""
        page = await self.visit("/?at=talk")
        await page.get_by_label("输入您想说的话").fill(text)
        await page.get_by_role("button", name="发送", exact=True).click()
        return await self.talked(page)

    # ── the house ────────────────────────────────────────────────────────────────────────────────
    async def progress(self, ticket: dict[str, Any]) -> dict[str, Any]:
        """What the service tells a citizen."""
        return await self.site.progress(ticket)

    async def count(self, text: str) -> int:
        """How many tickets were opened with this text."""
        pool = await asyncpg.connect(self.site.house.dsn)
        try:
            like = f"%{json.dumps(text, ensure_ascii=False)[1:-1]}%"
            return int(await pool.fetchval(
                "SELECT count(*) FROM ticket_events WHERE type = 'receive' AND doc LIKE $1", like))
        finally:
            await pool.close()

    async def compared(self, ticket: dict[str, Any]) -> None:
        """Wait until the reader of likeness has seen a ticket."""
        pool = await asyncpg.connect(self.site.house.dsn)
        try:
            async with asyncio.timeout(30):
                while not await pool.fetchval(
                    "SELECT true FROM ticket_traits JOIN tickets ON id = ticket_id WHERE number = $1", ticket["number"]
                ):
                    await asyncio.sleep(0.1)
        finally:
            await pool.close()

    async def ticket(self, ticket: dict[str, Any]) -> dict[str, Any]:
        """What an agent sees of a ticket, in full."""
        ask = {"type": "open", "number": ticket["number"], "reason": "核对"}
        return dict(await self._asked("agent", ask, "opened"))

    async def act(self, ticket: dict[str, Any], command: dict[str, Any], *, by: str) -> None:
        """Give a command at a console."""
        await self._asked(by, {"type": "command", "number": ticket["number"], "command": command}, "number")

    async def _asked(self, name: str, ask: dict[str, Any], field: str) -> Any:
        house = self.site.house
        async with aiohttp.ClientSession() as http:
            async with http.post(
                f"{house.url}/api/v1/login", json={"name": name, "password": PASSWORD}
            ) as answer:
                token = (await answer.json())["token"]
            headers = {"Authorization": f"Bearer {token}"}
            async with http.post(f"{house.url}/api/v1/console-ticket", headers=headers) as answer:
                one_time = (await answer.json())["ticket"]
        async with connect(house.ws_url) as console:
            await console.send(json.dumps({"type": "hello", "ticket": one_time}))
            await console.send(json.dumps({"id": 1, **ask}))
            async with asyncio.timeout(15):
                while (frame := json.loads(await console.recv())).get("id") != 1:
                    pass
        assert frame["type"] == "ok", frame
        return frame[field]
