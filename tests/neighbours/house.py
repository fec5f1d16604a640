"""Running services for the tests of neighbours: intake and jobs of a city in this process, on ports of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from hotline import roles
from hotline.appeal import Triage
from hotline.city import load_city
from hotline.config import Settings
from hotline.core import Core, open_core
from tests.cities import STREET_LIGHT

SECRET = "a secret between two"
TOKEN = "an app's token"


def street_light(texts: Sequence[str]) -> list[Triage]:
    """Triage that a person must look at: nothing is dispatched by itself."""
    return [msgspec.structs.replace(STREET_LIGHT, needs_person=True)] * len(texts)


@asynccontextmanager
async def running_city(
    dsn: str, data: Path, port: int, *, neighbours: str, code: str = "441900", prefix: str = "DG",
    triage: Callable[[Sequence[str]], list[Triage]] = street_light,
) -> AsyncIterator[Core]:
    """Run a city's hotline: HTTP and jobs."""
    city = msgspec.structs.replace(load_city(Path("cities/441900")), code=code, prefix=prefix)
    settings = Settings(data_dir=str(data), http_port=port, neighbours=neighbours, app_tokens=f"app:{TOKEN}")
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings, triage=triage, city=city, dsn=dsn))
        await core.keep_directories()
        await stack.enter_async_context(roles.intake_role(core))
        await stack.enter_async_context(roles.jobs_role(core))
        yield core


async def until(check: Callable[[], Awaitable[object]], *, seconds: float = 20) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.05)
