"""Recordings, wired: fetched by who steers the PBX, listened to over HTTP, deleted in their time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiohttp import web

from agent_ui import recordings_api
from agent_ui.accounts import Accounts
from agent_ui.gate import known
from hotline.core import Core
from hotline.jobs import repeated, supervised
from hotline.recordings import Collector
from hotline.store.call_cards import CallCards
from hotline.store.recordings import RecordingStore
from hotline.store.transcripts import TranscriptStore


def recordings_of(core: Core) -> RecordingStore:
    """Return the recordings of a core."""
    settings = core.settings
    return RecordingStore(core.pool, files=settings.data_path / "recordings", days=settings.recording_days)


async def fetch(collector: Collector) -> None:
    """Fetch recordings until cancelled; what breaks it is logged and counted, and it goes on a second later."""
    await supervised("recordings_fetch", lambda: repeated(collector.collect, interval=1.0))


def routes(core: Core, accounts: Accounts) -> list[web.AbstractRouteDef]:
    """Return the routes of staff."""
    listening = recordings_api.Listening(
        tapes=recordings_of(core), call=CallCards(core.pool).call, note=core.audit.note, clock=core.clock
    )
    return recordings_api.routes(listening, authenticate=known(accounts))


def sweeps(core: Core) -> dict[str, tuple[Callable[[], Awaitable[None]], float]]:
    """Return what deletes recordings and transcripts in their time."""
    kept, heard = recordings_of(core), TranscriptStore(core.pool)

    async def purge() -> None:
        now = core.clock()
        await kept.purge(now)
        await heard.forget(now - timedelta(days=core.settings.recording_days))

    return {"recordings": (purge, 3600.0)}
