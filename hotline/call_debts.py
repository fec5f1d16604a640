"""What calls leave to be noted in the books: what ends is kept with the call until it is noted, whatever breaks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from channels.phone_codec import caller_key
from hotline.errors import HotlineError, Unavailable
from hotline.telephone_ports import Books, CallStore
from hotline.telephone_queue import Happen
from routing import call_words as m
from routing.call_wait import is_kept
from routing.callbacks import MissedCall, MissedReason
from routing.calls import Call

log = structlog.get_logger(__name__)
PAUSE = timedelta(seconds=5)
"""How long the books are left alone after they failed."""


class Talk(NamedTuple):
    """A caller has got through; `places` are the calls that kept one for them and were given up for it."""

    call: Call
    at: datetime
    places: set[str]


class Debts:
    """The debts of one process, told to the books one after the other; who gets through comes after their debts.

    A debt that is told after it would be owed, and the citizen rung, though they have got through.
    """

    def __init__(self, store: CallStore, books: Books, *, calls: Mapping[str, Call], happen: Happen) -> None:
        """`calls` are those under way, `happen` ends one of them."""
        self._store, self._books, self._calls, self._happen = store, books, calls, happen
        self._left: dict[str, Call] = {}
        self._talks = list[Talk]()
        self._again_at: datetime | None = None
        self._settling = False

    def add(self, call: Call) -> None:
        """A call is over; its store has it with its debt."""
        if call.debt is not None:
            self._left[call.id] = call

    def through(self, call: Call, now: datetime) -> None:
        """A caller got through: what they missed is owed no more, nor are they rung for a place that they had kept.

        The next `settle` tells it, also books that have just failed.
        """
        self._talks.append(Talk(call, now, set()))
        self._again_at = None

    async def settle(self, now: datetime) -> None:
        """Tell the books all that is left. What fails is told again later, debts also by the next process."""
        if self._settling:  # a place that is given up is a call that ends, and told below
            return
        self._settling = True
        try:
            await self._give_up_places()
            if self._again_at is None or now >= self._again_at:
                self._again_at = None
                await self._tell(now)
        finally:
            self._settling = False

    async def _give_up_places(self) -> None:
        """End the calls that keep a place for who has got through; what fails is tried again with the next tick."""
        for talk in self._talks:
            for place in self._places(talk):
                talk.places.add(place.id)
                try:
                    await self._happen(place.id, m.HangUp())
                except HotlineError as error:
                    log.warning("place_not_given_up", call=place.id, error=error.detail)

    def _places(self, talk: Talk) -> list[Call]:
        number = caller_key(talk.call.caller)
        kept = [one for one in self._calls.values() if one.id != talk.call.id and is_kept(one)]
        return [one for one in kept if number and caller_key(one.caller) == number and one.arrived <= talk.at]

    async def _tell(self, now: datetime) -> None:
        stuck, work = set[str](), list[Call | Talk]([*self._left.values(), *self._talks])
        for one in work:
            call = one.call if isinstance(one, Talk) else one
            caller = caller_key(call.caller)
            if isinstance(one, Talk) and (caller in stuck or self._places(one)):
                continue
            try:
                await self._note(one)
            except Unavailable as error:  # the others would wait as long for nothing
                log.warning("calls_not_noted", waiting=len(self._left) + len(self._talks), error=error.detail)
                self._again_at = now + PAUSE
                return
            except Exception:  # whatever it is: the telephone goes on, and the others are no less to be noted
                log.exception("call_not_noted", call=call.id)
                self._again_at = now + PAUSE
                stuck.add(caller)

    async def _note(self, one: Call | Talk) -> None:
        if isinstance(one, Talk):
            await self._books.through(one.call.caller, one.at)
            self._talks.remove(one)
            return
        given_up = next((talk.at for talk in self._talks if one.id in talk.places), None)
        await noted(one, self._books, at=given_up)
        await self._store.settled(one.id)
        del self._left[one.id]


async def noted(call: Call, books: Books, *, at: datetime | None = None) -> None:
    """Tell the books what a call has left; told twice, a missed call is owed once. Raises Unavailable.

    `at`: when it was missed, if not at its end.
    """
    match call.debt:
        case m.Missed(full=full):
            reason = MissedReason.QUEUE_FULL if full else MissedReason.ABANDONED
            at = at or call.ended_at or call.arrived
            if call.callback:  # one of ours that was handed on: the entry is done, and this is a new one
                await books.spoken(call)
            await books.owe(MissedCall(call=call.id, phone=call.caller, at=at, skill=call.queue, reason=reason))
        case m.Tried(cause=cause):
            await books.tried(call, cause)
        case m.Spoken():
            await books.spoken(call)
