"""Files that are there whole or not at all, whatever happens to the machine meanwhile."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_durably(path: Path, data: bytes, *, aside: Path | None = None) -> None:
    """Write a file so that after a crash it is there whole or not at all (temporary file, fsync, rename, fsync).

    Args:
        aside: the folder of the temporary file, on the same disk; None for the file's own.
    """
    folder = aside or path.parent
    for needed in (path.parent, folder):
        needed.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:  # on a full disk what was written of it would keep the disk full
            Path(file.name).unlink(missing_ok=True)
            raise
    keep_names(path.parent)


def keep_names(path: Path) -> None:
    """Have a folder's names survive a crash: a file that was renamed or linked there would bear its old one."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
