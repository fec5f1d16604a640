"""`audit`: check the chain, write the audit out, tell its head."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from hotline.cli.acts import Act
from hotline.cli.base import command, for_owner, settings
from hotline.errors import NotFound

_ANCHOR = "NUMBER:HASH"


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "audit", head, summary="the audit (审计): check its chain, write it out, tell its head",
        example="python -m hotline audit verify",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    checked = command(
        actions, "verify", verify,
        summary="check every row of the audit and of the event log against the chain; status 1 at the first that is "
                "changed, missing or put in",
        example="python -m hotline audit verify --anchor 4711:8f3a…", act=Act(announced=False),
    )
    checked.add_argument(
        "--anchor", type=anchor, metavar=_ANCHOR, help="a head kept elsewhere: shows links cut off or made anew"
    )
    written = command(
        actions, "export", export, summary="write records and commands in the order in which they were committed",
        example="python -m hotline audit export -o audit.jsonl", act=Act(details=("output",)),
    )
    written.add_argument("-o", "--output", type=Path, required=True, help="file to write, JSON lines")
    command(
        actions, "head", head, summary="print number and hash of the newest link: keep it where nobody can change it",
        example="python -m hotline audit head >> /mnt/worm/audit-heads",
    )


def anchor(text: str) -> tuple[int, bytes]:
    """Read `NUMBER:HASH` as `audit head` prints it."""
    number, _, digest = text.strip().partition(":")
    try:
        value = bytes.fromhex(digest)
    except ValueError:
        value = b""
    if not (number.isascii() and number.isdigit()) or len(value) != 32:
        raise argparse.ArgumentTypeError(f"{text!r} is no {_ANCHOR} as `audit head` prints it")
    return int(number), value


@asynccontextmanager
async def _store() -> AsyncIterator[Any]:
    from hotline.core import database_dsn, now
    from hotline.store.audit import AuditStore
    from hotline.store.database import open_pool
    from hotline.store.keys import prepare

    chosen = settings()
    prepare(chosen, now())
    async with await open_pool(database_dsn(chosen), size=3, patient=True) as pool:
        yield AuditStore(pool)


@contextmanager
def _bar(name: str, total: int) -> Iterator[Any]:
    from tqdm import tqdm

    with tqdm(desc=name, unit=" rows", unit_scale=True, total=total, disable=None) as bar:
        yield bar


class _Seen:
    """Counts the links that were checked and their rows: the database would have to read all of them again."""

    def __init__(self, bar: Any) -> None:
        self._bar, self.links, self.rows = bar, 0, 0

    def __call__(self, rows: int) -> None:
        self.links, self.rows = self.links + 1, self.rows + rows
        self._bar.update(rows)


def verify(given: argparse.Namespace) -> int:
    """Check the chain; 1 if it is broken. The audit keeps what came out, and the alarms look there."""
    return asyncio.run(_verify(given.anchor))


async def _verify(given: tuple[int, bytes] | None) -> int:
    async with _store() as audit:
        with _bar("verify", (await audit.size())[1]) as bar:
            seen = _Seen(bar)
            fault = await audit.verify(seen, anchor=given)
        if fault is not None:
            where = f"{fault.log} position {fault.position} number {fault.number}: " if fault.log else ""
            sys.stdout.write(f"BROKEN at link {fault.link}: {where}{fault.what}\n")
            return 1
        waiting, since = await audit.waiting()
        newest = await audit.head()
    sys.stdout.write(f"whole: {seen.rows} rows in {seen.links} links; head {_told(newest)}\n")
    if waiting:
        sys.stdout.write(f"not chained yet: {waiting} rows since {since:%Y-%m-%dT%H:%M:%SZ}\n")
    return 0


def export(given: argparse.Namespace) -> int:
    """Write everything out."""
    return asyncio.run(_export(given.output))


async def _export(path: Path) -> int:
    import msgspec

    count = 0
    async with _store() as audit:
        _, rows = await audit.size()
        with for_owner(path) as file, _bar("export", rows) as bar:
            async for kept in audit.exported(bar.update):
                file.write(msgspec.json.encode(kept) + b"\n")
                count += 1
    sys.stdout.write(f"{path}: {count} rows\n")
    return 0


def head(given: argparse.Namespace) -> int:
    """Print the head of the chain."""
    async def newest() -> tuple[int, bytes] | None:
        async with _store() as audit:
            found: tuple[int, bytes] | None = await audit.head()
            return found

    sys.stdout.write(f"{_told(asyncio.run(newest()))}\n")
    return 0


def _told(newest: tuple[int, bytes] | None) -> str:
    from hotline.audit import NO_CHAIN, head_text

    if newest is None:
        raise NotFound(NO_CHAIN)
    return head_text(*newest)
