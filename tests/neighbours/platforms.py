"""A service with the city's platforms around it: a client that signs, and the grid's stand-in."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec

from hotline import commands as c
from hotline.core import Core
from hotline.events import Actor, Role
from hotline.signing import signed_headers
from hotline.standins.grid import Grid
from tests.neighbours.house import SECRET

AGENT, SUPERVISOR = Actor(Role.AGENT, "li"), Actor(Role.SUPERVISOR, "wang")
LI = {"id": "p-1", "name": "李明", "phone": "13800138000"}
WANG = {"id": "p-2", "name": "王芳", "phone": "13900139000"}


class House:
    """A service, its grid, and a client that signs."""

    def __init__(self, core: Core, session: aiohttp.ClientSession, grid: Grid) -> None:
        self.core, self.session, self.grid = core, session, grid
        self.base = f"http://127.0.0.1:{core.settings.http_port}"

    async def call(
        self, method: str, path: str, body: object = None, *, secret: str = SECRET, shift: float = 0
    ) -> tuple[int, Any]:
        data = b"" if body is None else msgspec.json.encode(body)
        now = self.core.clock()
        headers = signed_headers(secret, data or path.encode(), now=now.replace(microsecond=0))
        if shift:
            headers |= signed_headers(secret, data or path.encode(), now=now + timedelta(seconds=shift))
        async with self.session.request(method, self.base + path, data=data or None, headers=headers) as answer:
            raw = await answer.read()
            return answer.status, json.loads(raw) if raw and "json" in answer.content_type else raw

    async def portal(self, path: str, **body: object) -> tuple[int, Any]:
        return await self.call("POST", f"/api/v1/portal/{path}", body)

    async def act(self, number: str, *commands: c.Command, actor: Actor = AGENT) -> None:
        for command in commands:
            await self.core.service.act(number, command, actor=actor)
