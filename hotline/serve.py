"""Running: one process with its roles, or a parent that keeps N of them alive on shared ports."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
import uvloop

from hotline.city import load_city
from hotline.config import Settings
from hotline.core import database_dsn, open_core
from hotline.roles import ROLES, Role, accounts_of
from hotline.store.migrate import migrate
from hotline.trial import banner, trial_desk, trial_staff
from triage.pipeline import Pipeline

log = structlog.get_logger(__name__)
_QUICK, _PAUSE = 5.0, 1.0


async def _serve(settings: Settings, roles: Sequence[Role], *, trial: bool) -> None:
    city = load_city(Path(settings.city_dir))
    pipeline = Pipeline.load(city, Path(settings.model_dir))
    dsn = database_dsn(settings)
    for migration in await migrate(dsn):
        log.info("migrated", version=migration.version, name=migration.name)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings, triage=pipeline, city=city, dsn=dsn))
        await core.keep_directories()
        if trial:
            await stack.enter_async_context(trial_desk(settings))
        for role in roles:
            await stack.enter_async_context(ROLES[role](core))
        log.info("serving", roles=[role.value for role in roles], pid=os.getpid(), http_port=settings.http_port,
                 ws_port=settings.ws_port)
        if trial:
            staff = await trial_staff(accounts_of(core), list(city.directory.units))
            sys.stdout.write(banner(settings, staff, city=city.name))
            sys.stdout.flush()
        await stop.wait()
        log.info("stopping", waiting=core.intake.waiting)


def serve_here(settings: Settings, roles: Sequence[Role], *, trial: bool = False) -> None:
    """Serve in this process until SIGTERM or SIGINT; what is under way is finished first.

    Args:
        trial: run a 110 desk beside it, make demo accounts and print where to go.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, roles, trial=trial))


class Workers:
    """Keeps `count` child processes alive; a dead one is replaced, one that dies at once after a pause."""

    def __init__(self, arguments: Sequence[str], count: int) -> None:
        self._command = [sys.executable, "-m", "hotline", *arguments]
        self._count = count
        self._children: dict[int, tuple[subprocess.Popen[bytes], float]] = {}
        self._stopping = False

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, then stop the children and wait for them."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self._stopping:
            for slot in range(self._count):
                self._keep(slot)
            time.sleep(0.2)
        for child, _ in self._children.values():
            child.wait()

    def _keep(self, slot: int) -> None:
        child, started = self._children.get(slot, (None, 0.0))
        if child is not None and child.poll() is None:
            return
        if child is not None:
            log.warning("worker_ended", slot=slot, pid=child.pid, code=child.returncode)
            if time.monotonic() - started < _QUICK:
                time.sleep(_PAUSE)
        if not self._stopping:
            self._children[slot] = (subprocess.Popen(self._command), time.monotonic())  # noqa: S603 - our own command

    def _stop(self, *_: object) -> None:
        self._stopping = True
        for child, _started in self._children.values():
            child.terminate()
