"""Running: one process with its roles, or a parent that keeps N of them alive on shared ports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import structlog
import uvloop

from hotline.city import load_city
from hotline.config import Settings
from hotline.core import database_dsn, open_core
from hotline.listening import check_free
from hotline.memory import keep_lean
from hotline.operation import exposed
from hotline.ports import TriageBatch
from hotline.rereading import reread
from hotline.roles import ROLES, Role
from hotline.roles.parts import accounts_of, running
from hotline.store.migrate import migrate
from hotline.store.owned import identity, own
from hotline.trial import banner, busiest, trial_articles, trial_desk, trial_staff
from triage.opinion import Use
from triage.pipeline import Pipeline
from triage.shadow import Shadowed, file_of

log = structlog.get_logger(__name__)
_QUICK, _PAUSE, _ORPHAN_CHECK = 5.0, 1.0, 1.0
_MISTAKE = 2
SYSTEMD = "NOTIFY_SOCKET"
"""The variable by which systemd tells where it listens (sd_notify)."""


async def _serve(
    settings: Settings, roles: Sequence[Role], *, trial: bool, parent: int | None, ready: int | None
) -> None:
    if parent is None:
        check_ports(settings, roles)  # before the database starts and the models load: a second start is told at once
    city = load_city(Path(settings.city_dir))
    dsn = database_dsn(settings, make=trial)
    pipeline = Pipeline.load(city, Path(settings.model_dir), encoder=Use(settings.triage_encoder))
    pipelines, triage = [pipeline], cast(TriageBatch, pipeline)
    if settings.shadow_dir:
        shadow = Path(settings.shadow_dir)
        pipelines.append(Pipeline.load(city, shadow, encoder=Use(settings.triage_encoder)))
        kept = file_of(settings.data_path, Path(settings.model_dir), shadow)
        triage = Shadowed(pipeline, pipelines[-1], kept)
    for migration in await migrate(dsn, city=city.code):
        log.info("migrated", version=migration.version, name=migration.name)
    own(settings.data_path, await identity(dsn))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        if trial:
            settings = await stack.enter_async_context(trial_desk(settings))
        core = await stack.enter_async_context(open_core(
            settings, triage=triage, city=city, dsn=dsn, shared_ports=parent is not None
        ))
        core.explain, core.intake.towns_in = pipeline.explain, pipeline.towns_in
        await core.keep_directories()
        await stack.enter_async_context(running(reread(core)))
        for one in pipelines:
            one.follow(core.directories.in_force)
        if Role.INTAKE not in roles and parent is None:
            stack.enter_context(exposed(settings.host, settings.metrics_port))
        for role in roles:
            await stack.enter_async_context(ROLES[role](core))
        log.info("serving", roles=[role.value for role in roles], pid=os.getpid(), http_port=settings.http_port,
                 ws_port=settings.ws_port)
        if ready is not None:
            os.write(ready, b".")
        if parent is None:
            tell_ready()
        if trial:
            staff = await trial_staff(accounts_of(core), busiest(city.directory))
            await trial_articles(core, staff)
            sys.stdout.write(banner(settings, staff, city=city.name))
            sys.stdout.flush()
        await stack.enter_async_context(running(keep_lean()))
        await _stopped(stop, parent)
        log.info("stopping", waiting=core.intake.waiting)


def tell_ready() -> None:
    """Tell systemd, where it waits for it (`Type=notify`), that this service serves: its ports are open."""
    address = os.environ.get(SYSTEMD, "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(b"READY=1", address.replace("@", "\0", 1) if address.startswith("@") else address)


async def _stopped(stop: asyncio.Event, parent: int | None) -> None:
    """Wait for a signal; a worker also stops when the process that would replace it is gone."""
    while parent in (None, os.getppid()):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), None if parent is None else _ORPHAN_CHECK)
            return


def check_ports(settings: Settings, roles: Sequence[Role]) -> None:
    """Raise Unavailable if a port that the roles need is taken."""
    if Role.INTAKE in roles:
        check_free("http_port", settings.host, settings.http_port)
    if Role.GATEWAY in roles:
        check_free("ws_port", settings.host, settings.ws_port)
    if Role.INTAKE not in roles and settings.metrics_port:
        check_free("metrics_port", settings.host, settings.metrics_port)


def serve_here(
    settings: Settings, roles: Sequence[Role], *, trial: bool = False, parent: int | None = None,
    ready: int | None = None,
) -> None:
    """Serve in this process until SIGTERM or SIGINT; what is under way is finished first.

    Args:
        trial: run a 110 desk beside it, make demo accounts and print where to go.
        parent: the process id of `Workers`, whose workers share the ports.
        ready: where to tell it that this one serves: the writing end of its pipe.

    Raises:
        InvalidInput, Unavailable: city, models, database or ports are not as they must be.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, roles, trial=trial, parent=parent, ready=ready))


class Workers:
    """Keeps `count` child processes alive; a dead one is replaced, one that dies at once after a pause.

    Where a child finds a mistake (exit status 2) before any has come up, there is nothing to keep alive: all end.
    """

    def __init__(self, arguments: Sequence[str], count: int) -> None:
        self._served, self._ready = os.pipe()
        os.set_blocking(self._served, False)
        told = ["--parent", str(os.getpid()), "--ready", str(self._ready)]
        self._command = [sys.executable, "-m", "hotline", *arguments, *told]
        self._count = count
        self._children: dict[int, tuple[subprocess.Popen[bytes], float]] = {}
        self._up = self._told = self._stopping = False
        self._status = 0

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, then stop the children and wait for them; return the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self._stopping:
            for slot in range(self._count):
                self._keep(slot)
            if not self._told and self._has_served():
                self._told = True
                tell_ready()
            time.sleep(0.2)
        for child, _ in self._children.values():
            child.wait()
        return self._status

    def _keep(self, slot: int) -> None:
        child, started = self._children.get(slot, (None, 0.0))
        lived = time.monotonic() - started
        if child is not None and child.poll() is None:
            return
        if child is not None:
            log.warning("worker_ended", slot=slot, pid=child.pid, code=child.returncode)
            if child.returncode == _MISTAKE and not self._has_served():
                self._status = _MISTAKE
                self._stop()
            elif lived < _QUICK:
                time.sleep(_PAUSE)
        if not self._stopping:
            started_now = subprocess.Popen(self._command, pass_fds=[self._ready])  # noqa: S603 - our own command
            self._children[slot] = (started_now, time.monotonic())
            if self._stopping:  # told to stop while it was being started: nobody has told it, and we wait for it
                started_now.terminate()

    def _has_served(self) -> bool:
        """Tell whether any child has ever come up: each writes a byte when it serves."""
        with contextlib.suppress(BlockingIOError):
            self._up = self._up or bool(os.read(self._served, 1))
        return self._up

    def _stop(self, *_: object) -> None:
        self._stopping = True
        for child, _started in self._children.values():
            child.terminate()
