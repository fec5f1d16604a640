"""A whole house per test, and the log-in of one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.agent_ui import stack as whole
from tests.agent_ui import unit_system
from tests.agent_ui.log_in import House, opened, policy
from tests.agent_ui.stack import Stack


@pytest.fixture
async def stack(database: str) -> AsyncIterator[Stack]:
    async with whole.house(database) as running:
        yield running


@pytest.fixture
async def house(stack: Stack) -> AsyncIterator[House]:
    async with AsyncExitStack() as exits:
        yield await opened(stack, exits, policy())


@pytest.fixture
async def api(stack: Stack, tmp_path: Path) -> AsyncIterator[unit_system.Api]:
    async with unit_system.opened(stack, tmp_path) as api:
        yield api
