"""Ports for the processes of tests: no two get the same, and none meets what the system or the PBX takes by itself."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import socket
from collections import deque

_STEP = 4
"""A telephone takes the ports after its own for sound."""
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_OURS = range(12_000 + _STEP * _WORKER, 20_000, _STEP * _WORKERS)
"""Each worker of pytest-xdist has its own: a process opens its port seconds after it was given."""
_SOUND = itertools.cycle(range(20_000, 32_000, 400))
_given: deque[int] = deque(maxlen=len(_OURS) // 4)


def free_port() -> int:
    """Return a port that nobody uses just now, nor the three after it.

    From below the range that the system hands out itself, or a connection could take it before it is used; at random,
    as several runs may share a machine; not one that was given lately and may be about to be used.
    """
    while True:
        port = random.choice(_OURS)
        if port not in _given and all(_is_free(port + n) for n in range(_STEP)):
            _given.append(port)
            return port


def sound_ports() -> tuple[int, int]:
    """Return the first and the last of the ports that a PBX may take for sound: other ones than those of telephones."""
    first = next(_SOUND)
    return first, first + 398


def _is_free(port: int) -> bool:
    """Tell whether the port is free for TCP and UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            continue
        return False
    return True
