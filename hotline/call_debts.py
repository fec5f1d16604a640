"""What calls leave to be noted in the books when they end: kept with the call until it is noted, whatever breaks."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from hotline.errors import Unavailable
from hotline.telephone_ports import Books, CallStore
from routing import call_words as m
from routing.callbacks import MissedCall, MissedReason
from routing.calls import Call

log = structlog.get_logger(__name__)
PAUSE = timedelta(seconds=5)
"""How long the books are left alone after they failed."""


class Debts:
    """The debts of one process, told to the books one after the other."""

    def __init__(self, store: CallStore, books: Books) -> None:
        self._store, self._books = store, books
        self._left: dict[str, Call] = {}
        self._again_at: datetime | None = None

    def add(self, call: Call) -> None:
        """A call is over; its store has it with its debt."""
        if call.debt is not None:
            self._left[call.id] = call

    async def settle(self, now: datetime) -> None:
        """Tell the books all that is left. What fails is told again later, also by the process that comes after us."""
        if self._again_at is not None and now < self._again_at:
            return
        self._again_at = None
        for call in list(self._left.values()):
            try:
                await noted(call, self._books)
                await self._store.settled(call.id)
                del self._left[call.id]
            except Unavailable as error:  # the others would wait as long for nothing
                log.warning("calls_not_noted", waiting=len(self._left), error=error.detail)
                self._again_at = now + PAUSE
                return
            except Exception:  # whatever it is: the telephone goes on, and the others are no less to be noted
                log.exception("call_not_noted", call=call.id)
                self._again_at = now + PAUSE


async def noted(call: Call, books: Books) -> None:
    """Tell the books what a call has left; told twice, a missed call is owed once. Raises Unavailable."""
    match call.debt:
        case m.Missed(full=full):
            reason = MissedReason.QUEUE_FULL if full else MissedReason.ABANDONED
            at = call.ended_at or call.arrived
            if call.callback:  # one of ours that was handed on: the entry is done, and this is a new one
                await books.spoken(call)
            await books.owe(MissedCall(call=call.id, phone=call.caller, at=at, skill=call.queue, reason=reason))
        case m.Tried(cause=cause):
            await books.tried(call, cause)
        case m.Spoken():
            await books.spoken(call)
