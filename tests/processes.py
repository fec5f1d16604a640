"""Real processes for tests: a service with a database and a 110 desk of its own, on free ports."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import os
import shutil
import signal
import subprocess
import sys
from types import TracebackType

import aiohttp

from hotline.store.embedded import start_embedded, stop_embedded
from tests.folders import folder
from tests.ports import free_port

TOKEN = "test-token-12345"
POLICE_SECRET = "test-police-secret"
WECHAT_TOKEN = "test-wechat-token"
PASSWORD = "a long passphrase"


class House:
    """A hotline as its users meet it: processes, ports, files. Everything is gone when the block is left."""

    def __init__(self, *, durable: bool = True, environment: dict[str, str] | None = None) -> None:
        self.home = folder("hotline-house-", lasting=durable)
        self.durable = durable
        self.http_port, self.ws_port, self.desk_port = free_port(), free_port(), free_port()
        self.dsn, self.module = "", "hotline"
        self._environment = environment or {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """Base address of HTTP."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def ws_url(self) -> str:
        """Address of the console's WebSocket."""
        return f"ws://127.0.0.1:{self.ws_port}/"

    @property
    def desk_url(self) -> str:
        """Base address of the 110 desk."""
        return f"http://127.0.0.1:{self.desk_port}"

    def environment(self) -> dict[str, str]:
        """Return the variables that the processes run under."""
        own = {
            "HOTLINE_DSN": self.dsn, "HOTLINE_DATA_DIR": str(self.home / "data"),
            "HOTLINE_HTTP_PORT": str(self.http_port), "HOTLINE_WS_PORT": str(self.ws_port),
            "HOTLINE_APP_TOKENS": f"test:{TOKEN}", "HOTLINE_WECHAT_TOKEN": WECHAT_TOKEN,
            "HOTLINE_POLICE_URL": self.desk_url, "HOTLINE_POLICE_SECRET": POLICE_SECRET,
            "HOTLINE_WEB_RATE": "100000", "HOTLINE_CITIZEN_RATE": "0", "HOTLINE_LOG_LEVEL": "warning",
            "HOTLINE_SECOND_FACTOR": "",
        }
        ours = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_TEST")}
        return {**ours, **own, **self._environment}

    def run(self, name: str, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start `python -m hotline …` under a name; its output goes to NAME.log. `environment` goes over the usual."""
        log = (self.home / f"{name}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", self.module, *arguments], env=self.environment() | (environment or {}), stdout=log,
            stderr=log, start_new_session=True,
        )
        self._processes[name] = process
        return process

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """Return a process by its name."""
        return self._processes[name]

    def end(self) -> None:
        """Kill whatever still runs, and forget it and its output."""
        for name, process in self._processes.items():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            (self.home / f"{name}.log").unlink(missing_ok=True)
        self._processes.clear()

    def kill(self, name: str) -> None:
        """SIGKILL a process and its children: no farewell."""
        process = self._processes[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def pid_of(self, name: str) -> int:
        """Return the id of a process."""
        return self._processes[name].pid

    def log_of(self, name: str) -> str:
        """Return what a process has printed."""
        return (self.home / f"{name}.log").read_text(errors="replace")

    def beside(self) -> House:
        """Return another instance of the same hotline: its database and files, on ports of its own."""
        other = copy.copy(self)
        other.http_port, other.ws_port = free_port(), free_port()
        return other

    async def serve(
        self, *arguments: str, environment: dict[str, str] | None = None, name: str = "service"
    ) -> None:
        """Start the service and wait until it is ready."""
        process = self.run(name, "serve", *arguments, environment=environment)
        async with aiohttp.ClientSession() as session, asyncio.timeout(120):
            while True:
                if process.poll() is not None:
                    raise RuntimeError(f"the service ended: {self.log_of(name)[-3000:]}")
                try:
                    async with session.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    def start_desk(self, *arguments: str) -> None:
        """Start the 110 desk with a ledger."""
        ledger = str(self.home / "desk.jsonl")
        self.run("desk", "desk110", "--port", str(self.desk_port), "--ledger", ledger, *arguments)

    def incidents(self) -> list[dict[str, object]]:
        """Return the incidents in the desk's ledger."""
        ledger = self.home / "desk.jsonl"
        return [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []

    def add_staff(self, name: str, role: str, *more: str) -> None:
        """Add an account with `PASSWORD`."""
        command = [sys.executable, "-m", "hotline", "user", "add", name, "--role", role, "--own", *more]
        subprocess.run(command, env=self.environment(), input=f"{PASSWORD}\n".encode(), check=True, capture_output=True)

    def migrate(self) -> None:
        """Bring the database up to date."""
        command = [sys.executable, "-m", "hotline", "migrate"]
        subprocess.run(command, env=self.environment(), check=True, capture_output=True)

    async def __aenter__(self) -> House:
        self.dsn = await asyncio.to_thread(start_embedded, self.home, durable=self.durable)
        await asyncio.to_thread(self.migrate)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        await asyncio.to_thread(stop_embedded, self.home)
        shutil.rmtree(self.home, ignore_errors=True)


async def console_ticket(session: aiohttp.ClientSession, house: House, name: str) -> str:
    """Log in and return a one-time ticket for the console."""
    async with session.post(f"{house.url}/api/v1/login", json={"name": name, "password": PASSWORD}) as answer:
        answer.raise_for_status()
        token = (await answer.json())["token"]
    headers = {"Authorization": f"Bearer {token}"}
    async with session.post(f"{house.url}/api/v1/console-ticket", headers=headers) as answer:
        answer.raise_for_status()
        return str((await answer.json())["ticket"])
