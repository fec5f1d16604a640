"""The built pages in a real Chromium against a real service.

Skipped, with the reason told, where Chromium or the built pages are missing. A page that logs an error, throws, or
breaks its Content-Security-Policy fails its test.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from agent_ui.page import DIST
from hotline.store.embedded import start_embedded, stop_embedded
from tests.processes import PASSWORD, TOKEN, House

playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed (requirements-dev.txt)")

playwright.expect.set_options(timeout=20_000)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]
PHONE, LAPTOP, WALL = {"width": 390, "height": 844}, {"width": 1366, "height": 768}, {"width": 1920, "height": 1080}
STAFF = (
    ("agent", "agent"), ("agent2", "agent"), ("boss", "supervisor"), ("sys", "system_admin"), ("sec", "security_admin"),
    ("aud", "audit_admin"),
)
UNIT = "城市管理和综合执法局"
"""The department of the account `dept`."""
AXE = DIST.parent / "node_modules" / "axe-core" / "axe.min.js"
_LINE_BROKE = ("net::ERR_", "WebSocket connection to")
_keys = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all tests here share one event loop, as they share the browser; skip them where they cannot run."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here:
        if pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    missing = "Chromium is not installed (apt-get install chromium)" if not CHROMIUM else ""
    missing = missing or ("" if (DIST / "index.html").is_file() and AXE.is_file() else "no built pages (make pages)")
    for item in here if missing else ():
        item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A service with a 110 desk, two agents, a supervisor, a department and the three administrators."""
    house = House(durable=False, environment={"HOTLINE_POLICE_ALARM_AFTER": "10"})
    house.dsn = start_embedded(house.home, durable=False)
    house.migrate()
    for name, role in STAFF:
        house.add_staff(name, role)
    house.add_staff("dept", "department", "--department", UNIT)
    house.start_desk()
    asyncio.run(house.serve())
    yield house
    house.end()
    stop_embedded(house.home)
    shutil.rmtree(house.home, ignore_errors=True)


STILL = """Promise.all(document.getAnimations()
    .filter((one) => one.effect?.getComputedTiming().endTime !== Infinity)
    .map((one) => one.finished.catch(() => null)))"""
"""Waits until nothing moves any more."""


class Site:
    """The service as people meet it: pages in a browser, and HTTP beside it."""

    def __init__(self, house: House, browser: Any) -> None:
        self.house, self.browser = house, browser
        self.errors: list[str] = []
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=25))

    async def visit(
        self, path: str = "/", *, name: str = "", size: dict[str, int] = LAPTOP, language: str = "zh", **context: Any
    ) -> Any:
        """Open a page in a browser context of its own, logged in as `name`; return Playwright's page."""
        scene = await self.browser.new_context(base_url=self.house.url, viewport=size, locale="zh-CN", **context)
        scene.set_default_timeout(15_000)
        key = "'hotline.language'"
        await scene.add_init_script(f"localStorage.getItem({key}) ?? localStorage.setItem({key}, '{language}')")
        if name:
            answer = await scene.request.post("/api/v1/login", data={"name": name, "password": PASSWORD})
            assert answer.ok, await answer.text()
        page = await scene.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._heard)
        await page.goto(path)
        return page

    def _heard(self, message: Any) -> None:
        if message.type == "error" and not any(sign in message.text for sign in _LINE_BROKE):
            self.errors.append(message.text)

    async def appeal(self, text: str, **more: Any) -> dict[str, Any]:
        """Send an appeal as a citizen's app does; return the answer with number and code."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": f"web-{os.getpid()}-{next(_keys)}"}
        url = f"{self.house.url}/api/v1/appeals"
        async with self._http.post(url, json={"text": text, **more}, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            return dict(await answer.json())

    async def progress(self, receipt: dict[str, Any]) -> dict[str, Any]:
        """Return what a citizen sees of a ticket."""
        url = f"{self.house.url}/api/v1/tickets/{receipt['number']}"
        async with self._http.get(url, params={"code": receipt["code"]}) as answer:
            return dict(await answer.json())

    async def violations(self, page: Any) -> list[str]:
        """Return what axe-core finds serious or critical on a page: the rule, what to mend, and where."""
        await page.emulate_media(reduced_motion="reduce")  # what fades has no colours of its own for a moment
        await page.evaluate(STILL)
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        found = (await page.evaluate("axe.run(document, {resultTypes: ['violations']})"))["violations"]
        return [
            f"{one['id']}: {one['help']} at {', '.join(str(node['target'][0]) for node in one['nodes'][:5])}"
            for one in found if one["impact"] in ("serious", "critical")
        ]

    async def close(self) -> None:
        """Close everything; raises if a page met an error that no test asked for."""
        await self._http.close()
        for scene in self.browser.contexts:
            async with asyncio.timeout(60):  # a browser that hangs is told of, not waited for
                await scene.close()
        assert self.errors == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Any]:
    """A Chromium; nothing of one test is left in it for the next, as each visit is a context of its own."""
    async with playwright.async_playwright() as run:
        browser = await run.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site(house: House, browser: Any) -> AsyncIterator[Site]:
    """The site in a browser without a past."""
    site = Site(house, browser)
    try:
        yield site
    finally:
        await site.close()
