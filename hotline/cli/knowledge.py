"""`knowledge`: articles of the knowledge base, in the database that the service uses."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from hotline.cli.acts import Act, user
from hotline.cli.base import city_of, command, settings


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "knowledge", _usage, summary="the knowledge base: import articles, search, what is due for review",
        example="python -m hotline knowledge import cities/441900/knowledge.jsonl",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    new = command(
        actions, "import", _import, summary="write and publish articles of a file, each once by its key",
        example="python -m hotline knowledge import cities/441900/knowledge.jsonl --author wang",
        act=Act(details=("file", "author")),
    )
    new.add_argument("file", type=Path, help="JSON lines with key and content, as cities/441900/knowledge.jsonl")
    new.add_argument("--author", default=user(), help="who answers for them (default: you)")
    find = command(
        actions, "search", _search, summary="search published articles",
        example="python -m hotline knowledge search 路灯不亮",
    )
    find.add_argument("text", help="words, or an appeal with --suggest")
    find.add_argument("--suggest", action="store_true", help="as agents get them for an appeal's text")
    command(
        actions, "overdue", _overdue, summary="list published articles whose review is due",
        example="python -m hotline knowledge overdue",
    )


def _usage(_: argparse.Namespace) -> int:
    raise AssertionError("argparse requires an action")


def _import(given: argparse.Namespace) -> int:
    return asyncio.run(_imported(given.file, given.author))


async def _imported(file: Path, author: str) -> int:
    from agent_ui.staff import Staff, StaffRole
    from hotline.library import plant
    from hotline.seeds import read_seeds

    seeds = read_seeds(file, units=city_of(settings()).directory.units)
    async with _opened() as library:
        staff = Staff(name=author, display_name=author, role=StaffRole.SUPERVISOR)
        new = await plant(library, staff, seeds)
    sys.stdout.write(f"{new} articles published, {len(seeds) - new} were there already\n")
    return 0


def _opened() -> Any:
    from contextlib import asynccontextmanager

    from hotline.core import database_dsn, now
    from hotline.library import Library
    from hotline.store.database import open_pool
    from hotline.store.knowledge import KnowledgeStore
    from hotline.store.search import words

    @asynccontextmanager
    async def opened() -> Any:
        async with await open_pool(database_dsn(settings()), size=1) as pool:
            library = Library(KnowledgeStore(pool), words=words, clock=now)
            await library.reload()
            yield library

    return opened()


def _search(given: argparse.Namespace) -> int:
    return asyncio.run(_found(given.text, suggest=given.suggest))


async def _found(text: str, *, suggest: bool) -> int:
    async with _opened() as library:
        hits = library.suggest(text) if suggest else library.search(text)
    for hit in hits:
        sys.stdout.write(f"{hit.id:6}  {hit.score:7.2f}  {hit.department}  {hit.title}\n")
    return 0


def _overdue(_: argparse.Namespace) -> int:
    return asyncio.run(_due())


async def _due() -> int:
    async with _opened() as library:
        for row in await library.overdue():
            sys.stdout.write(f"{row.id:6}  {row.review_on}  {row.department}  {row.title}\n")
    return 0
