"""CPU time of process trees: what a ticket costs, which other work on the machine hardly changes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil


def cpu_seconds(roots: Iterable[int]) -> float:
    """Return the CPU seconds that these processes and their children, ended ones too, have used so far."""
    return sum(_own(process) for root in roots for process in _tree(root))


def postmaster(data_dir: Path) -> int:
    """Return the process id of the embedded PostgreSQL under `data_dir`."""
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def _tree(root: int) -> list[psutil.Process]:
    process = psutil.Process(root)
    return [process, *process.children(recursive=True)]


def _own(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return float(sum(process.cpu_times()[:4]))  # its own, and that of children it has waited for
    return 0.0
