"""A house for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hotline.store.database import open_pool
from tests.departments.house import House


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with await open_pool(database) as pool:
        found = House(pool, tmp_path)
        async with found.intake:
            yield found
