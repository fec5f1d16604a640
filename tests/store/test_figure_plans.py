"""What figures are read by, at 100,000 tickets: by index, and no more lines than the days asked for have."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from hotline.metrics import COLUMNS
from hotline.store.database import statements
from hotline.store.migrate import migrate
from tests.store.test_plans import nodes
from tests.volume import fill
from tests.volume_figures import fill_figures

TICKETS = 100_000
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
TODAY, TOMORROW = date(2026, 11, 20), date(2026, 11, 21)
ALL = ("", None, "", "", "")
QUERIES: dict[str, tuple[str, str, tuple[object, ...], set[str], int]] = {
    "today": ("metrics", "figures", ("hour", TODAY, TOMORROW, "total", *ALL), {"tally_rollup_pkey"}, 24),
    "today of a department": (
        "metrics", "figures", ("day", TODAY, TOMORROW, "total", "单位7", *ALL[1:]), {"tally_rollup_pkey"}, 10_000),
    "a week by department": (
        "metrics", "figures", ("day", date(2026, 11, 14), TOMORROW, "department", *ALL), {"tally_rollup_pkey"}, 70_000),
    "an agent": (
        "metrics", "figures", ("agent", TODAY, TOMORROW, "total", *ALL[:4], "agent7"), {"tally_rollup_pkey"}, 400),
    "the telephone's last day": (
        "calls", "telephone", (NOW - timedelta(days=1), NOW, "total", "Asia/Shanghai", "", 15.0), {"calls_by_asking"},
        6_000),
    "occupancy": (
        "calls", "occupancy", (NOW - timedelta(days=1), NOW, NOW, "total"), {"tally_staff_pkey"}, 8_000),
    "what happened since": ("tally", "page", (TICKETS - 40, 500), {"ticket_events_pkey"}, 500),
    "what comes due": ("tally", "due", (1, datetime(2026, 10, 22, 8, tzinfo=UTC)), {"tally_watch_due"}, 500),
}


@pytest.fixture(scope="module")
def city(postgres: str) -> Iterator[str]:
    dsn = postgres.replace("/postgres?", "/city_with_figures?", 1)

    async def make() -> None:
        admin = await asyncpg.connect(postgres)
        await admin.execute("CREATE DATABASE city_with_figures")
        await admin.close()
        await migrate(dsn)
        await fill(dsn, TICKETS)
        await fill_figures(dsn, TICKETS)

    async def drop() -> None:
        admin = await asyncpg.connect(postgres)
        await admin.execute("DROP DATABASE city_with_figures WITH (FORCE)")
        await admin.close()

    asyncio.run(make())
    yield dsn
    asyncio.run(drop())


@pytest.fixture
async def connection(city: str) -> AsyncIterator[asyncpg.Connection]:
    found = await asyncpg.connect(city)
    yield found
    await found.close()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", QUERIES)
async def test_the_plan(connection: asyncpg.Connection, name: str, mode: str) -> None:
    file, statement, parameters, indexes, most = QUERIES[name]
    await connection.execute(f"SET plan_cache_mode = {mode}")
    explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statements(file)[statement]}", *parameters)
    plan = list(nodes(json.loads(explained)[0]["Plan"]))
    used = {node["Index Name"] for node in plan if "Index Name" in node}
    assert used & indexes, f"{name}: used {used or 'no index'}"
    scans = {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"}
    assert not {"tally_rollup", "tally_staff", "calls", "ticket_events", "tally_watch"} & scans, name
    read = max(
        (n["Actual Rows"] + n.get("Rows Removed by Filter", 0)) * n["Actual Loops"] for n in plan
        if n.get("Index Name") in indexes
    )
    assert read <= most, f"{name} reads {read} lines"


async def test_the_tally_has_the_columns_that_are_counted(connection: asyncpg.Connection) -> None:
    found = await connection.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'tally_rollup' ORDER BY ordinal_position"
    )
    names = [row[0] for row in found]
    assert names.pop(names.index("duration_out") + 1) == "city"
    assert tuple(names[11:]) == COLUMNS
