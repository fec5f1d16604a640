"""What the jobs role does for likeness: keys and proposals behind the log, hot spots and their alarms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

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
    tell = _Teller(core)

    async def compare() -> None:
        await tell.ready()
        await compare_all(core.pool, tell, busy=lambda: core.intake.waiting > 0)

    async def forget() -> None:
        await store.forget(core.clock())

    return {
        "likeness": (compare, 1.0), "hotspots": (spots.sweep, HOTSPOTS_EVERY), "forget_keys": (forget, 3600.0),
    }


class _Teller:
    """What texts are compared by; the model is read when it is first needed, outside the loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._clusterer: Clusterer | None = None

    async def ready(self) -> None:
        if self._clusterer is None:
            self._clusterer = await asyncio.to_thread(self._load)

    def _load(self) -> Clusterer:
        return Clusterer(load_linear(Path(self._core.settings.model_dir)), load_gazetteer(self._core.city.places))

    def __call__(self, texts: Sequence[str], at: Sequence[datetime | None]) -> list[Telling]:
        if self._clusterer is None:
            self._clusterer = self._load()
        return self._clusterer.tell(texts, at)
