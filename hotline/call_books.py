"""What calls leave behind: who is owed one, who got through, how calls of ours went – on callbacks and follow-ups."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Any

import structlog

from agent_ui.ports import Act
from hotline import commands as c
from hotline.callbacks import Callbacks
from hotline.errors import HotlineError, Unavailable
from hotline.events import Actor, Role
from routing.call_causes import result_of
from routing.callbacks import MissedCall
from routing.calls import Call

log = structlog.get_logger(__name__)


class CallBooks:
    """Fulfils `hotline.telephone_ports.Books`. What was settled by hand meanwhile stays as it is."""

    def __init__(self, callbacks: Callbacks, act: Act) -> None:
        self._callbacks, self._act = callbacks, act

    async def owe(self, missed: MissedCall, /) -> None:
        """A call ended without anybody taking it."""
        await self._callbacks.owe(missed)

    async def through(self, caller: str, at: datetime, /) -> None:
        """A caller got through: nothing that they missed before is owed to them any more."""
        await self._callbacks.answered(caller, at)

    async def tried(self, call: Call, cause: int, /) -> None:
        """A call of ours reached nobody: count the try, unless it was the lines' fault."""
        result = result_of(cause)
        if result is None:
            log.warning("call_not_placed", call=call.id, cause=cause)
            return
        if call.callback:
            by = f"{Role.AGENT}:{call.agent}"
            await _settled(self._callbacks.tried(call.callback, call.agent, result, by=by), call)
        if call.ticket:
            actor = Actor(Role.AGENT, call.agent)
            await _settled(self._act(call.ticket, c.RecordTry(result=result), actor=actor), call)

    async def spoken(self, call: Call, /) -> None:
        """A call of ours that was answered is over: the callback is done, unless the agent has said how it went."""
        if call.callback:
            by = f"{Role.AGENT}:{call.agent}" if call.agent else f"{Role.SYSTEM}:"
            spoken = self._callbacks.spoken(call.callback, call.agent, by=by, since=call.arrived, number=call.ticket)
            await _settled(spoken, call)


async def _settled(work: Awaitable[Any], call: Call) -> None:
    try:
        await work
    except Unavailable:
        raise
    except HotlineError as error:
        log.info("call_settled_already", call=call.id, why=error.error_id)
