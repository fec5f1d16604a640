"""One centre for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.voice.centre import Centre, centre_of


@pytest.fixture
async def centre(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Centre]:
    """Parametrised (`tests.voice.centre.EITHER_WAY`) with what `centre_of` may be told."""
    async with centre_of(database, tmp_path, **getattr(request, "param", {})) as one:
        yield one
