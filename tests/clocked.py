"""`python -m tests.clocked serve …`: the service with a clock that jumps by the seconds in the file `FAULT_CLOCK`.

The clock goes in through the port that everything takes its time from (`hotline.core.Core(clock=…)`).
"""

from __future__ import annotations

import contextlib
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

from hotline import __main__ as hotline
from hotline import core

_FILE = Path(os.environ["FAULT_CLOCK"])


def jumping() -> datetime:
    """Return the time, as far off as the file says."""
    off = 0.0
    with contextlib.suppress(OSError, ValueError):
        off = float(_FILE.read_text())
    return core.now() + timedelta(seconds=off)


if __name__ == "__main__":
    defaults = core.Core.__init__.__kwdefaults__
    assert defaults is not None
    defaults["clock"] = jumping
    sys.exit(hotline.main())
