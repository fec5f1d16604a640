"""What the jobs role does for likeness: keys and proposals behind the log, hot spots and their alarms."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from weakref import WeakKeyDictionary

from hotline.city import City
from hotline.core import Core
from hotline.hotspots import HotSpots
from hotline.store.likeness import LikenessStore, compare_all
from triage.cluster_cli import Clusterer
from triage.gazetteer import load_gazetteer
from triage.linear import load_linear
from triage.telling import Telling

HOTSPOTS_EVERY = 60.0
"""Seconds between two looks for hot spots."""


def sweeps(core: Core) -> dict[str, tuple[Callable[[], Awaitable[None]], float]]:
    """Return the sweeps by name, with their interval in seconds."""
    store = LikenessStore(core.pool)
    spots = HotSpots(rows=store, service=core.service, clock=core.clock)
    tell = teller_of(core)

    async def compare() -> None:
        await tell.ready()
        await compare_all(core.pool, tell, busy=lambda: core.intake.waiting > 0)

    async def forget() -> None:
        await store.forget(core.clock())

    return {
        "likeness": (compare, 1.0), "hotspots": (spots.sweep, HOTSPOTS_EVERY), "forget_keys": (forget, 3600.0),
    }


class Teller:
    """What texts are compared by; the model is read when it is first needed, outside the loop."""

    def __init__(self, models: Path, city: City) -> None:
        self._models, self._city = models, city
        self._clusterer: Clusterer | None = None
        self._one = threading.Lock()

    async def ready(self) -> None:
        """Read the model unless it is there."""
        if self._clusterer is None:
            await asyncio.to_thread(self.clusterer)

    def clusterer(self) -> Clusterer:
        """Return the clusterer, reading its model first where needed; many threads may ask at once."""
        with self._one:
            if self._clusterer is None:
                gazetteer = load_gazetteer(self._city.places, self._city.name)
                self._clusterer = Clusterer(load_linear(self._models), gazetteer)
            return self._clusterer

    def __call__(self, texts: Sequence[str], at: Sequence[datetime | None]) -> list[Telling]:
        """Return what texts are compared by."""
        return self.clusterer().tell(texts, at)


_TELLERS: WeakKeyDictionary[Core, Teller] = WeakKeyDictionary()


def teller_of(core: Core) -> Teller:
    """Return the core's teller: one for all roles of a process."""
    if core not in _TELLERS:
        _TELLERS[core] = Teller(Path(core.settings.model_dir), core.city)
    return _TELLERS[core]
