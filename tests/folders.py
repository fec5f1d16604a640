"""Folders of tests: what need not outlive a power cut lies in memory where there is room."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ROOM = 8 * 2**30
"""Bytes that must be free there: a million tickets (`tests/store/test_plans.py`) take two, and workers are several."""


def folder(prefix: str, *, lasting: bool = False) -> Path:
    """Return a new folder that others may read; who asks for it deletes it. `lasting`: it must be on a disk.

    In memory a database is copied from its template in 23 ms instead of 225.
    """
    roomy = not lasting and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=_MEMORY if roomy else None))
    made.chmod(0o755)
    return made
