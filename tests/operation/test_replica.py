"""Reports and figures are read from a replica where there is one; the primary answers while it is away."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest

from hotline.city import load_city
from hotline.config import Settings
from hotline.core import open_core
from hotline.roles.figures import metrics_of
from hotline.store.database import open_pool
from hotline.store.metrics import MetricStore
from tests.channels.contract import NOW
from tests.pair import Pair
from tests.ports import free_port
from tests.test_wiring import untriaged


async def test_reports_are_read_from_the_standby_and_not_from_the_primary(tmp_path: Path) -> None:
    async with Pair() as house:
        await house.in_sync()
        settings = Settings(data_dir=str(tmp_path), reports_dsn=house.second.dsn)
        city = load_city(Path(settings.city_dir))
        async with open_core(settings, triage=untriaged, city=city, dsn=house.dsn) as core:
            before = await reads(house.first.dsn)
            figures = metrics_of(core)
            await figures.live(NOW)
            await figures.exclusions()
            assert await reads(house.first.dsn) == before
            assert core.replica is not None
            assert await core.replica.fetchval("SELECT pg_is_in_recovery()")
            house.second.signal(9)
            assert await figures.live(NOW), "the primary answers meanwhile"


async def reads(dsn: str) -> int:
    """Return how often the rollup was looked at."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(
            "SELECT coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0) FROM pg_stat_user_tables"
            " WHERE relname LIKE 'tally%' OR relname = 'figure_exclusions'"
        ))
    finally:
        await connection.close()


async def test_a_replica_that_is_away_at_the_start_stops_nobody(database: str, tmp_path: Path) -> None:
    away = f"postgresql://postgres@127.0.0.1:{free_port()}/x"
    settings = msgspec.structs.replace(Settings(), data_dir=str(tmp_path), reports_dsn=away)
    city = load_city(Path(settings.city_dir))
    async with open_core(settings, triage=untriaged, city=city, dsn=database) as core:
        assert core.replica is None
        await metrics_of(core).live(NOW)


async def test_a_replica_that_breaks_is_passed_over(database: str) -> None:
    async with await open_pool(database, size=1) as pool, await open_pool(database, size=1) as replica:
        store = MetricStore(pool, replica=replica)
        replica.terminate()
        assert await store.live(NOW - timedelta(days=1))


@pytest.mark.parametrize("given", ["db", "mysql://x/y"])
def test_a_dsn_of_the_replica_is_checked(given: str, tmp_path: Path) -> None:
    from hotline.config import load
    from hotline.errors import InvalidInput

    with pytest.raises(InvalidInput, match="reports_dsn"):
        load({"HOTLINE_REPORTS_DSN": given}, file=tmp_path / "none.toml")
