"""`figures`: check them against the event log, make them anew, show or export them, tell how they are defined."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

from hotline.cli.acts import Act
from hotline.cli.base import command, settings

_SHOWN = 20


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "figures", show, summary="figures (指标): check, make anew, show, export",
        example="python -m hotline figures check",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    command(
        actions, "check", check,
        summary="recompute every figure from the event log and compare; status 1 where they differ",
        example="python -m hotline figures check",
    )
    command(
        actions, "rebuild", rebuild, summary="make the figures anew from the event log, while they stay readable",
        example="python -m hotline figures rebuild",
        act=Act(),
    )
    command(
        actions, "define", define, summary="print the metrics with numerator and denominator (docs/metrics.md)",
        example="python -m hotline figures define > docs/metrics.md",
    )
    shown = command(
        actions, "show", show, summary="show or export figures of some days",
        example="python -m hotline figures show --from 2026-10-01 --to 2026-10-31 --by department -o october.xlsx",
    )
    shown.add_argument("--from", dest="first", type=date.fromisoformat, help="first day, default the last one")
    shown.add_argument("--to", dest="last", type=date.fromisoformat, help="last day, default today")
    shown.add_argument(
        "--by", default="total", help="total, department, town, channel, category, l1, kind, agent, hour, day or month"
    )
    shown.add_argument("-o", "--output", type=Path, help="file to write, .csv or .xlsx; default CSV on standard output")


@asynccontextmanager
async def _pool() -> AsyncIterator[Any]:
    from hotline.core import database_dsn
    from hotline.store.database import open_pool

    async with await open_pool(database_dsn(settings()), size=4) as pool:
        yield pool


def check(given: argparse.Namespace) -> int:
    """Check; exit status 1 where figures and log disagree."""
    return asyncio.run(_check())


async def _check() -> int:
    from hotline.store.tally_rebuild import check as compare

    async with _pool() as pool:
        with _bar("checking") as progress:
            found = await compare(pool, progress=progress)
    for one in found.differences[:_SHOWN]:
        sys.stdout.write(f"differs  {one.line}: kept {one.kept}, recomputed {one.recomputed}\n")
    if found.differences:
        sys.stdout.write(f"FAIL     {len(found.differences)} of {found.lines} counts differ: "
                         "run `python -m hotline figures rebuild`\n")
        return 1
    sys.stdout.write(f"ok       {found.lines} counts of {found.tickets} tickets agree, at {found.as_of.isoformat()} "
                     f"and position {found.position}\n")
    return 0


def rebuild(given: argparse.Namespace) -> int:
    """Make the figures anew."""
    return asyncio.run(_rebuild())


async def _rebuild() -> int:
    from hotline.core import now
    from hotline.store.tally_rebuild import rebuild as make_anew

    async with _pool() as pool:
        with _bar("making anew") as progress:
            tickets = await make_anew(pool, now, progress=progress)
    sys.stdout.write(f"made anew from {tickets} tickets\n")
    return 0


class _bar:  # noqa: N801 - a context manager, used like a function
    """A progress bar on standard error, where that is a terminal."""

    def __init__(self, name: str) -> None:
        from tqdm import tqdm

        self._bar = tqdm(desc=name, unit=" tickets", disable=None)

    def __enter__(self) -> Any:
        return self._progress

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def _progress(self, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)


def define(given: argparse.Namespace) -> int:
    """Print the page of definitions."""
    from hotline.metric_page import page

    sys.stdout.write(page())
    return 0


def show(given: argparse.Namespace) -> int:
    """Show or export figures."""
    from hotline import sheets
    from hotline.errors import InvalidInput
    from hotline.metric_tables import figure_table

    path: Path | None = given.output
    if path is not None and path.suffix not in (".csv", ".xlsx"):
        raise InvalidInput(f"{path}: the file's name ends with .csv or .xlsx")
    by, found = asyncio.run(_figures(given))
    header, rows = figure_table(found, by)
    if path is None:
        for line in sheets.csv_lines(header, rows):
            sys.stdout.write(line.decode().removeprefix("\ufeff"))
        return 0
    if path.suffix == ".csv":
        path.write_bytes(b"".join(sheets.csv_lines(header, rows)))
    else:
        path.write_bytes(sheets.xlsx("指标", header, rows))
    sys.stdout.write(f"wrote {path}\n")
    return 0


async def _figures(given: argparse.Namespace) -> tuple[Any, Any]:
    from hotline.core import now
    from hotline.errors import InvalidInput
    from hotline.metric_views import By, Question, local_day
    from hotline.store.metrics import MetricStore

    if given.by not in list(By):
        raise InvalidInput(f"--by is one of {', '.join(By)}")
    last = given.last or local_day(now())
    asked = Question(first=given.first or last, last=last, by=By(given.by)).checked()
    async with _pool() as pool:
        store = MetricStore(pool)
        return asked.by, await store.figures(asked) + await store.telephone(asked, now())
