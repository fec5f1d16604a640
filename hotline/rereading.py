"""What a process keeps in memory of the database, and reads anew when another process has changed it."""

from __future__ import annotations

import asyncio
from functools import partial

from hotline.core import Core
from hotline.jobs import repeated, supervised
from hotline.revisions import Watcher
from hotline.store import sealing
from hotline.store.directories import revisions

INTERVAL = 1.0
"""Seconds after which, at most, every process knows a new version of the directory."""


async def reread(core: Core) -> None:
    """Read anew what changed in the database of what this process keeps in memory, until cancelled.

    And leave a database that another has taken over from.
    """
    watcher = Watcher(partial(revisions, core.pool), {
        "directory": core.directories.reload, "knowledge": core.library.reload,
        "nuisance": core.containment.reload, "calendar": core.read_days, "queues": core.queues.reload,
    })

    async def refresh() -> None:
        sealing.ring().refresh()

    async with asyncio.TaskGroup() as group:
        group.create_task(core.hosts.watch())
        group.create_task(supervised("keys", lambda: repeated(refresh, interval=INTERVAL), pause=5.0))
        group.create_task(supervised("watch", lambda: repeated(watcher.step, interval=INTERVAL), pause=5.0))
