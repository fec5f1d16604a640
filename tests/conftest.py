"""Shared fixtures: one embedded PostgreSQL per test run; per test a fresh database, copied from a migrated template."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from channels import phone_number
from hotline.keyring import KeyRing, new_file, read, write
from hotline.store import sealing
from hotline.store.embedded import start_embedded, stop_embedded
from hotline.store.migrate import migrate
from tests.folders import folder

_numbers = itertools.count(1)

# A machine that is busy with something else has found no fault.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


CALLS = ("tests/voice/", "tests/web/test_live_calls.py")
PAGES = "tests/web/"
IN_REAL_TIME = {"centre", "browser"}
"""Fixtures in `CALLS` and `PAGES` that start a PBX, or a browser."""
FIRST = "gw0"
"""The worker of pytest-xdist that begins."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Calls and pages take the longest by far and begin, so that nobody waits for them at the end.

    What shares a machine with a browser or a PBX in real time has a second try where it fails, and is told (RERUN).
    """
    for item in items:
        if item.nodeid.startswith((*CALLS, PAGES)) and IN_REAL_TIME.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.flaky(reruns=1))
    items.sort(key=lambda item: (not item.nodeid.startswith(CALLS), not item.nodeid.startswith(PAGES)))


def pytest_configure() -> None:
    """Let all workers but the first, which gets the calls, and whatever they start, give way to it."""
    if os.environ.get("PYTEST_XDIST_WORKER", FIRST) != FIRST:
        os.nice(5)


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """A file's tests share what is dear to make, and stay on one worker; so do all calls, which need real time."""

    def schedule(self) -> None:
        self.assigned_work = dict(sorted(self.assigned_work.items(), key=lambda work: work[0].gateway.id != FIRST))
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return "calls" if nodeid.startswith(CALLS) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Together:
    """Say how tests are dealt out to workers (`-n`)."""
    return Together(config, log)


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _strict(report: Report) -> Report:
    """Where all tests are asked for (CI), one that is skipped has failed: a machine that lacks a part shows nothing."""
    if report.skipped and os.environ.get("HOTLINE_TESTS") == "all":
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of a test, and …"""
    return _strict((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """… of what is skipped whole: a file or folder that lacks what it imports."""
    return _strict((yield))


def _named(dsn: str, database: str) -> str:
    return dsn.replace("/postgres?", f"/{database}?", 1)


async def _admin(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session", autouse=True)
def keys() -> Iterator[KeyRing]:
    """The keys of the run, for this process and for those that tests start."""
    home = Path(tempfile.mkdtemp(prefix="hotline-keys-"))
    os.environ["HOTLINE_KEYS_FILE"] = str(home / "keys.json")
    write(home / "keys.json", new_file(datetime.now(UTC)))
    ring = KeyRing(read(home / "keys.json"))
    sealing.use(ring)
    yield ring
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def home() -> None:
    """The city that numbers without an area code are of, in tests that wire no core."""
    phone_number.live_in("0769")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """DSN of the run's own server (database `postgres`)."""
    home = folder("hotline-test-")
    dsn = start_embedded(home, durable=False)
    yield dsn
    stop_embedded(home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(postgres: str) -> str:
    """Name of a migrated database that every test's own is copied from."""
    asyncio.run(_admin(postgres, "CREATE DATABASE hotline_template"))
    asyncio.run(migrate(_named(postgres, "hotline_template")))
    return "hotline_template"


@asynccontextmanager
async def copied(postgres: str, template: str) -> AsyncIterator[str]:
    """Make a copy of a database for as long as it is wanted; yield its DSN."""
    name = f"hotline_test_{os.getpid()}_{next(_numbers)}"
    await _admin(postgres, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")  # half the time here
    yield _named(postgres, name)
    await _admin(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(postgres: str, template: str) -> AsyncIterator[str]:
    """DSN of a fresh, migrated database of this test's own."""
    async with copied(postgres, template) as dsn:
        yield dsn
