"""One centre for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.voice.centre import Centre, centre_of


@pytest.fixture
async def centre(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Centre]:
    """Parametrised with True (`tests.voice.centre.EITHER_WAY`) the PBX dials us."""
    async with centre_of(database, tmp_path, dials=getattr(request, "param", False)) as one:
        yield one
