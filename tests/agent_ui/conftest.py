"""A whole house per test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.agent_ui.stack import Stack, house


@pytest.fixture
async def stack(database: str) -> AsyncIterator[Stack]:
    async with house(database) as running:
        yield running
