"""Ports to listen on: a port that cannot be had is told in one line with what to do."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from hotline.errors import Unavailable


@contextmanager
def listening(setting: str, host: str, port: int) -> Iterator[None]:
    """Turn the error of a block that binds `host`:`port` into Unavailable; `setting` is what to change."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{setting}: {_reason(error, host, port)}") from error


def check_free(setting: str, host: str, port: int) -> None:
    """Raise Unavailable if nobody could listen there just now; a port that is shared already counts as taken."""
    with listening(setting, host, port):
        for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)


def _reason(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"{host}:{port} is in use: stop what listens there, or choose another port"
        case errno.EACCES:
            return f"{host}:{port} is not allowed for this user: choose a port from 1024"
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine: set host"
        case _:
            return f"cannot listen on {host}:{port}: {error.strerror or error}"
