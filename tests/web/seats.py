"""Consoles of tests: with a page, and without one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from playwright.async_api import expect
from websockets.asyncio.client import connect

from tests.processes import PASSWORD
from tests.web.conftest import Site


class Wire:
    """A console without a page: what departments and later steps do, by the protocol."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._id = socket, 0

    async def ask(self, **frame: Any) -> dict[str, Any]:
        """Ask and return the answer; an error is a failed test."""
        self._id += 1
        await self._socket.send(json.dumps({"id": self._id} | frame))
        while True:
            answer = json.loads(await self._socket.recv())
            if answer.get("id") == self._id:
                assert answer["type"] != "error", answer
                return dict(answer)

    async def act(self, number: str, **command: Any) -> dict[str, Any]:
        """Carry a command out."""
        return await self.ask(type="command", number=number, command=command)

    async def opened(self, number: str) -> dict[str, Any]:
        """Return a ticket in full."""
        return dict((await self.ask(type="open", number=number))["opened"])


@asynccontextmanager
async def wire(site: Site, name: str) -> AsyncIterator[Wire]:
    """Log in and connect."""
    async with aiohttp.ClientSession() as session:
        url = f"{site.house.url}/api/v1"
        async with session.post(f"{url}/login", json={"name": name, "password": PASSWORD}) as answer:
            token = (await answer.json())["token"]
        async with session.post(f"{url}/console-ticket", headers={"Authorization": f"Bearer {token}"}) as answer:
            ticket = await answer.json()
    async with connect(ticket["url"], max_size=None) as socket:
        await socket.send(json.dumps({"type": "hello", "ticket": ticket["ticket"]}))
        yield Wire(socket)


async def seat(site: Site, name: str = "agent", **more: Any) -> Any:
    """Sit an agent down: the console, with its line up."""
    page = await site.visit("/console", name=name, **more)
    await expect(page.locator(".line.online")).to_be_visible()
    return page
