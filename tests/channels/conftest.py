"""A real aiohttp server over the memory port, for every adapter's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.problem import problems
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
