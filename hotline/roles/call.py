"""The call role: the PBX."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from hotline.core import Core

log = structlog.get_logger(__name__)


@asynccontextmanager
async def call_role(core: Core) -> AsyncIterator[None]:
    """The PBX comes with an issue of its own; until then the role says that voice is off."""
    log.info("voice_off", ari_url=core.settings.ari_url or "not set")
    yield
