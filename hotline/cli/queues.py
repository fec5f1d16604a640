"""`queues`: how callers are served – queues, steps, ranks, languages, skills – as a file in and out of the database."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotline.cli.acts import Act, user
from hotline.cli.base import command, settings

if TYPE_CHECKING:
    from hotline.store.queues import QueueStore


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "queues", run, summary="set up queues and skills of the telephone",
        example="python -m hotline queues export > queues.toml\n"
        "  python -m hotline queues import queues.toml && python -m hotline queues show",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    taken = command(
        actions, "import", run, summary="put a file in force; running telephones follow within a second",
        example="python -m hotline queues import queues.toml --check",
        act=Act(details=("file",), changes=lambda given: not given.check),
    )
    taken.add_argument("file", type=Path, help="TOML as `export` writes it")
    taken.add_argument("--check", action="store_true", help="say only whether the file is right")
    command(actions, "export", run, summary="print what is in force", example="python -m hotline queues export")
    command(actions, "show", run, summary="print queues with their steps, and agents with their skills",
            example="python -m hotline queues show")


def run(given: argparse.Namespace) -> int:
    """Carry out import, export or show."""
    match given.action:
        case "import":
            return _import(given.file, check=given.check)
        case "export":
            return _with_store(_export)
        case _:
            return _with_store(_show)


def _with_store(work: Callable[[QueueStore], Awaitable[str]]) -> int:
    sys.stdout.write(asyncio.run(_opened(work)))
    return 0


async def _opened(work: Callable[[QueueStore], Awaitable[str]]) -> str:
    from hotline.core import database_dsn
    from hotline.store.database import open_pool
    from hotline.store.queues import QueueStore

    async with await open_pool(database_dsn(settings()), size=2) as pool:
        store = QueueStore(pool)
        await store.reload()
        return await work(store)


def _import(path: Path, *, check: bool) -> int:
    from hotline.core import now
    from hotline.errors import InvalidInput
    from routing.queue_file import read_file

    try:
        file = read_file(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: {error}") from error
    told = f"{path}: {len(file.centre.queues)} queues, {len(file.agents)} agents"
    if check:
        sys.stdout.write(f"{told}, nothing wrong\n")
        return 0

    async def keep(store: QueueStore) -> str:
        await store.keep(file.centre, file.agents, by=user(), now=now())
        return f"{told} are in force\n"

    return _with_store(keep)


async def _export(store: QueueStore) -> str:
    from routing.queue_file import CentreFile, write_file

    return write_file(CentreFile(centre=store.centre, agents=await store.agents()))


async def _show(store: QueueStore) -> str:
    lines = []
    for name, queue in store.centre.queues.items():
        lines.append(f"{name} {queue.title}".rstrip() + f"  lines {'、'.join(queue.lines) or 'all others'}")
        lines += [f"  from {step.after:g} s: {step.skill} up to level {step.level}" for step in queue.steps]
    agents = await store.agents()
    lines += [
        f"{name} at {agent.endpoint}: " + ", ".join(f"{skill} {level}" for skill, level in agent.skills.items())
        for name, agent in agents.items()
    ]
    return "\n".join(lines) + "\n"
