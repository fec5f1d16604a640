"""What consoles ask about calls, wired: with and without a PBX."""

from __future__ import annotations

import secrets
from functools import partial

from agent_ui.call_requests import CallDesk
from agent_ui.ports import ConsoleStore
from channels.phone_codec import caller_key
from hotline.config import voice_on
from hotline.core import Core
from hotline.store.call_floor import CallDeskStore
from hotline.store.telephone import TelephoneStore


def call_desk(core: Core, store: ConsoleStore) -> CallDesk:
    """Return the desk; calls are steered where the settings name a PBX."""
    return CallDesk(
        reads=CallDeskStore(core.pool, core.queues), store=store, callbacks=core.callbacks, note=core.audit.note,
        clock=core.clock, new_id=lambda: f"out-{secrets.token_hex(8)}", marked=partial(marked, core),
        ask=TelephoneStore(core.pool).ask if voice_on(core.settings) else None,
    )


def marked(core: Core, caller: str) -> str:
    """Return why a caller is contained as a nuisance, "" for everybody else."""
    mark = core.containment.mark_of(caller_key(caller))
    return mark.reason if mark is not None else ""
