"""A real aiohttp server over the memory port, for every adapter's tests; and the real core, for those that need it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.problem import problems
from hotline.appeal import UNTRIAGED
from hotline.city import load_city
from hotline.config import Settings
from hotline.core import Core, open_core
from tests.channels.memory import MemoryPort

Client = TestClient[web.Request, web.Application]
Serve = Callable[[list[web.AbstractRouteDef]], Coroutine[Any, Any, Client]]


@pytest.fixture
def port() -> MemoryPort:
    return MemoryPort()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server with the given routes; returns a client of it."""
    async with AsyncExitStack() as stack:
        async def start(routes: list[web.AbstractRouteDef]) -> Client:
            app = web.Application(middlewares=[problems], client_max_size=8 * 1024 * 1024)
            app.add_routes(routes)
            return await stack.enter_async_context(TestClient(TestServer(app)))
        yield start


@pytest.fixture
async def core(database: str, tmp_path: Path) -> AsyncIterator[Core]:
    settings = Settings(data_dir=str(tmp_path))
    city = load_city(Path("cities/441900"))
    async with open_core(settings, triage=lambda texts: [UNTRIAGED] * len(texts), city=city, dsn=database) as core:
        yield core
