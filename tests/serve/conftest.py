"""One database for all tests here; ports and processes for each."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from hotline.store.embedded import start_embedded, stop_embedded
from tests.ports import free_port
from tests.processes import House


@pytest.fixture(scope="package")
def base() -> Iterator[House]:
    """One database for all tests here, with a supervisor."""
    house = House(durable=False)
    house.dsn = start_embedded(house.home, durable=False)
    house.migrate()
    house.add_staff("wang", "supervisor")
    yield house
    stop_embedded(house.home)
    shutil.rmtree(house.home, ignore_errors=True)


@pytest.fixture
def house(base: House) -> Iterator[House]:
    """The house on ports of its own; its processes are gone afterwards."""
    base.http_port, base.ws_port, base.desk_port = free_port(), free_port(), free_port()
    yield base
    base.end()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=25)) as session:
        yield session
