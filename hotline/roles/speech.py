"""Speech, wired: taps at the PBX, the server for their sound, the recogniser, the transcripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import aiohttp

from channels.ari import Ari
from channels.audiosocket import AudioServer
from channels.funasr import FunAsr
from hotline.core import Core
from hotline.listening import listening
from hotline.speech import Speech
from hotline.store.transcripts import TranscriptStore


@asynccontextmanager
async def speech(core: Core, pbx: Ari, session: aiohttp.ClientSession) -> AsyncIterator[Speech | None]:
    """Hear calls while the block lasts; None where no recogniser is set up."""
    settings = core.settings
    if not settings.speech_url:
        yield None
        return
    sounds = AudioServer()
    host, _, wanted = settings.speech_listen.rpartition(":")
    async with AsyncExitStack() as stack:
        with listening("speech_listen", host, int(wanted)):
            port = await stack.enter_async_context(sounds.serving(host, int(wanted)))
        pbx.sound_to = f"{host}:{port}"
        heard = Speech(
            taps=pbx, sounds=sounds, recogniser=FunAsr(session, url=settings.speech_url),
            transcripts=TranscriptStore(core.pool), triage=core.triage, clock=core.clock, new_id=lambda: str(uuid4()),
        )
        stack.push_async_callback(heard.close)
        yield heard
