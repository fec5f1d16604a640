"""A service with its platforms for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from hotline.standins.grid import Grid
from tests.neighbours.house import SECRET, running_city
from tests.neighbours.platforms import House
from tests.ports import free_port


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    port, grid_port = free_port(), free_port()
    setting = (f"grid=智网工程,http://127.0.0.1:{grid_port},{SECRET}|portal=粤省事,,{SECRET}"
               f"|wishes=民生大莞家,,{SECRET}|data=数据平台,,{SECRET}")
    grid = Grid(secret=SECRET, hotline=f"http://127.0.0.1:{port}/api/v1/neighbours/grid")
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(running_city(database, tmp_path, port, neighbours=setting))
        runner = web.AppRunner(grid.app(), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", grid_port).start()
        yield House(core, await stack.enter_async_context(aiohttp.ClientSession()), grid)
