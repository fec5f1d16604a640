"""What a process holds of the machine's memory: a calm collector, and what a peak took given back afterwards."""

from __future__ import annotations

import asyncio
import ctypes
import gc

GIVE_BACK_EVERY = 60.0
"""Seconds between two times that freed memory is given back; each takes one to nine milliseconds, in a thread."""


def calm_collector() -> None:
    """Leave what start-up made (models, gazetteer, routes) out of every collection, and collect the young less often.

    Requests make few cycles, but passing over a million long-lived objects again and again costs a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def give_back() -> bool:
    """Return what was freed to the system; tell whether there was anything.

    glibc keeps the freed parts of a heap whose end is in use (malloc_trim(3)): without this, the memory of a service is
    that of the greatest peak that it ever met. Other C libraries have no such call, and nothing is done there.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return bool(trim(0)) if trim is not None else False


async def keep_lean() -> None:
    """Calm the collector, then give freed memory back again and again, until cancelled; first what start-up freed."""
    calm_collector()
    while True:
        await asyncio.to_thread(give_back)
        await asyncio.sleep(GIVE_BACK_EVERY)
