"""A time limit on a call that computes, in the main thread: it is interrupted, not waited for in vain.

The interval timer's signal raises `TimeoutError` between two steps of the interpreter, so even an endless loop ends –
which no thread could promise.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block once `seconds` have passed. Only in the main thread, and not nested."""
    armed = True

    def late(_number: int, _frame: FrameType | None) -> None:
        if armed:
            raise TimeoutError(f"interrupted after {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
