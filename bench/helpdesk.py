"""The peer: django-helpdesk in an environment of its own, on a database of its own, served by gunicorn."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncpg
from tqdm import tqdm

from tests.ports import free_port
from tests.processes import TOKEN

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "var" / "peers"
REQUIREMENTS = Path(__file__).with_name("helpdesk_site") / "requirements.txt"
DATABASE = "helpdesk"
QUEUE_EMAIL = "12345@example.org"
# While one thread waits for PostgreSQL the other computes; 1 and 4 were measured and are no faster.
THREADS = 2


class NotInstalled(Exception):
    """The peer cannot be installed here; the message says why."""


def install() -> Path:
    """Return the interpreter of the peer's environment, which is made on first use and kept under var/peers.

    Raises:
        NotInstalled: pip or venv failed.
    """
    python, stamp, wanted = HOME / "bin" / "python", HOME / ".installed", REQUIREMENTS.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME)], capture_output=True, text=True)
    if made.returncode:
        raise NotInstalled(made.stdout + made.stderr)
    _pip(python)
    stamp.write_text(wanted)
    return python


def _pip(python: Path) -> None:
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    tail: deque[str] = deque(maxlen=8)
    print(f"installing django-helpdesk into {HOME.relative_to(ROOT)}", flush=True)
    with (
        subprocess.Popen(
            [*command, "-r", str(REQUIREMENTS)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as pip,
        tqdm(unit=" packages", leave=False, disable=None) as bar,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            tail.append(line.rstrip())
            verb, _, what = line.partition(" ")
            if verb in ("Collecting", "Processing", "Installing"):
                bar.update()
                bar.set_postfix_str(f"{verb.lower()} {what.strip().rpartition('/')[2][:40]}")
    if pip.returncode:
        raise NotInstalled("\n".join(tail))


class Helpdesk:
    """A site on the server of `dsn`; its database goes when that server's folder goes."""

    def __init__(self, python: Path, dsn: str, *, log: Path, workers: int) -> None:
        self._python, self._server_dsn, self._log, self._workers = python, dsn, log, workers
        self.dsn = urlsplit(dsn)._replace(path=f"/{DATABASE}").geturl()
        self.port, self.queue = free_port(), 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Base address of HTTP."""
        return f"http://127.0.0.1:{self.port}/helpdesk"

    @property
    def pid(self) -> int:
        """Process id of gunicorn's master, while it serves."""
        if self._process is None:
            raise RuntimeError("gunicorn does not run")
        return self._process.pid

    def _environment(self) -> dict[str, str]:
        own = {
            "HELPDESK_DSN": self.dsn, "HELPDESK_TOKEN": TOKEN, "HELPDESK_QUEUE_EMAIL": QUEUE_EMAIL,
            "DJANGO_SETTINGS_MODULE": "bench.helpdesk_site.settings", "PYTHONPATH": str(ROOT),
        }
        return {**os.environ, **own}

    async def prepare(self) -> None:
        """Make the database, its tables, a queue and a member of staff."""
        connection = await asyncpg.connect(self._server_dsn)
        await connection.execute(f"CREATE DATABASE {DATABASE}")
        await connection.close()
        command = [str(self._python), "-m", "bench.helpdesk_site.prepare"]
        made = await asyncio.to_thread(
            subprocess.run, command, env=self._environment(), capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise RuntimeError(f"django-helpdesk's database: {made.stderr[-2000:]}")
        self.queue = int(made.stdout)

    async def tickets(self) -> int:
        """Return how many whole tickets, with their first follow-up, the database holds."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return int(await connection.fetchval(
                "SELECT count(*) FROM helpdesk_ticket t JOIN helpdesk_followup f ON f.ticket_id = t.id "
                "WHERE t.description <> '' AND f.comment = t.description"
            ))
        finally:
            await connection.close()

    async def __aenter__(self) -> Helpdesk:
        command = [
            str(self._python), "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--workers", str(self._workers),
            "--worker-class", "gthread", "--threads", str(THREADS), "--keep-alive", "75", "--reuse-port",
            "--no-control-socket", "--log-level", "warning", "django.core.wsgi:get_wsgi_application()",
        ]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        try:
            await self._ready(self._process)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _ready(self, process: asyncio.subprocess.Process) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(headers=headers) as session, asyncio.timeout(60):
            while process.returncode is None:
                try:
                    async with session.get(f"{self.url}/api/tickets/?page_size=1") as answer:
                        answer.raise_for_status()
                        return
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.1)
        raise RuntimeError(f"gunicorn ended: {self._log.read_text(errors='replace')[-2000:]}")

    async def __aexit__(self, *_: object) -> None:
        if (process := self._process) is None:
            return
        self._process = None
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
