"""`directory`: versions of the dispatch directory (派单目录), in the database that the service uses."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotline.cli.acts import Act, user
from hotline.cli.base import city_of, command, settings

if TYPE_CHECKING:
    from hotline.directories import DirectoryDesk
    from routing.directory_diff import Change

Work = Callable[["DirectoryDesk", argparse.Namespace], Awaitable[None]]
_SCOPES = ("exact", "kind", "category")
_NEW = Act(
    subject="version", details=("effective_from", "base", "author"), changes=lambda given: not given.dry_run
)


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "directory", _usage, summary="manage versions of the dispatch directory (派单目录)",
        example="python -m hotline directory export -o directory.xlsx        # edit it, then:\n"
        "  python -m hotline directory import directory.xlsx --version 441900-2027.1 --from 2027-01-01 --note 新年调整",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_reading(actions)
    _add_changing(actions)


def _add_reading(actions: Any) -> None:
    command(actions, "list", _running(_list), summary="list all versions", example="python -m hotline directory list")
    export = command(
        actions, "export", _running(_export), summary="write a version as CSV or XLSX, by the name of the file",
        example="python -m hotline directory export 441900-2026.1 -o directory.csv",
    )
    export.add_argument("version", nargs="?", default="", help="default: the one in force today")
    export.add_argument("-o", "--output", type=Path, required=True, help="a name that ends with .csv or .xlsx")
    differ = command(
        actions, "diff", _running(_diff), summary="tell what differs between two versions",
        example="python -m hotline directory diff 441900-2026.1 441900-2027.1",
    )
    differ.add_argument("old", help="a version, as `list` names it")
    differ.add_argument("new", nargs="?", default="", help="default: the one in force today")
    history = command(
        actions, "history", _running(_history), summary="tell who changed what, the newest first",
        example="python -m hotline directory history --l1 03 --l2 路灯",
    )
    history.add_argument("--l1", default="", help="first level, two digits")
    history.add_argument("--l2", default="", help="second level")
    command(
        actions, "proposals", _running(_proposals), summary="list what approved returns propose",
        example="python -m hotline directory proposals",
    )


def _add_changing(actions: Any) -> None:
    new = command(
        actions, "import", _running(_import), summary="add a version from CSV or XLSX",
        example="python -m hotline directory import directory.csv --version 441900-2027.1 --from 2027-01-01 --dry-run",
        act=_NEW,
    )
    new.add_argument("file", type=Path, help="CSV, or a workbook with the sheets 派单目录 and 单位")
    new.add_argument("--units", type=Path, help="units.csv beside a CSV file (a workbook has a sheet of its own)")
    adopt = command(
        actions, "adopt", _running(_adopt), summary="take proposals of returns up into a new version",
        example="python -m hotline directory adopt 12 15 --version 441900-2026.12 --from 2026-12-01",
        act=_NEW,
    )
    adopt.add_argument("proposals", type=int, nargs="+", metavar="PROPOSAL", help="numbers, as `proposals` lists them")
    adopt.add_argument("--scope", choices=_SCOPES, default="exact", help="how far a proposal reaches (default: exact)")
    for parser in (new, adopt):
        parser.add_argument("--version", required=True, help="name of the new version")
        parser.add_argument("--from", dest="effective_from", type=_day, required=True, help="day it begins, 2027-01-01")
        parser.add_argument("--base", default="", help="version it is made from (default: in force on that day)")
        parser.add_argument("--note", default="", help="why")
        parser.add_argument("--dry-run", action="store_true", help="only tell what would change")
    gone = command(
        actions, "withdraw", _running(_withdraw), summary="withdraw a version before its day",
        example="python -m hotline directory withdraw 441900-2027.1", act=Act(subject="version", details=("author",)),
    )
    gone.add_argument("version", help="as `list` names it")
    for parser in (new, adopt, gone):
        parser.add_argument("--author", default=user(), help="who answers for it (default: you)")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day such as 2027-01-01") from error


def _usage(_: argparse.Namespace) -> int:
    raise AssertionError("argparse requires an action")


def _running(work: Work) -> Callable[[argparse.Namespace], int]:
    def run(given: argparse.Namespace) -> int:
        asyncio.run(_with_desk(work, given))
        return 0
    return run


async def _with_desk(work: Work, given: argparse.Namespace) -> None:
    async with _opened() as desk:
        await work(desk, given)


@asynccontextmanager
async def _opened() -> AsyncIterator[DirectoryDesk]:
    from hotline.core import database_dsn, now
    from hotline.directories import Directories, DirectoryDesk
    from hotline.store.database import open_pool
    from hotline.store.directories import DirectoryStore

    chosen = settings()
    city = city_of(chosen)
    async with await open_pool(database_dsn(chosen), size=2) as pool:
        rows = DirectoryStore(pool)
        directories = Directories(rows, first=city.directories, clock=now)
        await directories.seed(city.directories)
        yield DirectoryDesk(rows, directories, categories=[(c.l1, c.l2) for c in city.categories], clock=now)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


async def _list(desk: DirectoryDesk, _: argparse.Namespace) -> None:
    current = (await desk.version()).version
    for row in await desk.versions():
        state = "withdrawn" if row.withdrawn_at else ("in force" if row.version == current else "")
        _say(f"{row.version:24} {row.effective_from}  {row.rules:4} rules  {row.changes:3} changes  "
             f"{row.author or 'city files'}  {state}  {row.note}".rstrip())


async def _export(desk: DirectoryDesk, given: argparse.Namespace) -> None:
    from hotline.errors import InvalidInput
    from routing.directory_file import write_csv, write_xlsx

    writers = {".csv": write_csv, ".xlsx": write_xlsx}
    if given.output.suffix.lower() not in writers:
        raise InvalidInput("--output: the name must end with .csv or .xlsx")
    directory = await desk.version(given.version)
    await asyncio.to_thread(given.output.write_bytes, writers[given.output.suffix.lower()](directory))
    _say(f"{directory.version} → {given.output}")


async def _diff(desk: DirectoryDesk, given: argparse.Namespace) -> None:
    _tell(await desk.diff(given.old, given.new))


async def _history(desk: DirectoryDesk, given: argparse.Namespace) -> None:
    from routing.directory_diff import told

    for edit in await desk.history(l1=given.l1, l2=given.l2):
        mark = " (withdrawn)" if edit.withdrawn else ""
        _say(f"{edit.at:%Y-%m-%d %H:%M} {edit.author} {edit.version}{mark}  {told(edit.change)}  {edit.note}".rstrip())


async def _proposals(desk: DirectoryDesk, _: argparse.Namespace) -> None:
    for one in await desk.proposals():
        where = f" {one.town}" if one.town else ""
        _say(f"{one.id:6}  {one.l1} {one.l2} {one.kind}{where}: {one.from_unit} → {one.to_unit}  "
             f"({one.examples} tickets, last {one.last_at:%Y-%m-%d})")


async def _import(desk: DirectoryDesk, given: argparse.Namespace) -> None:
    from routing.directory_file import read, read_csv
    from routing.directory_table import UNIT_COLUMNS

    table = read(await asyncio.to_thread(given.file.read_bytes))
    units = table.units
    if given.units is not None:
        units = tuple(read_csv(await asyncio.to_thread(given.units.read_bytes), UNIT_COLUMNS))
    _tell(await desk.import_table(
        table.rules, units, version=given.version, effective_from=given.effective_from, author=given.author,
        base=given.base, note=given.note, dry_run=given.dry_run,
    ))
    _done(given)


async def _adopt(desk: DirectoryDesk, given: argparse.Namespace) -> None:
    from routing.directory_office import Scope

    _tell(await desk.adopt(
        given.proposals, version=given.version, effective_from=given.effective_from, author=given.author,
        scope=Scope(given.scope), base=given.base, note=given.note, dry_run=given.dry_run,
    ))
    _done(given)


async def _withdraw(desk: DirectoryDesk, given: argparse.Namespace) -> None:
    await desk.withdraw(given.version, actor=given.author)
    _say(f"{given.version} is withdrawn")


def _tell(changes: Sequence[Change]) -> None:
    from routing.directory_diff import told

    for change in changes:
        _say(told(change))


def _done(given: argparse.Namespace) -> None:
    _say(f"nothing was kept (--dry-run); {given.version} would begin on {given.effective_from}" if given.dry_run
         else f"{given.version} begins on {given.effective_from}; running processes know it within a second")
