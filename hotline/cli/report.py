"""`report`: a month's figures as a page ready to print."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from hotline.cli.base import city_of, command, settings


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "report", run, summary="write the report of a month (运行月报) as HTML, with charts, ready to print",
        example="python -m hotline report --month 2026-10 -o report.html",
    )
    parser.add_argument("--month", required=True, help="such as 2026-10")
    parser.add_argument(
        "-o", "--output", type=Path, help="file to write; default report-MONTH.html, - for standard output"
    )


def run(given: argparse.Namespace) -> int:
    """Write the report."""
    page = asyncio.run(_page(given.month))
    path = given.output or Path(f"report-{given.month}.html")
    if str(path) == "-":
        sys.stdout.write(page)
        return 0
    path.write_text(page, encoding="utf-8")
    sys.stdout.write(f"wrote {path}\n")
    return 0


async def _page(month: str) -> str:
    from hotline.core import database_dsn, now
    from hotline.metric_views import month_of
    from hotline.report import render
    from hotline.report_data import gather
    from hotline.roles.figures import l1_names
    from hotline.store.database import open_pool
    from hotline.store.metrics import MetricStore

    month_of(month)
    chosen = settings()
    city = city_of(chosen)
    async with await open_pool(chosen.reports_dsn or database_dsn(chosen), size=2) as pool:
        data = await gather(MetricStore(pool), month, city=city.name, now=now(), l1_names=l1_names(city))
    return render(data)
