"""The ledger of callbacks (回拨) in use: the telephone owes, agents take and tell, time gives back what is held long.

What the telephone calls: `owe` when a call ended without anybody taking it, `answered` when a caller got through.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog

from channels.message import Outbound
from channels.phone_number import normalize_phone
from channels.wording import local_time
from hotline.errors import Forbidden, InvalidInput
from hotline.opening import CityRules
from hotline.ports import Clock
from hotline.terms import Channel, TryResult
from routing import callbacks as rules_of
from routing.callbacks import Callback, MissedCall, Outcome

log = structlog.get_logger(__name__)
Change = Callable[[Callback], Callback | None]
"""What becomes of an entry, None for nothing; called with it under its lock."""
Letter = Callable[[Callback], Outbound | None]
"""The message that an entry sets going, written with it."""


class Ledger(Protocol):
    """Where entries are kept (`hotline.store.callbacks.CallbackStore`)."""

    async def owe(self, entry: Callback, *, actor: str, now: datetime) -> Callback:
        """Keep a new entry; one of the same call is returned as it is."""
        ...

    async def change(self, id_: int, change: Change, *, actor: str, now: datetime, letter: Letter) -> Callback:
        """Change an entry under its lock and tell it. Raises NotFound, and what `change` raises."""
        ...

    async def change_with_others(
        self, id_: int, change: Change, others: Change, *, actor: str, now: datetime
    ) -> Callback:
        """Change an entry, and what else is owed to its telephone. Raises NotFound, and what `change` raises."""
        ...

    async def take_next(self, change: Change, *, actor: str, now: datetime) -> Callback | None:
        """Change the owed entry that has waited longest; None where nothing is to be tried now."""
        ...

    async def change_all(self, phone: str, change: Change, *, actor: str, now: datetime) -> int:
        """Change what is still owed to a telephone; return how many changed."""
        ...

    async def lapse(self, change: Change, *, now: datetime, limit: int) -> int:
        """Change what time has something to do to, `limit` of each kind; return how many changed."""
        ...


class Callbacks:
    """Carries out what the telephone, agents and time do to the ledger."""

    def __init__(self, *, ledger: Ledger, rules: Callable[[], CityRules], clock: Clock) -> None:
        self._ledger, self._rules, self._clock = ledger, rules, clock

    async def owe(self, missed: MissedCall) -> Callback | None:
        """Owe a call that nobody took; told again, it is owed once. None where nobody could be rung back.

        That is so where the caller's number is withheld, or is none that the telephone network knows.
        """
        phone = _number(missed.phone)
        if not phone:
            return None
        policy = self._rules().policy
        call = MissedCall(call=missed.call, phone=phone, at=missed.at, reason=missed.reason, skill=missed.skill)
        entry = rules_of.owed(call, policy.callbacks, policy.calendar)
        return await self._ledger.owe(entry, actor="system:", now=self._clock())

    async def answered(self, phone: str, at: datetime) -> int:
        """A caller got through: nothing that they missed up to then is owed any more. Return how many entries it ended.

        It may be told late, when they have called in vain again.
        """
        number, now = _number(phone), self._clock()
        if not number:
            return 0

        def ended(entry: Callback) -> Callback | None:
            return rules_of.done(entry, Outcome.CALLED_AGAIN, now=now) if entry.missed_at <= at else None

        return await self._ledger.change_all(number, ended, actor="system:", now=now)

    async def take(self, agent: str, *, by: str, id_: int = 0) -> Callback | None:
        """Give an agent an entry: the one named, else the one that has waited longest; None where none is due.

        Args:
            by: who does it, `role:name`.

        Raises:
            NotFound, IllegalTransition: somebody else has it, or it is done.
        """
        now, rules = self._clock(), self._rules().policy.callbacks

        def assigned(entry: Callback) -> Callback:
            return rules_of.assigned(entry, agent, rules, now=now)

        if id_:
            return await self._ledger.change(id_, assigned, actor=by, now=now, letter=_nothing)
        return await self._ledger.take_next(assigned, actor=by, now=now)

    async def give_back(self, id_: int, *, by: str, agent: str = "") -> Callback:
        """Let others take it; with `agent`, only if they have it. Raises NotFound, Forbidden, IllegalTransition."""
        now = self._clock()

        def free(entry: Callback) -> Callback:
            if agent and entry.agent not in ("", agent):
                raise Forbidden(f"callback {id_} is with {entry.agent}")
            return rules_of.given_back(entry, now=now)

        return await self._ledger.change(id_, free, actor=by, now=now, letter=_nothing)

    async def tried(self, id_: int, agent: str, result: TryResult, *, by: str, note: str = "") -> Callback:
        """Record a try that brought nobody; after the last one an SMS goes out. Raises NotFound, Forbidden."""
        now, rules = self._clock(), self._rules()

        def recorded(entry: Callback) -> Callback:
            return rules_of.tried(entry, agent, result, rules.policy.callbacks, now=now, note=note)

        return await self._ledger.change(
            id_, recorded, actor=by, now=now, letter=lambda entry: _sorry(entry, rules.signature)
        )

    async def reached(self, id_: int, agent: str, *, by: str, number: str = "", note: str = "") -> Callback:
        """Somebody spoke with the citizen: that answers every call they missed. Raises NotFound, Forbidden."""
        now = self._clock()

        def spoken(entry: Callback) -> Callback:
            return rules_of.reached(entry, agent, now=now, number=number, note=note)

        return await self._reached(id_, spoken, by, now)

    async def spoken(self, id_: int, agent: str, *, by: str, since: datetime, number: str = "") -> Callback:
        """A call that was made for it at `since` is over, and was answered: it is done whoever has it by now.

        Raises:
            NotFound. IllegalTransition: how it went was told by hand meanwhile.
        """
        now = self._clock()

        def spoken(entry: Callback) -> Callback:
            return rules_of.spoken(entry, agent, since=since, now=now, number=number)

        return await self._reached(id_, spoken, by, now)

    async def _reached(self, id_: int, change: Change, by: str, now: datetime) -> Callback:
        """At once: killed in between, the citizen would be rung again though they were spoken with."""

        def answered(other: Callback) -> Callback:
            return rules_of.done(other, Outcome.REACHED, now=now)

        return await self._ledger.change_with_others(id_, change, answered, actor=by, now=now)

    async def sweep(self) -> None:
        """Give back what is held too long, and mark what nobody has tried in time."""
        now = self._clock()
        await self._ledger.lapse(lambda entry: rules_of.lapsed(entry, now=now), now=now, limit=200)


def _number(phone: str) -> str:
    try:
        return normalize_phone(phone)
    except InvalidInput as error:
        log.warning("call_without_number", error=error.detail)
        return ""


def _nothing(_: Callback) -> None:
    return None


def _sorry(entry: Callback, signature: str) -> Outbound | None:
    """A wrong number is told nothing."""
    if entry.outcome is not Outcome.UNREACHABLE or entry.tries[-1].result is TryResult.WRONG_NUMBER:
        return None
    text = (
        f"【{signature}】您{local_time(entry.missed_at, '%m月%d日%H:%M')}来电未能接通,我们多次回拨未能联系到您。"
        "如仍需帮助,请再次拨打12345。"
    )
    return Outbound(channel=Channel.CALL, key=f"callback-{entry.call}", to=entry.phone, text=text)
