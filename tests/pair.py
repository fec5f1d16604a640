"""Two real PostgreSQL servers for tests: a primary, and a standby that has every commit before it is acknowledged.

The servers come from the embedded wheel and listen on TCP ports; a hotline reaches both by one DSN with two hosts.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import asyncpg

from hotline.store.dump import programs
from hotline.store.embedded import start_embedded, stop_embedded
from tests.ports import free_port
from tests.processes import House

MAJOR = 18
STANDBY = "standby"


def _user() -> str | None:
    """PostgreSQL does not run as root; the wheel has made a user for it."""
    return "pgserver" if os.geteuid() == 0 else None


class Server:
    """One PostgreSQL server: a folder, a port, a process group."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """Where it listens."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self, **settings: str) -> None:
        """Start it, and wait until it takes connections."""
        given = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "", **settings}
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(programs(MAJOR) / "postgres"), "-D", str(self.folder), *options], stdout=log, stderr=log,
                user=_user(), start_new_session=True,
            )
        run("pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", patience=60)

    def signal(self, number: int) -> None:
        """Signal the whole group: SIGKILL as a machine that loses its power, SIGSTOP as one that hangs."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        if number == signal.SIGKILL:
            self._process.wait()

    def stop(self) -> None:
        """Stop it fast, as an operator does; what clients have under way is rolled back."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)

    def promote(self) -> None:
        """Make a standby the primary."""
        run("pg_ctl", "-D", str(self.folder), "-w", "promote")


def run(program: str, *arguments: str, patience: float = 0.0) -> None:
    """Run one of PostgreSQL's programs, again and again for up to `patience` seconds until it succeeds."""
    command, until = [str(programs(MAJOR) / program), *arguments], time.monotonic() + patience
    while True:
        done = subprocess.run(command, capture_output=True, user=_user(), check=False)
        if done.returncode == 0:
            return
        if time.monotonic() >= until:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")
        time.sleep(0.1)


class Pair(House):
    """A hotline over a synchronous pair. `first` is the primary until `fail_over`."""

    async def __aenter__(self) -> Pair:
        await asyncio.to_thread(self._pair)
        self.dsn = (f"postgresql://postgres@127.0.0.1:{self.first.port},127.0.0.1:{self.second.port}/postgres"
                    "?target_session_attrs=read-write")
        await asyncio.to_thread(self.migrate)
        return self

    def _pair(self) -> None:
        start_embedded(self.home)
        stop_embedded(self.home)
        self.first = Server(self.home / "postgres", free_port())
        self.second = Server(self.home / "second", free_port())
        self.first.start()
        self.follow(self.first, self.second)
        asyncio.run(self._execute(self.first, f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'"))
        asyncio.run(self._execute(self.first, "SELECT pg_reload_conf()"))

    def follow(self, primary: Server, standby: Server) -> None:
        """Make `standby` anew as a copy of `primary` and start it."""
        shutil.rmtree(standby.folder, ignore_errors=True)
        standby.folder.mkdir(mode=0o700)
        if user := _user():
            shutil.chown(standby.folder, user)
        source = f"host=127.0.0.1 port={primary.port} user=postgres application_name={STANDBY}"
        run("pg_basebackup", "-d", source, "-D", str(standby.folder), "-R", "-X", "stream", "-c", "fast")
        standby.start()

    async def fail_over(self, number: int = signal.SIGKILL) -> None:
        """Take the primary away under load and promote the standby, as Patroni does."""
        self.first.signal(number)
        await asyncio.to_thread(self.second.promote)

    async def in_sync(self) -> None:
        """Wait until the standby confirms every commit."""
        connection = await asyncpg.connect(self.first.dsn)
        async with asyncio.timeout(60):
            while not await connection.fetchval(
                "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"
            ):
                await asyncio.sleep(0.05)
        await connection.close()

    async def rejoin(self) -> None:
        """Bring the old primary back as the synchronous standby of the new one; the roles are changed afterwards."""
        self.first.signal(signal.SIGKILL)
        await asyncio.to_thread(self.follow, self.second, self.first)
        self.first, self.second = self.second, self.first
        await self._execute(self.first, f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")
        await self._execute(self.first, "SELECT pg_reload_conf()")
        await self.in_sync()

    async def _execute(self, server: Server, statement: str) -> None:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute(statement)
        await connection.close()

    async def __aexit__(self, *given: object) -> None:
        self.end()
        for server in (self.first, self.second):
            server.signal(signal.SIGKILL)
        await asyncio.to_thread(shutil.rmtree, self.home, ignore_errors=True)
